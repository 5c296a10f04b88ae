"""The recipe of examples/mnist.rs in PyTorch, eager, with its fused Adam:  python mnist_torch.py FOLDER [EPOCHS]

FOLDER holds MNIST's four IDX files, packed with gzip.
"""
import gzip
import pathlib
import sys

import numpy as np
import torch
from torch import nn
from torch.nn import functional

torch.set_num_threads(2)
torch.manual_seed(0)
folder, epochs = pathlib.Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 10


def idx(name, header):
    return np.frombuffer(gzip.decompress((folder / f"{name}.gz").read_bytes()), np.uint8, offset=header).copy()


def part(name):
    images = torch.from_numpy(idx(f"{name}-images-idx3-ubyte", 16).reshape(-1, 784).astype(np.float32) / 255)
    return images, torch.from_numpy(idx(f"{name}-labels-idx1-ubyte", 8).astype(np.int64))


(x, y), (x_test, y_test) = part("train"), part("t10k")
net = nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))
adam = torch.optim.Adam(net.parameters(), 1e-3, fused=True)
for epoch in range(epochs):
    for batch in torch.randperm(len(x)).split(32):
        adam.zero_grad(set_to_none=True)
        functional.cross_entropy(net(x[batch]), y[batch]).backward()
        adam.step()
    with torch.no_grad():
        accuracy = (net(x_test).argmax(1) == y_test).float().mean().item()
    print(f"epoch {epoch + 1}: test accuracy {accuracy:.4f}")
print(f"Test accuracy: {accuracy:.4f}")
