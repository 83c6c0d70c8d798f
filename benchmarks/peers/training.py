"""Training and evaluation on MNIST, as in training.lua. The images lie in memory as normalised floats and are gathered
by index: PyTorch's own loader would be slower."""
import os

import torch
from torch import nn

from loading import read_mnist

quick = os.environ.get("BENCH_QUICK") == "1"


class Rows(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(28, 128, batch_first=True)
        self.out = nn.Linear(128, 10)

    def forward(self, x):
        y, _ = self.lstm(x.squeeze(1))
        return self.out(y[:, -1])


models = {
    "linear": lambda: nn.Sequential(nn.Flatten(), nn.Linear(784, 10)),
    "mlp": lambda: nn.Sequential(
        nn.Flatten(), nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 256), nn.ReLU(), nn.Linear(256, 10)),
    "cnn": lambda: nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.25),
        nn.Flatten(), nn.Linear(9216, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, 10)),
    "lstm": Rows,
}


def normalised(split):
    images, labels = read_mnist(split)
    return ((images.float() / 255 - 0.1307) / 0.3081).unsqueeze(1), labels


def stepper(model, batch_size, optimizer, layout=torch.contiguous_format, run=None):
    torch.manual_seed(1)
    images, labels = normalised("train")
    net = models[model]().to(memory_format=layout)
    opt = optimizer(net.parameters())
    loss_fn = nn.CrossEntropyLoss()

    def batches():
        while True:
            order = torch.randperm(len(labels))
            for i in range(0, len(labels) - batch_size + 1, batch_size):
                chosen = order[i : i + batch_size]
                yield images[chosen].contiguous(memory_format=layout), labels[chosen]

    source = batches()

    def step():
        x, y = next(source)
        loss = loss_fn(net(x), y)
        opt.zero_grad()
        loss.backward()
        opt.step()
        if run is not None:
            run.log({"loss": loss.item()})

    return step


def training(model, batch_size, steps, optimizer, layouts=(torch.contiguous_format,), logged=False):
    def case():
        run = None
        if logged:
            import wandb

            run = wandb.init(
                mode="offline", project="bench", dir=os.environ["BENCH_TMP"],
                settings=wandb.Settings(console="off", silent=True))
        variants = []
        for layout in layouts:
            step = stepper(model, batch_size, optimizer, layout, run)

            def many(step=step):
                for _ in range(steps):
                    step()

            variants.append((many, 60000 / (batch_size * steps)))
        return variants

    return case


def sgd(parameters):
    return torch.optim.SGD(parameters, lr=0.01)


def adam(parameters):
    return torch.optim.Adam(parameters, lr=0.001)


both = (torch.contiguous_format, torch.channels_last)
linear_logged = training("linear", 32, 500, sgd, logged=True)
linear = training("linear", 32, 500, sgd)
mlp = training("mlp", 64, 100, adam)
cnn = training("cnn", 64, 8 if quick else 16, adam, both)
lstm = training("lstm", 64, 20 if quick else 50, adam)


def cnn_evaluation():
    count = 2000 if quick else 10000
    images, labels = normalised("test")
    variants = []
    for layout in both:
        net = models["cnn"]().to(memory_format=layout).eval()
        x = images[:count].contiguous(memory_format=layout)

        def run(net=net, x=x):
            with torch.no_grad():
                for i in range(0, count, 500):
                    (net(x[i : i + 500]).argmax(1) == labels[i : i + 500]).sum().item()

        variants.append((run, 10000 / count))
    return variants
