#!/usr/bin/env python3
"""Times edge8 and LiteRT (XNNPACK, int8) on the same network, in turn, one thread, one image at a time.

  cargo build --release -p runtime -p quantizer
  quantizer/python/setup            # or any Python with ai-edge-litert and numpy
  taskset -c 0 target/python/bin/python runtime/bench/beside_litert.py [--arena BYTES] MODEL.tflite...

Prints for each model the median times in microseconds and the smallest, the median and the largest ratio of a round. The
model's arena is as small as can be, or with --arena may have so many bytes (`quantizer plan`)."""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import tempfile
import time

import numpy
from ai_edge_litert.interpreter import Interpreter

ROUNDS = 7
SECONDS = 0.2
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", pathlib.Path(__file__).parents[2] / "target"))


def command(name, *arguments):
    """Runs one of our commands; what it prints."""
    program = TARGET / "release" / name
    return subprocess.run([program, *map(str, arguments)], check=True, capture_output=True, text=True).stdout


def litert(path):
    """A function that times LiteRT's inference, in nanoseconds."""
    interpreter = Interpreter(str(path), num_threads=1)
    interpreter.allocate_tensors()
    tensor = interpreter.get_input_details()[0]
    noise = numpy.random.default_rng(0)
    if tensor["dtype"] == numpy.int8:
        values = noise.integers(-128, 128, tensor["shape"], dtype=numpy.int8)
    else:
        values = noise.random(tensor["shape"], dtype=numpy.float32)
    interpreter.set_tensor(tensor["index"], values)

    def round_of_runs():
        runs, begin = 0, time.perf_counter_ns()
        while time.perf_counter_ns() - begin < SECONDS * 1e9:
            for _ in range(20):
                interpreter.invoke()
            runs += 20
        return (time.perf_counter_ns() - begin) / runs

    round_of_runs()
    return round_of_runs


def main(paths, arena):
    print(f"{'model':<36} {'edge8 us':>9} {'LiteRT us':>9}  ratio: smallest, median, largest")
    for path in map(pathlib.Path, paths):
        with tempfile.TemporaryDirectory() as folder:
            image = pathlib.Path(folder) / "model.edge8"
            command("quantizer", "import", path, "-o", image)
            if arena:
                command("quantizer", "plan", image, "--arena", arena)
            theirs, ours = [], []
            peer = litert(path)
            for _ in range(ROUNDS):
                theirs.append(peer())
                ours.append(json.loads(command("runtime", "bench", "--model", image, "--json"))["ns"])
        ratios = sorted(our / their for our, their in zip(ours, theirs))
        medians = [statistics.median(times) / 1e3 for times in (ours, theirs)]
        shown = " ".join(f"{ratio:.3f}" for ratio in (ratios[0], statistics.median(ratios), ratios[-1]))
        print(f"{path.stem:<36} {medians[0]:>9.1f} {medians[1]:>9.1f}  {shown}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--arena", type=int, metavar="BYTES")
    parser.add_argument("models", nargs="+", metavar="MODEL.tflite")
    arguments = parser.parse_args()
    main(arguments.models, arguments.arena)
