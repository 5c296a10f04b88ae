"""The recipe of examples/mnist.rs in Keras, by `fit`:  python mnist_keras.py FOLDER [EPOCHS]

FOLDER holds MNIST's four IDX files, packed with gzip.
"""
import gzip
import os
import pathlib
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras  # noqa: E402
import numpy as np  # noqa: E402

keras.utils.set_random_seed(0)
folder, epochs = pathlib.Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 10


def idx(name, header):
    return np.frombuffer(gzip.decompress((folder / f"{name}.gz").read_bytes()), np.uint8, offset=header)


def part(name):
    images = idx(f"{name}-images-idx3-ubyte", 16).reshape(-1, 784).astype(np.float32) / 255
    return images, idx(f"{name}-labels-idx1-ubyte", 8).astype(np.int64)


(x, y), test = part("train"), part("t10k")
net = keras.Sequential([keras.Input((784,)), keras.layers.Dense(128, "relu"), keras.layers.Dense(10)])
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
net.compile(keras.optimizers.Adam(1e-3), loss, metrics=["accuracy"])
net.fit(x, y, batch_size=32, epochs=epochs, validation_data=test, verbose=0)
print(f"Test accuracy: {net.evaluate(*test, verbose=0)[1]:.4f}")
