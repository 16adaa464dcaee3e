"""Trains Keras' MobileNetV2 on MNIST and writes it as float ONNX, with data for `quantizer calibrate` and `check`.

    python -m venv venv && venv/bin/pip install tensorflow-cpu tf2onnx
    venv/bin/python quantizer/python/keras_mobilenet.py --data MNIST_FOLDER --output keras

Needs the four idx files of MNIST. Writes model.onnx (NHWC, byte / 255) and three .npz files; then

    quantizer calibrate --int8 keras/model.onnx --data keras/calibration.npz
    quantizer check keras/model.onnx keras/model.edge8 --data keras/test.npz
"""

import argparse
from pathlib import Path

import mnist
import numpy as np
import tensorflow as tf
import tf2onnx


def network():
    """MobileNetV2 for 32x32 grey images. Its batch norms forget slower than a few epochs last, so they get another pace."""
    model = tf.keras.applications.MobileNetV2(input_shape=(32, 32, 1), alpha=0.35, weights=None, classes=10)
    for layer in model.layers:
        if isinstance(layer, tf.keras.layers.BatchNormalization):
            layer.momentum = 0.9
    return model


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--data", type=Path, required=True)
    arguments.add_argument("--output", type=Path, required=True)
    arguments.add_argument("--epochs", type=int, default=3)
    arguments = arguments.parse_args()
    tf.keras.utils.set_random_seed(1)
    images, labels = mnist.write(arguments.data, arguments.output, lambda x: x[..., None])

    model = network()
    steps = arguments.epochs * len(images) // 128
    rate = tf.keras.optimizers.schedules.CosineDecay(2e-3, steps)
    model.compile(tf.keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(images[..., None] / np.float32(255), labels, batch_size=128, epochs=arguments.epochs, verbose=2)

    test = np.load(arguments.output / "test.npz")
    accuracy = model.evaluate(test["x"] / np.float32(255), test["y"], batch_size=500, verbose=0)[1]
    print(f"test accuracy {100 * accuracy:.2f} %")
    signature = [tf.TensorSpec((None, 32, 32, 1), tf.float32, name="input")]
    tf2onnx.convert.from_keras(model, signature, opset=17, output_path=str(arguments.output / "model.onnx"))


if __name__ == "__main__":
    main()
