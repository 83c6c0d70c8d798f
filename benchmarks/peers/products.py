"""Matrix products, as in products.lua."""
import torch


def product(m, n, k, a_transposed=False, b_transposed=False):
    def case():
        a = torch.randn(k, m).t() if a_transposed else torch.randn(m, k)
        b = torch.randn(n, k).t() if b_transposed else torch.randn(k, n)
        return lambda: a @ b, 1

    return case


for n in (512, 1024, 2048):
    globals()[f"square_{n}"] = product(n, n, n)
for m, n, k in ((64, 512, 784), (128, 128, 9216), (36864, 64, 288)):
    globals()[f"forward_{m}x{n}x{k}"] = product(m, n, k, False, True)
    globals()[f"input_gradient_{m}x{n}x{k}"] = product(m, k, n)
    globals()[f"weight_gradient_{m}x{n}x{k}"] = product(n, k, m, True)


def linear_relu_64x512x784():
    x, w, b = torch.randn(64, 784), torch.randn(512, 784), torch.randn(512)
    return lambda: torch.nn.functional.linear(x, w, b).relu(), 1
