"""Milliseconds of one training step of the default network in Keras on the CPU, to compare with `trainer bench`.

    pip install tensorflow-cpu
    python trainer/bench/keras_step.py [STEPS]

Prints the median over the steps. Same network (MobileNetV2, alpha 0.35, 32x32x1, stem stride 1, Dense 128, Dropout
0.5, Dense 10), same batch of 128, AdamW, compiled to one graph; the batch's content does not change the time.
"""

import statistics
import sys
import time

import numpy as np
import tensorflow as tf

BATCH = 128
WARM_UP = 5


def network():
    """The default network. Keras has no option for the stem's stride, so the first convolution is set to 1."""
    layers = tf.keras.layers

    def stem_stride_one(layer):
        config = layer.get_config()
        if layer.name == "Conv1":
            config["strides"] = (1, 1)
        return layer.__class__.from_config(config)

    base = tf.keras.applications.MobileNetV2(input_shape=(32, 32, 1), alpha=0.35, include_top=False, weights=None)
    base = tf.keras.models.clone_model(base, clone_function=stem_stride_one)
    features = layers.GlobalAveragePooling2D()(base.output)
    hidden = layers.Dropout(0.5)(layers.Dense(128, activation="relu")(features))
    return tf.keras.Model(base.input, layers.Dense(10)(hidden))


def main():
    steps = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    model = network()
    assert model.get_layer("Conv1").output.shape[1:3] == (32, 32)
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
    pictures = tf.constant(rng.random((BATCH, 32, 32, 1), dtype=np.float32))
    labels = tf.constant(rng.integers(0, 10, BATCH))
    times = []
    for number in range(WARM_UP + steps):
        start = time.perf_counter()
        step(pictures, labels).numpy()
        if number >= WARM_UP:
            times.append((time.perf_counter() - start) * 1e3)
    print(f"{statistics.median(times):.1f} ms per step, median of {steps}")


if __name__ == "__main__":
    main()
