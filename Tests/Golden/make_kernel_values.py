"""Makes Tests/Golden/data/kernels.json: what PyTorch computes, in float64, for the kernels' tests.

Run by hand: python Tests/Golden/make_kernel_values.py (needs torch). Inputs are not stored: `values`
is a formula that the tests repeat, and its results are exact in float32 too.
"""
import json
import os

import torch
import torch.nn.functional as F

torch.set_num_threads(1)
here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "data")


def values(count, seed):
    """Multiples of 1/64 between -2 and 2."""
    return torch.tensor([((i * 7919 + seed * 104729) % 257 - 128) / 64 for i in range(count)], dtype=torch.float64)


def make(shape, seed, grad=True):
    count = 1
    for n in shape:
        count *= n
    return values(count, seed).reshape(shape).requires_grad_(grad)


def flat(t):
    return t.detach().flatten().tolist()


golden = {}

# [n, c, h, w, o, kh, kw, stride_h, stride_w, pad_h, pad_w, dilation_h, dilation_w, groups]
golden["conv"] = []
for p in [
    [2, 1, 8, 7, 5, 3, 3, 1, 1, 0, 0, 1, 1, 1],
    [2, 3, 6, 9, 4, 3, 2, 1, 1, 1, 2, 1, 1, 1],
    [3, 4, 7, 6, 6, 3, 3, 2, 3, 1, 1, 1, 1, 2],
    [1, 2, 9, 9, 3, 3, 3, 2, 1, 2, 2, 2, 3, 1],
    [2, 4, 5, 5, 4, 2, 2, 1, 1, 0, 0, 1, 1, 4],
    [1, 2, 4, 4, 9, 1, 1, 3, 2, 0, 0, 1, 1, 1],
    [1, 3, 6, 20, 10, 2, 3, 1, 1, 0, 1, 1, 1, 1],
]:
    n, c, h, w, o, kh, kw, sh, sw, ph, pw, dh, dw, groups = p
    x, weight, bias = make((n, c, h, w), 1), make((o, c // groups, kh, kw), 2), make((o,), 3)
    y = F.relu(F.conv2d(x, weight, bias, (sh, sw), (ph, pw), (dh, dw), groups))
    linear = F.conv2d(x, weight, bias, (sh, sw), (ph, pw), (dh, dw), groups)
    g = make(tuple(y.shape), 4, False)
    linear.backward(g)
    golden["conv"].append({"p": p, "y": flat(y), "gx": flat(x.grad), "gweight": flat(weight.grad), "gbias": flat(bias.grad)})

# [n, c, h, w, kh, kw, stride_h, stride_w, pad_h, pad_w, dilation_h, dilation_w]
golden["max_pool"] = []
for p in [
    [2, 2, 6, 38, 2, 2, 2, 2, 0, 0, 1, 1],
    [1, 3, 7, 9, 2, 2, 2, 2, 0, 0, 1, 1],
    [1, 2, 8, 7, 3, 3, 2, 1, 1, 1, 1, 1],
    [1, 2, 9, 9, 3, 2, 2, 3, 1, 1, 2, 2],
]:
    n, c, h, w, kh, kw, sh, sw, ph, pw, dh, dw = p
    x = make((n, c, h, w), 1)
    y, index = F.max_pool2d(x, (kh, kw), (sh, sw), (ph, pw), (dh, dw), return_indices=True)
    y.backward(make(tuple(y.shape), 4, False))
    golden["max_pool"].append({"p": p, "out": list(y.shape[2:]), "y": flat(y), "index": flat(index), "gx": flat(x.grad)})

# [n, c, h, w, kh, kw, stride_h, stride_w, pad_h, pad_w, count_include_pad, ceil_mode]
golden["avg_pool"] = []
for p in [
    [2, 2, 6, 7, 2, 2, 2, 2, 0, 0, 1, 0],
    [1, 3, 7, 9, 3, 3, 2, 2, 1, 1, 1, 0],
    [1, 3, 7, 9, 3, 3, 2, 2, 1, 1, 0, 0],
    [1, 2, 6, 6, 3, 3, 2, 2, 1, 1, 1, 1],
    [1, 2, 5, 40, 5, 40, 1, 1, 0, 0, 1, 0],
]:
    n, c, h, w, kh, kw, sh, sw, ph, pw, include, ceil = p
    x = make((n, c, h, w), 1)
    y = F.avg_pool2d(x, (kh, kw), (sh, sw), (ph, pw), bool(ceil), bool(include))
    y.backward(make(tuple(y.shape), 4, False))
    golden["avg_pool"].append({"p": p, "out": list(y.shape[2:]), "y": flat(y), "gx": flat(x.grad)})

# [n, c, s]
golden["batch_norm"] = []
for n, c, s in [(4, 3, 35), (9, 21, 1), (3, 2, 5)]:
    x, weight, bias = make((n, c, s), 1), make((c,), 2), make((c,), 3)
    g = make((n, c, s), 4, False)
    y = F.batch_norm(x, None, None, weight, bias, True, 0.1, 1e-5)
    y.backward(g)
    case = {"p": [n, c, s], "mean": flat(x.mean((0, 2))), "var": flat(x.var((0, 2), unbiased=False)), "y": flat(y)}
    case |= {"gx": flat(x.grad), "gweight": flat(weight.grad), "gbias": flat(bias.grad)}
    # The same statistics as constants.
    x.grad = None
    F.batch_norm(x, x.mean((0, 2)).detach(), x.var((0, 2), unbiased=False).detach(), weight, bias, False, 0.1, 1e-5).backward(g)
    case["gx_fixed"] = flat(x.grad)
    golden["batch_norm"].append(case)

# [r, s]
golden["layer_norm"] = []
for r, s in [(5, 37), (40, 3), (2, 64)]:
    x, weight, bias = make((r, s), 1), make((s,), 2), make((s,), 3)
    y = F.layer_norm(x, (s,), weight, bias, 1e-5)
    y.backward(make((r, s), 4, False))
    var = x.var(1, unbiased=False)
    golden["layer_norm"].append({
        "p": [r, s], "y": flat(y), "mean": flat(x.mean(1)), "rstd": flat(1 / torch.sqrt(var + 1e-5)),
        "gx": flat(x.grad), "gweight": flat(weight.grad), "gbias": flat(bias.grad)})

# [r, c, weighted], ignore_index is 1 and the targets are (5 i + 2) mod c
golden["cross_entropy"] = []
for r, c, weighted, smoothing in [(6, 10, 0, 0.0), (7, 10, 1, 0.0), (6, 10, 0, 0.1), (9, 33, 1, 0.2), (4, 3, 1, 0.5)]:
    x = make((r, c), 1)
    target = torch.tensor([(5 * i + 2) % c for i in range(r)])
    weight = make((c,), 2, False).abs() + 0.5 if weighted else None
    loss = F.cross_entropy(x, target, weight, ignore_index=1, reduction="none", label_smoothing=smoothing)
    loss.backward(make((r,), 4, False))
    golden["cross_entropy"].append({
        "p": [r, c, weighted], "smoothing": smoothing, "loss": flat(loss), "lse": flat(torch.logsumexp(x, 1)), "gx": flat(x.grad)})
    if not smoothing:
        mean = F.cross_entropy(x, target, weight, ignore_index=1)
        golden["cross_entropy"][-1]["mean"] = float(mean.detach())

# Three steps; gradients have seeds 5, 6, 7.
count = 37
golden["sgd"] = []
for o in [
    dict(lr=0.1),
    dict(lr=0.1, weight_decay=0.01),
    dict(lr=0.05, momentum=0.9),
    dict(lr=0.05, momentum=0.9, dampening=0.3, weight_decay=0.02),
    dict(lr=0.05, momentum=0.9, nesterov=True, maximize=True),
]:
    p = make((count,), 1)
    optimizer = torch.optim.SGD([p], **o, foreach=False)
    for step in range(3):
        p.grad = values(count, 5 + step)
        optimizer.step()
    golden["sgd"].append({"options": o, "p": flat(p)})

golden["adam"] = []
for name, o in [
    ("Adam", dict(lr=0.01)),
    ("Adam", dict(lr=0.01, betas=(0.8, 0.95), eps=1e-4, weight_decay=0.05)),
    ("AdamW", dict(lr=0.01, weight_decay=0.1)),
    ("Adam", dict(lr=0.02, amsgrad=True)),
    ("AdamW", dict(lr=0.02, amsgrad=True, maximize=True)),
]:
    p = make((count,), 1)
    optimizer = getattr(torch.optim, name)([p], **o, foreach=False)
    defaults = optimizer.defaults
    for step in range(3):
        # The second gradient is small, so that the largest second moment is not the last one.
        p.grad = values(count, 5 + step) * (0.125 if step == 1 else 1)
        optimizer.step()
    state = optimizer.state[p]
    golden["adam"].append({
        "options": {k: defaults[k] for k in ["lr", "eps", "weight_decay", "amsgrad", "maximize"]} | {
            "beta1": defaults["betas"][0], "beta2": defaults["betas"][1], "decoupled": name == "AdamW"},
        "p": flat(p), "m": flat(state["exp_avg"]), "v": flat(state["exp_avg_sq"])})

with open(os.path.join(here, "kernels.json"), "w") as f:
    f.write(json.dumps(golden, separators=(",", ":")).replace('},{', '},\n{') + "\n")
