"""Trains torchvision's MobileNetV2 on MNIST and writes it as float ONNX, with data for `quantizer calibrate` and `check`.

    python -m venv venv && venv/bin/pip install torch torchvision onnx onnxscript
    venv/bin/python quantizer/python/pytorch_mobilenet.py --data MNIST_FOLDER --output pytorch

Needs the four idx files of MNIST. Writes model.onnx (NCHW, (byte / 255 - 0.5) / 0.5) and three .npz files; then

    quantizer calibrate --int8 pytorch/model.onnx --data pytorch/calibration.npz --mean 0.5 --std 0.5
    quantizer check pytorch/model.onnx pytorch/model.edge8 --data pytorch/test.npz
"""

import argparse
from pathlib import Path

import mnist
import numpy as np
import torch
from torchvision.models import mobilenet_v2


def reals(images):
    """The network's input for images of bytes."""
    return (torch.from_numpy(images).float() / 255 - 0.5) / 0.5


def train(model, images, labels, epochs, batch=128):
    optimizer = torch.optim.Adam(model.parameters())
    steps = epochs * (len(images) // batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=4e-3, total_steps=steps)
    for epoch in range(epochs):
        total = 0.0
        order = torch.randperm(len(images)).numpy()[: len(images) // batch * batch]
        for chosen in np.split(order, len(images) // batch):
            loss = torch.nn.functional.cross_entropy(model(reals(images[chosen])), torch.from_numpy(labels[chosen]))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item()
        print(f"epoch {epoch + 1}: loss {total / (len(images) // batch):.4f}", flush=True)


@torch.no_grad()
def accuracy(model, images, labels):
    answers = [model(reals(part)).argmax(1).numpy() for part in np.array_split(images, 20)]
    return (np.concatenate(answers) == labels).mean()


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--data", type=Path, required=True)
    arguments.add_argument("--output", type=Path, required=True)
    arguments.add_argument("--epochs", type=int, default=3)
    arguments = arguments.parse_args()
    torch.manual_seed(1)
    colour = lambda x: np.repeat(x[:, None], 3, axis=1)
    images, labels = mnist.write(arguments.data, arguments.output, colour)

    model = mobilenet_v2(weights=None, width_mult=0.35, num_classes=10)
    train(model.train(), colour(images), labels.astype(np.int64), arguments.epochs)

    model.eval()
    test = np.load(arguments.output / "test.npz")
    print(f"test accuracy {100 * accuracy(model, test['x'], test['y']):.2f} %")
    batch = torch.export.Dim("batch")
    torch.onnx.export(
        model,
        (torch.zeros(2, 3, 32, 32),),
        arguments.output / "model.onnx",
        input_names=["input"],
        output_names=["logits"],
        dynamic_shapes=[{0: batch}],
    )


if __name__ == "__main__":
    main()
