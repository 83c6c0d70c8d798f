"""MNIST from its four gzip files to tensors, with gzip and NumPy."""
import gzip
import os

import numpy as np
import torch

root = os.environ.get("BENCH_MNIST", "data/mnist")


def read_mnist(split):
    prefix = os.path.join(root, "train" if split == "train" else "t10k")
    with gzip.open(prefix + "-images-idx3-ubyte.gz") as file:
        images = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 28, 28)
    with gzip.open(prefix + "-labels-idx1-ubyte.gz") as file:
        labels = np.frombuffer(file.read(), np.uint8, offset=8)
    return torch.from_numpy(images.copy()), torch.from_numpy(labels.astype(np.int64))


def mnist():
    def run():
        for split in ("train", "test"):
            read_mnist(split)

    return run, 1
