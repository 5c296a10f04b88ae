"""Writes features.safetensors: a small convolutional network that PyTorch has trained on the MNIST digits 0 to 4.

Run with a Python that has torch and safetensors:  python pretrain.py [FOLDER]
The weights are stored in half precision; only the layers before the last one are.
"""

import gzip
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn

torch.manual_seed(5)
torch.set_num_threads(2)
here = Path(__file__).parent
data = here.parents[1] / "datasets" / "data" / "mnist"
pixels = bytearray(gzip.open(data / "train-images-idx3-ubyte.gz").read()[16:])
labels = bytearray(gzip.open(data / "train-labels-idx1-ubyte.gz").read()[8:])
images = torch.frombuffer(pixels, dtype=torch.uint8).reshape(-1, 1, 28, 28).float() / 255
labels = torch.frombuffer(labels, dtype=torch.uint8).long()
chosen = labels < 5
images, labels = images[chosen], labels[chosen]

features = nn.Sequential()
features.add_module("conv1", nn.Conv2d(1, 16, 3, padding=1))
features.add_module("relu1", nn.ReLU())
features.add_module("pool1", nn.MaxPool2d(2))
features.add_module("conv2", nn.Conv2d(16, 24, 3, padding=1))
features.add_module("relu2", nn.ReLU())
features.add_module("pool2", nn.MaxPool2d(2))
features.add_module("conv3", nn.Conv2d(24, 32, 3, padding=1))
features.add_module("relu3", nn.ReLU())
features.add_module("pool3", nn.AdaptiveAvgPool2d(3))
features.add_module("flatten", nn.Flatten())
model = nn.Sequential()
model.add_module("features", features)
model.add_module("head", nn.Linear(32 * 9, 5))
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
for epoch in range(2):
    order = torch.randperm(len(images))
    for rows in order.split(64):
        loss = nn.functional.cross_entropy(model(images[rows]), labels[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch + 1}: loss of the last batch {loss.item():.4f}")

folder = Path(sys.argv[1] if len(sys.argv) > 1 else here)
half = {name: tensor.half().contiguous() for name, tensor in model.state_dict().items() if not name.startswith("head.")}
save_file(half, folder / "features.safetensors")
