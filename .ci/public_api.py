#!/usr/bin/env python3
"""The public interface of a library, an item a line: `public_api.py PACKAGE FILE` compares it with the file, and
`public_api.py --write PACKAGE FILE` writes the file anew. What is hidden from the documentation does not count."""

import difflib
import json
import pathlib
import subprocess
import sys

FLAGS = ["--lib", "--all-features", "--quiet", "--target-dir", "target/public-api"]
JSON = ["-Zunstable-options", "--output-format", "json"]
TYPES = ["struct", "enum", "union"]


class Library:
    """What rustdoc knows of a library."""

    def __init__(self, package):
        run = ["cargo", "+nightly", "rustdoc", "-p", package, *FLAGS, "--", *JSON, "--cap-lints", "allow"]
        subprocess.run(run, check=True)
        name = package.replace("-", "_")
        documentation = json.loads(pathlib.Path(f"target/public-api/doc/{name}.json").read_text())
        self.index = documentation["index"]
        self.lines = set()
        self.seen = set()
        self.module(documentation["root"], name)

    def module(self, module, path):
        """All items of a module, with what it names from elsewhere."""
        for id in self.inner(module)[1]["items"]:
            self.item(id, path)

    def item(self, id, path):
        item = self.index.get(str(id))
        if item is None:
            return  # from another library
        kind, inner = self.inner(id)
        if kind == "use":
            target = inner["id"]
            if str(target) not in self.index:
                self.lines.add(f"{path}::{inner['name']} use {inner['source']}")
            elif inner["is_glob"]:
                self.module(target, path)
            else:
                self.named(target, f"{path}::{inner['name']}")
        else:
            self.named(id, f"{path}::{item['name']}")

    def named(self, id, path):
        """An item under the name by which it is reached, and its parts."""
        if (id, path) in self.seen:
            return
        self.seen.add((id, path))
        kind, inner = self.inner(id)
        open_end = " #[non_exhaustive]" if "non_exhaustive" in str(self.index[str(id)]["attrs"]) else ""
        self.lines.add(f"{path} {kind} {self.text(id)}".rstrip() + open_end)
        if kind == "module":
            self.module(id, path)
        elif kind in TYPES:
            self.type(inner, path)
        elif kind == "trait":
            self.members(inner["items"], path)
        elif kind == "variant":
            self.fields(inner["kind"], path)

    def type(self, inner, path):
        self.fields(inner.get("kind"), path)
        self.members(inner.get("variants", []) + inner.get("fields", []), path)
        for id in inner["impls"]:
            implementation = self.inner(id)[1]
            if implementation["is_synthetic"] or implementation["blanket_impl"]:
                continue
            if implementation["trait"]:
                # Of a derived one the source says no more than its name.
                text = self.text(id)
                derived = f"impl {implementation['trait']['path']}"
                self.lines.add(f"{path} {text if text.startswith(('impl', 'unsafe impl')) else derived}")
            else:
                self.members(implementation["items"], path)

    def fields(self, kind, path):
        """The fields of a struct or variant that has some."""
        if isinstance(kind, dict):
            [fields] = kind.values()
            self.members(fields["fields"] if isinstance(fields, dict) else fields, path)

    def members(self, ids, path):
        for id in ids:
            if id is not None and str(id) in self.index:
                self.named(id, f"{path}::{self.index[str(id)]['name']}")

    def inner(self, id):
        [(kind, inner)] = self.index[str(id)]["inner"].items()
        return kind, inner

    def text(self, id):
        """An item as its source states it, without its body."""
        span = self.index[str(id)]["span"]
        kind = self.inner(id)[0]
        if kind in ["module", "macro", "variant"] or span is None:
            return ""
        (first, begin), (last, end) = span["begin"], span["end"]
        lines = pathlib.Path(span["filename"]).read_text().splitlines()[first - 1 : last]
        lines[-1] = lines[-1][: end - 1]
        lines[0] = lines[0][begin - 1 :]
        text = " ".join(" ".join(lines).split())
        text = text.split("(")[0] if kind == "struct" else text
        return text.split(" {")[0].rstrip(",;")


def main():
    *write, package, file = sys.argv[1:]
    lines = sorted(Library(package).lines)
    print(f"{package}: {len(lines)} public items")
    file = pathlib.Path(file)
    if write == ["--write"]:
        file.write_text("\n".join(lines) + "\n")
        return
    expected = file.read_text().splitlines()
    if lines != expected:
        print(*difflib.unified_diff(expected, lines, str(file), "now", lineterm="", n=0), sep="\n")
        sys.exit(f"the public interface is another one; if it is meant: {sys.argv[0]} --write {package} {file}")


main()
