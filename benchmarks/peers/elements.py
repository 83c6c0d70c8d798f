"""Element-wise work on 16 million floats, as in elements.lua."""
import torch

n = 1 << 24


def case(f):
    def make():
        a, b = torch.randn(n), torch.randn(n)
        return lambda: f(a, b), 1

    return make


add = case(lambda a, b: a + b)
add_in_place = case(lambda a, b: a.add_(b))
relu = case(lambda a, b: a.relu())
exp = case(lambda a, b: a.exp())
tanh = case(lambda a, b: a.tanh())
sum = case(lambda a, b: a.sum())
