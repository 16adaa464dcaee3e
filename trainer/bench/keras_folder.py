"""Accuracy of Keras networks trained on a folder of pictures, to compare with `trainer fit --data`.

    pip install tensorflow-cpu
    python trainer/bench/keras_folder.py TRAIN TEST [--side N] [--channels N] [--steps N] [--seed N]

TRAIN and TEST have one subfolder of pictures for each class. Two networks, each from random weights: MobileNetV2 (alpha 0.35,
average pooling, Dropout 0.2, Dense) as Keras has it, and a small CNN as its introductory examples have it (three
convolutions of 32, 64 and 64, Dense 64). Both with random rotation, zoom, shift and contrast, batches of 32, AdamW with a
cosine schedule from 0.001, as many steps as `trainer fit` takes.
"""

import argparse

import tensorflow as tf

layers = tf.keras.layers


def pictures(folder, options):
    return tf.keras.utils.image_dataset_from_directory(
        folder,
        image_size=(options.side, options.side),
        color_mode="grayscale" if options.channels == 1 else "rgb",
        batch_size=None,
        shuffle=False,
        verbose=False,
    )


def augmented(inputs):
    x = layers.RandomRotation(10 / 360)(inputs)
    x = layers.RandomZoom(0.15)(x)
    x = layers.RandomTranslation(0.08, 0.08, fill_mode="nearest")(x)
    x = layers.RandomContrast(0.3)(x)
    return layers.Rescaling(1 / 127.5, -1)(x)


def mobilenet(shape, classes):
    inputs = layers.Input(shape)
    base = tf.keras.applications.MobileNetV2(input_shape=shape, alpha=0.35, include_top=False, weights=None, pooling="avg")
    x = layers.Dropout(0.2)(base(augmented(inputs)))
    return tf.keras.Model(inputs, layers.Dense(classes)(x))


def small_cnn(shape, classes):
    inputs = layers.Input(shape)
    x = augmented(inputs)
    for channels in (32, 64, 64):
        x = layers.MaxPooling2D()(layers.Conv2D(channels, 3, padding="same", activation="relu")(x))
    x = layers.Dense(64, activation="relu")(layers.Flatten()(x))
    return tf.keras.Model(inputs, layers.Dense(classes)(layers.Dropout(0.5)(x)))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("train")
    parser.add_argument("test")
    for name, default in [("side", 96), ("channels", 3), ("steps", 4000), ("seed", 1)]:
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    tf.keras.utils.set_random_seed(options.seed)
    train, test = pictures(options.train, options), pictures(options.test, options)
    classes = len(train.class_names)
    assert train.class_names == test.class_names
    # Each pass in another order: the same batches again and again would be all that batch normalisation learns.
    shuffled = train.cache().shuffle(10_000, seed=options.seed).repeat().batch(32)
    for build in (mobilenet, small_cnn):
        model = build((options.side, options.side, options.channels), classes)
        rate = tf.keras.optimizers.schedules.CosineDecay(1e-3, options.steps)
        loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(tf.keras.optimizers.AdamW(rate, weight_decay=0.004), loss, metrics=["accuracy"])
        model.fit(shuffled, steps_per_epoch=options.steps, epochs=1, verbose=0)
        print(f"{build.__name__}: {100 * model.evaluate(test.batch(32), verbose=0)[1]:.2f} %", flush=True)


if __name__ == "__main__":
    main()
