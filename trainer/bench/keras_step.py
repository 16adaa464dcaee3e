"""Milliseconds of one training step of a network in Keras on the CPU, to compare with `trainer bench`.

    pip install tensorflow-cpu
    python trainer/bench/keras_step.py [--rows N] [--columns N] [--channels N] [--alpha A] [--hidden N] [--steps N]

Prints the median over the steps. By default the digits' network (MobileNetV2, alpha 0.35, 32x32x1, stem stride 1, Dense
128, Dropout 0.5, Dense 10); `--hidden 0` has the head of `trainer bench --input-size` (Dropout 0.2, Dense 10). Above 48
pixels the stem's stride is 2. Same batch of 128, AdamW, compiled to one graph; what a batch shows does not change the time.
"""

import argparse
import statistics
import time

import numpy as np
import tensorflow as tf

BATCH = 128
WARM_UP = 5


def network(shape, alpha, hidden, stride):
    """Keras has no option for the stem's stride, so the first convolution is set to it."""
    layers = tf.keras.layers

    def with_stride(layer):
        config = layer.get_config()
        if layer.name == "Conv1":
            config["strides"] = (stride, stride)
        return layer.__class__.from_config(config)

    # It takes no side below 32; its copy does.
    largest = tuple(max(side, 32) for side in shape[:2]) + shape[2:]
    base = tf.keras.applications.MobileNetV2(input_shape=largest, alpha=alpha, include_top=False, weights=None)
    base = tf.keras.models.clone_model(base, input_tensors=layers.Input(shape), clone_function=with_stride)
    features = layers.GlobalAveragePooling2D()(base.output)
    if hidden:
        features = layers.Dropout(0.5)(layers.Dense(hidden, activation="relu")(features))
    else:
        features = layers.Dropout(0.2)(features)
    return tf.keras.Model(base.input, layers.Dense(10)(features))


def main():
    parser = argparse.ArgumentParser()
    for name, default in [("rows", 32), ("columns", 32), ("channels", 1), ("hidden", 128), ("steps", 40)]:
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--alpha", type=float, default=0.35)
    options = parser.parse_args()
    shape = (options.rows, options.columns, options.channels)
    stride = 2 if max(shape[:2]) > 48 else 1
    model = network(shape, options.alpha, options.hidden, stride)
    assert model.get_layer("Conv1").output.shape[1] == -(-options.rows // stride)
    optimizer = tf.keras.optimizers.AdamW(1e-3)
    loss_of = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    @tf.function
    def step(pictures, labels):
        with tf.GradientTape() as tape:
            loss = loss_of(labels, model(pictures, training=True))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables))
        return loss

    rng = np.random.default_rng(0)
    pictures = tf.constant(rng.random((BATCH, *shape), dtype=np.float32))
    labels = tf.constant(rng.integers(0, 10, BATCH))
    times = []
    for number in range(WARM_UP + options.steps):
        start = time.perf_counter()
        step(pictures, labels).numpy()
        if number >= WARM_UP:
            times.append((time.perf_counter() - start) * 1e3)
    print(f"{statistics.median(times):.1f} ms per step, median of {options.steps}")


if __name__ == "__main__":
    main()
