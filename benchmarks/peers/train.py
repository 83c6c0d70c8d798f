"""scripts/train.lua's default in PyTorch: the same model, schedule, validation and test. Prints the test accuracy."""
import sys

import torch
from torch import nn

from training import normalised

epochs, batch_size, lr = int(sys.argv[1]), 64, 0.02
torch.manual_seed(1)
images, labels = normalised("train")
test_images, test_labels = normalised("test")
train, validation = torch.arange(55000), (images[55000:], labels[55000:])
net = nn.Sequential(
    nn.Conv2d(1, 8, 5), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2),
    nn.Conv2d(8, 24, 5), nn.BatchNorm2d(24), nn.ReLU(), nn.MaxPool2d(2),
    nn.Flatten(), nn.Linear(384, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 10))
loss_fn = nn.CrossEntropyLoss(label_smoothing=0.05)
optimizer = torch.optim.AdamW(net.parameters(), lr=lr)
steps = (len(train) + batch_size - 1) // batch_size
scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=lr, epochs=epochs, steps_per_epoch=steps)


def accuracy(x, y):
    net.eval()
    correct = 0
    with torch.no_grad():
        for i in range(0, len(y), 250):
            correct += (net(x[i : i + 250]).argmax(1) == y[i : i + 250]).sum().item()
    return correct / len(y)


for epoch in range(epochs):
    net.train()
    order = train[torch.randperm(len(train))]
    for i in range(0, len(train), batch_size):
        chosen = order[i : i + batch_size]
        loss = loss_fn(net(images[chosen]), labels[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        loss.item()
    accuracy(*validation)
print("accuracy", accuracy(test_images, test_labels))
