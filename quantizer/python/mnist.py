"""MNIST for the scripts beside this file: reads idx files, writes what `quantizer` takes.

Both scripts train on the first 58,000 training images; of these, 1,024 evenly spread ones become calibration.npz, and
the 2,000 images that no training saw become validation.npz: choose how to calibrate there, and only then look at test.npz.
"""

import gzip
from pathlib import Path

import numpy as np

VALIDATION = 2_000
CALIBRATION = 1_024


def load(folder, prefix):
    """Images, u8 [N, 32, 32] with a border of 2 black pixels, and labels of the files that start with `prefix`."""
    with gzip.open(Path(folder) / f"{prefix}-images-idx3-ubyte.gz") as file:
        images = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 28, 28)
    with gzip.open(Path(folder) / f"{prefix}-labels-idx1-ubyte.gz") as file:
        labels = np.frombuffer(file.read(), np.uint8, offset=8)
    return np.pad(images, ((0, 0), (2, 2), (2, 2))), labels


def write(data, output, arrange):
    """Writes the three .npz files; `arrange` turns [N, 32, 32] into the network's layout. Gives the training images."""
    images, labels = load(data, "train")
    train = slice(0, len(images) - VALIDATION)
    held_out = slice(len(images) - VALIDATION, None)
    spread = np.arange(CALIBRATION) * train.stop // CALIBRATION
    sets = {
        "calibration": (images[spread], labels[spread]),
        "validation": (images[held_out], labels[held_out]),
        "test": load(data, "t10k"),
    }
    output.mkdir(parents=True, exist_ok=True)
    for name, (x, y) in sets.items():
        np.savez_compressed(output / f"{name}.npz", x=arrange(x), y=y)
    return images[train], labels[train]
