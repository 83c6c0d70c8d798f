"""Layers of a CNN, as in layers.lua; images in PyTorch's usual layout and channels last, whichever is faster."""
import torch
import torch.nn.functional as F


def runs(shape, apply, leaves, backward):
    variants = []
    for layout in (torch.contiguous_format, torch.channels_last) if len(shape) == 4 else (torch.contiguous_format,):
        x = torch.randn(shape).to(memory_format=layout)
        parameters = [p.to(memory_format=layout) if p.ndim == 4 else p for p in leaves()]

        def forward(x=x, parameters=parameters):
            with torch.no_grad():
                apply(x, parameters)

        if not backward:
            variants.append((forward, 1))
            continue
        x.requires_grad_()
        for p in parameters:
            p.requires_grad_()
        gradient = torch.ones_like(apply(x, parameters))

        def both(x=x, parameters=parameters, gradient=gradient):
            x.grad = None
            for p in parameters:
                p.grad = None
            apply(x, parameters).backward(gradient)

        variants.append((both, 1))
    return variants


def layer(name, shape, apply, leaves=lambda: []):
    globals()[name + "_forward"] = lambda: runs(shape, apply, leaves, False)
    globals()[name + "_forward_backward"] = lambda: runs(shape, apply, leaves, True)


layer("conv_1_32", (64, 1, 28, 28), lambda x, p: F.conv2d(x, p[0], p[1]), lambda: [torch.randn(32, 1, 3, 3), torch.randn(32)])
layer("conv_32_64", (64, 32, 26, 26), lambda x, p: F.conv2d(x, p[0], p[1]), lambda: [torch.randn(64, 32, 3, 3), torch.randn(64)])
layer("max_pool", (64, 64, 24, 24), lambda x, p: F.max_pool2d(x, 2))
layer("batch_norm", (64, 64, 24, 24), lambda x, p: F.batch_norm(x, None, None, p[0], p[1], True), lambda: [torch.ones(64), torch.zeros(64)])
layer("dropout", (64, 64, 24, 24), lambda x, p: F.dropout(x, 0.25, True))
layer("layer_norm", (2048, 512), lambda x, p: F.layer_norm(x, (512,), p[0], p[1]), lambda: [torch.ones(512), torch.zeros(512)])


def cross_entropy_forward_backward():
    x, y = torch.randn(4096, 10, requires_grad=True), torch.randint(0, 10, (4096,))

    def run():
        x.grad = None
        F.cross_entropy(x, y).backward()

    return run, 1
