"""What one call from Python costs, as in calls.lua."""
import torch

n = 10000
a, b = torch.randn(64), torch.randn(64)
w, s = torch.randn(64, requires_grad=True), torch.tensor(1.5)


def case(f):
    def run():
        for _ in range(n):
            f()

    return lambda: (run, 1 / n)


add = case(lambda: a + b)
add_number = case(lambda: a + 1)
relu = case(lambda: a.relu())
add_in_place = case(lambda: a.add_(b))
sum = case(lambda: a.sum())
item = case(lambda: s.item())
add_gradient = case(lambda: w + b)
mul_gradient = case(lambda: w * b)
relu_gradient = case(lambda: w.relu())
