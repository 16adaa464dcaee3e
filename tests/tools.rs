//! What a test needs and a machine may lack.

use crate::commands::root;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Whether `program --version` runs. Where it is missing the test that asks says so and is skipped; with the variable
/// `EDGE8_REQUIRE_TOOLS` set, as in CI, it fails.
pub fn have(program: &str) -> bool {
    let runs = Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success());
    require(program, runs)
}

/// Whether the toolchain can compile for `target`; otherwise as [`have`].
pub fn have_target(target: &str) -> bool {
    let libdir = Command::new("rustc").args(["--print", "target-libdir", "--target", target]).output();
    let path =
        libdir.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default();
    require(target, !path.is_empty() && Path::new(&path).is_dir())
}

/// A file or folder of the shared folder beside the repository, which a user's clone has not; otherwise as [`have`], the
/// variable is `EDGE8_REQUIRE_SHARED`.
pub fn shared(path: &str) -> Option<PathBuf> {
    let found = root().join("../shared").join(path);
    required(&format!("../shared/{path}"), found.exists(), "EDGE8_REQUIRE_SHARED").then_some(found)
}

/// As [`have`], for anything else that a machine may lack.
pub fn require(what: &str, found: bool) -> bool {
    required(what, found, "EDGE8_REQUIRE_TOOLS")
}

fn required(what: &str, found: bool, variable: &str) -> bool {
    if !found {
        assert!(std::env::var_os(variable).is_none(), "{what} is missing and {variable} is set");
        eprintln!("skipped: {what} is missing on this machine");
    }
    found
}
