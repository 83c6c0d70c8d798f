"""Makes data/layers.safetensors, data/optimizers.safetensors and data/schedules.safetensors with PyTorch.

Run by hand: python Tests/Golden/make_layers.py (needs torch and safetensors; made with torch 2.15).

Each layer case is a constructor in both languages, its inputs, and what PyTorch made of them: outputs,
gradients of inputs and parameters (for the loss sum(out * w), w[i] = sin(0.7 i) + 1.5), buffers afterwards.
The Lua side of a case is in the file's metadata; Tests/Lua/nn_golden.lua runs it.
"""
import json
import os

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn

here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "data")
torch.set_default_dtype(torch.float64)

tensors, cases = {}, []


def flat(value):
    if value is None:
        return []
    if isinstance(value, torch.Tensor):
        return [value]
    return [t for item in value for t in flat(item)]


def weights(t):
    return (torch.arange(t.numel(), dtype=torch.float64) * 0.7).sin().add(1.5).reshape(t.shape)


def case(name, lua, module, inputs, call=None, lua_call=None, mode="train", seed=0, out_index=None):
    """module: an nn.Module or a function; call(module, *inputs) and lua_call say how it is called."""
    torch.manual_seed(seed + len(cases))
    inputs = [t() if callable(t) else t for t in inputs]
    is_module = isinstance(module, nn.Module)
    names = []
    if is_module:
        module.train()
        for p in module.parameters():
            with torch.no_grad():
                p.copy_(torch.randn_like(p) * 0.4)
        for key, value in module.state_dict().items():
            names.append(key)
            tensors[f"{name}/state/{key}"] = value.clone()
        if mode == "eval":
            # Running statistics that are not the first ones.
            with torch.no_grad():
                module(*inputs)
            module.eval()
            for key, value in module.state_dict().items():
                tensors[f"{name}/state/{key}"] = value.clone()
    leaves = []
    for i, t in enumerate(inputs):
        tensors[f"{name}/in/{i}"] = t.clone()
        leaf = t.clone()
        if leaf.is_floating_point():
            leaf.requires_grad_()
        leaves.append(leaf)
    out = call(module, *leaves) if call else module(*leaves)
    outs = flat(out)
    loss = 0
    for i, t in enumerate(outs):
        tensors[f"{name}/out/{i}"] = t.detach().clone().contiguous()
        if t.is_floating_point() and t.requires_grad:
            loss = loss + (t * weights(t)).sum()
    if torch.is_tensor(loss):
        loss.backward()
    for i, leaf in enumerate(leaves):
        if leaf.grad is not None:
            tensors[f"{name}/gin/{i}"] = leaf.grad.clone().contiguous()
    if is_module:
        for key, p in module.named_parameters():
            if p.grad is not None:
                tensors[f"{name}/grad/{key}"] = p.grad.clone().contiguous()
        for key, b in module.named_buffers():
            tensors[f"{name}/buffer/{key}"] = b.clone()
    cases.append({
        "name": name, "make": lua if is_module else "", "call": lua_call or (lua if not is_module else "net(...)"),
        "inputs": len(inputs), "outputs": len(outs), "mode": mode, "names": names,
    })


R = lambda *s: (lambda: torch.randn(*s))
U = lambda *s: (lambda: torch.rand(*s) * 0.9 + 0.05)
I = lambda n, *s: (lambda: torch.randint(0, n, s))

# Layers
case("linear", "nn.Linear(4, 3)", nn.Linear(4, 3), [R(5, 4)])
case("linear_3d_nobias", "nn.Linear(4, 3, false)", nn.Linear(4, 3, bias=False), [R(2, 3, 4)])
case("linear_1d", "nn.Linear(4, 3)", nn.Linear(4, 3), [R(4)])
case("bilinear", "nn.Bilinear(3, 4, 2)", nn.Bilinear(3, 4, 2), [R(5, 3), R(5, 4)])
case("identity", "nn.Identity()", nn.Identity(), [R(2, 3)])
case("flatten", "nn.Flatten()", nn.Flatten(), [R(2, 3, 4)])
case("flatten_0", "nn.Flatten(0, 1)", nn.Flatten(0, 1), [R(2, 3, 4)])
case("unflatten", "nn.Unflatten(1, {2, 3})", nn.Unflatten(1, (2, 3)), [R(2, 6)])
case("embedding", "nn.Embedding(6, 3)", nn.Embedding(6, 3), [I(6, 2, 4)])
case("embedding_padding", "nn.Embedding(6, 3, {padding_idx = 2})", nn.Embedding(6, 3, padding_idx=2), [lambda: torch.tensor([[2, 0, 2], [5, 1, 1]])])
case("embedding_freq", "nn.Embedding(6, 3, {scale_grad_by_freq = true})", nn.Embedding(6, 3, scale_grad_by_freq=True), [lambda: torch.tensor([1, 1, 4, 1])])
case("embedding_norm", "nn.Embedding(6, 3, {max_norm = 0.5})", nn.Embedding(6, 3, max_norm=0.5), [lambda: torch.tensor([1, 1, 4])])
case("conv1d", "nn.Conv1d(3, 4, 3)", nn.Conv1d(3, 4, 3), [R(2, 3, 9)])
case("conv1d_more", "nn.Conv1d(4, 6, 3, {stride = 2, padding = 2, dilation = 2, groups = 2})", nn.Conv1d(4, 6, 3, stride=2, padding=2, dilation=2, groups=2), [R(2, 4, 9)])
case("conv1d_same", "nn.Conv1d(2, 3, 4, {padding = \"same\", bias = false})", nn.Conv1d(2, 3, 4, padding="same", bias=False), [R(2, 2, 7)])
case("conv1d_unbatched", "nn.Conv1d(2, 3, 3)", nn.Conv1d(2, 3, 3), [R(2, 7)])
case("conv2d", "nn.Conv2d(2, 3, 3)", nn.Conv2d(2, 3, 3), [R(2, 2, 6, 5)])
case("conv2d_more", "nn.Conv2d(4, 6, {3, 2}, {stride = {2, 1}, padding = {1, 2}, dilation = {1, 2}, groups = 2})", nn.Conv2d(4, 6, (3, 2), stride=(2, 1), padding=(1, 2), dilation=(1, 2), groups=2), [R(2, 4, 7, 6)])
case("conv2d_same", "nn.Conv2d(2, 3, 4, {padding = \"same\", bias = false})", nn.Conv2d(2, 3, 4, padding="same", bias=False), [R(1, 2, 6, 7)])
case("conv2d_depthwise", "nn.Conv2d(3, 6, 3, {groups = 3, padding = 1})", nn.Conv2d(3, 6, 3, groups=3, padding=1), [R(2, 3, 5, 5)])
case("conv_transpose2d", "nn.ConvTranspose2d(3, 2, 3)", nn.ConvTranspose2d(3, 2, 3), [R(2, 3, 4, 5)])
case("conv_transpose2d_more", "nn.ConvTranspose2d(4, 6, {3, 2}, {stride = 2, padding = 1, output_padding = {1, 0}, groups = 2, dilation = {1, 2}})", nn.ConvTranspose2d(4, 6, (3, 2), stride=2, padding=1, output_padding=(1, 0), groups=2, dilation=(1, 2)), [R(2, 4, 3, 4)])
case("max_pool1d", "nn.MaxPool1d(3, 2, 1)", nn.MaxPool1d(3, 2, 1), [R(2, 3, 9)])
case("max_pool1d_indices", "nn.MaxPool1d(2, {return_indices = true})", nn.MaxPool1d(2, return_indices=True), [R(2, 3, 9)])
case("max_pool2d", "nn.MaxPool2d(2)", nn.MaxPool2d(2), [R(2, 3, 6, 7)])
case("max_pool2d_more", "nn.MaxPool2d({3, 2}, {2, 1}, {1, 0}, {1, 2}, {ceil_mode = true})", nn.MaxPool2d((3, 2), (2, 1), (1, 0), (1, 2), ceil_mode=True), [R(2, 2, 6, 7)])
case("max_pool2d_indices", "nn.MaxPool2d(2, {return_indices = true})", nn.MaxPool2d(2, return_indices=True), [R(2, 3, 6, 7)])
case("avg_pool2d", "nn.AvgPool2d(3, 2, 1)", nn.AvgPool2d(3, 2, 1), [R(2, 3, 6, 7)])
case("avg_pool2d_exclude", "nn.AvgPool2d(3, 2, 1, {ceil_mode = true, count_include_pad = false})", nn.AvgPool2d(3, 2, 1, ceil_mode=True, count_include_pad=False), [R(2, 3, 6, 7)])
case("adaptive_avg_pool2d", "nn.AdaptiveAvgPool2d({4, 3})", nn.AdaptiveAvgPool2d((4, 3)), [R(2, 3, 6, 7)])
case("adaptive_avg_pool2d_1", "nn.AdaptiveAvgPool2d(1)", nn.AdaptiveAvgPool2d(1), [R(2, 3, 6, 7)])
case("adaptive_avg_pool2d_even", "nn.AdaptiveAvgPool2d({3, 2})", nn.AdaptiveAvgPool2d((3, 2)), [R(2, 3, 6, 4)])
case("adaptive_max_pool2d", "nn.AdaptiveMaxPool2d({4, 3}, {return_indices = true})", nn.AdaptiveMaxPool2d((4, 3), return_indices=True), [R(2, 3, 6, 7)])
for mode in ("train", "eval"):
    case(f"batch_norm1d_{mode}", "nn.BatchNorm1d(4)", nn.BatchNorm1d(4), [R(6, 4)], mode=mode)
    case(f"batch_norm1d_3d_{mode}", "nn.BatchNorm1d(4, {momentum = 0.3, eps = 0.01})", nn.BatchNorm1d(4, momentum=0.3, eps=0.01), [R(3, 4, 5)], mode=mode)
    case(f"batch_norm2d_{mode}", "nn.BatchNorm2d(3)", nn.BatchNorm2d(3), [R(2, 3, 4, 5)], mode=mode)
    case(f"batch_norm2d_cumulative_{mode}", "nn.BatchNorm2d(3, {momentum = false})", nn.BatchNorm2d(3, momentum=None), [R(2, 3, 4, 5)], mode=mode)
    case(f"instance_norm2d_{mode}", "nn.InstanceNorm2d(3, {affine = true, track_running_stats = true})", nn.InstanceNorm2d(3, affine=True, track_running_stats=True), [R(2, 3, 4, 5)], mode=mode)
case("batch_norm2d_plain", "nn.BatchNorm2d(3, {affine = false, track_running_stats = false})", nn.BatchNorm2d(3, affine=False, track_running_stats=False), [R(2, 3, 4, 5)], mode="eval")
case("instance_norm2d", "nn.InstanceNorm2d(3)", nn.InstanceNorm2d(3), [R(2, 3, 4, 5)])
case("layer_norm", "nn.LayerNorm(5)", nn.LayerNorm(5), [R(2, 3, 5)])
case("layer_norm_2d", "nn.LayerNorm({3, 5}, {eps = 0.01})", nn.LayerNorm((3, 5), eps=0.01), [R(2, 3, 5)])
case("layer_norm_plain", "nn.LayerNorm(5, {elementwise_affine = false})", nn.LayerNorm(5, elementwise_affine=False), [R(4, 5)])
case("layer_norm_nobias", "nn.LayerNorm(5, {bias = false})", nn.LayerNorm(5, bias=False), [R(4, 5)])
case("group_norm", "nn.GroupNorm(2, 4)", nn.GroupNorm(2, 4), [R(3, 4, 2, 3)])
case("group_norm_plain", "nn.GroupNorm(4, 4, {affine = false})", nn.GroupNorm(4, 4, affine=False), [R(3, 4, 5)])
case("rms_norm", "nn.RMSNorm(5, {eps = 0.01})", nn.RMSNorm(5, eps=0.01), [R(2, 3, 5)])
case("rms_norm_plain", "nn.RMSNorm({3, 5}, {eps = 1e-6, elementwise_affine = false})", nn.RMSNorm((3, 5), eps=1e-6, elementwise_affine=False), [R(2, 3, 5)])
case("dropout_eval", "nn.Dropout(0.5)", nn.Dropout(0.5), [R(3, 4)], mode="eval")
case("dropout2d_eval", "nn.Dropout2d(0.5)", nn.Dropout2d(0.5), [R(2, 3, 2, 2)], mode="eval")
case("upsample", "nn.Upsample({scale_factor = 2})", nn.Upsample(scale_factor=2), [R(2, 2, 3, 4)])
case("upsample_size", "nn.Upsample({size = {5, 7}})", nn.Upsample(size=(5, 7)), [R(2, 2, 3, 4)])
case("upsample_down", "nn.Upsample({scale_factor = {0.6, 1.7}})", nn.Upsample(scale_factor=(0.6, 1.7)), [R(2, 2, 5, 4)])
case("upsample_bilinear", "nn.Upsample({scale_factor = 2, mode = \"bilinear\"})", nn.Upsample(scale_factor=2, mode="bilinear"), [R(2, 2, 3, 4)])
case("upsample_bilinear_align", "nn.Upsample({size = {7, 3}, mode = \"bilinear\", align_corners = true})", nn.Upsample(size=(7, 3), mode="bilinear", align_corners=True), [R(2, 2, 3, 4)])
case("upsample_bilinear_factor", "nn.Upsample({scale_factor = 1.7, mode = \"bilinear\"})", nn.Upsample(scale_factor=1.7, mode="bilinear"), [R(1, 2, 5, 4)])
case("upsample_bilinear_recompute", "nn.Upsample({scale_factor = 1.7, mode = \"bilinear\", recompute_scale_factor = true})", nn.Upsample(scale_factor=1.7, mode="bilinear", recompute_scale_factor=True), [R(1, 2, 5, 4)])
case("upsample_linear", "nn.Upsample({size = 7, mode = \"linear\"})", nn.Upsample(size=7, mode="linear"), [R(2, 2, 4)])
case("upsample_nearest_1d", "nn.Upsample({size = 7})", nn.Upsample(size=7), [R(2, 2, 4)])
case("pixel_shuffle", "nn.PixelShuffle(2)", nn.PixelShuffle(2), [R(2, 8, 2, 3)])
case("zero_pad2d", "nn.ZeroPad2d({1, 2, 0, 3})", nn.ZeroPad2d((1, 2, 0, 3)), [R(1, 2, 3, 2)])
case("zero_pad2d_all", "nn.ZeroPad2d(1)", nn.ZeroPad2d(1), [R(1, 2, 3, 2)])
case("sequential", "nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 2))", nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 2)), [R(3, 4)])

# Activations
for name, lua, module in [
    ("relu", "nn.ReLU()", nn.ReLU()), ("leaky_relu", "nn.LeakyReLU()", nn.LeakyReLU()),
    ("leaky_relu_2", "nn.LeakyReLU(0.2)", nn.LeakyReLU(0.2)), ("elu", "nn.ELU()", nn.ELU()), ("elu_2", "nn.ELU(0.7)", nn.ELU(0.7)),
    ("gelu", "nn.GELU()", nn.GELU()), ("gelu_tanh", "nn.GELU({approximate = \"tanh\"})", nn.GELU(approximate="tanh")),
    ("silu", "nn.SiLU()", nn.SiLU()), ("tanh", "nn.Tanh()", nn.Tanh()), ("sigmoid", "nn.Sigmoid()", nn.Sigmoid()),
    ("softplus", "nn.Softplus()", nn.Softplus()), ("softplus_2", "nn.Softplus(3, 2)", nn.Softplus(3, 2)),
    ("hardtanh", "nn.Hardtanh()", nn.Hardtanh()), ("hardtanh_2", "nn.Hardtanh(-0.4, 0.7)", nn.Hardtanh(-0.4, 0.7)),
    ("softmax", "nn.Softmax(1)", nn.Softmax(1)), ("log_softmax", "nn.LogSoftmax(0)", nn.LogSoftmax(0)),
    ("prelu", "nn.PReLU()", nn.PReLU()), ("prelu_4", "nn.PReLU(4)", nn.PReLU(4)),
]:
    case("act_" + name, lua, module, [R(5, 4)])

# Losses
for red in ("mean", "sum", "none"):
    k = f'{{reduction = "{red}"}}'
    case(f"mse_{red}", f"nn.MSELoss({k})", nn.MSELoss(reduction=red), [R(3, 4), R(3, 4)])
    case(f"l1_{red}", f"nn.L1Loss({k})", nn.L1Loss(reduction=red), [R(3, 4), R(3, 4)])
    case(f"smooth_l1_{red}", f"nn.SmoothL1Loss({k})", nn.SmoothL1Loss(reduction=red), [R(3, 4), R(3, 4)])
    case(f"huber_{red}", f"nn.HuberLoss({k})", nn.HuberLoss(reduction=red), [R(3, 4), R(3, 4)])
    case(f"bce_{red}", f"nn.BCELoss({k})", nn.BCELoss(reduction=red), [U(3, 4), U(3, 4)])
    case(f"bce_logits_{red}", f"nn.BCEWithLogitsLoss({k})", nn.BCEWithLogitsLoss(reduction=red), [R(3, 4), U(3, 4)])
    case(f"kl_{red}", f"nn.KLDivLoss({k})", nn.KLDivLoss(reduction=red), [R(3, 4), U(3, 4)])
    case(f"cross_entropy_{red}", f"nn.CrossEntropyLoss({k})", nn.CrossEntropyLoss(reduction=red), [R(5, 4), I(4, 5)])
    case(f"nll_{red}", f"nn.NLLLoss({k})", nn.NLLLoss(reduction=red), [R(5, 4), I(4, 5)])
    case(f"cosine_embedding_{red}", f"nn.CosineEmbeddingLoss({{margin = -0.3, reduction = \"{red}\"}})", nn.CosineEmbeddingLoss(margin=-0.3, reduction=red), [R(4, 3), R(4, 3), lambda: torch.tensor([1, -1, -1, 1])])
    case(f"triplet_{red}", f"nn.TripletMarginLoss({{margin = 2, reduction = \"{red}\"}})", nn.TripletMarginLoss(margin=2, reduction=red), [R(4, 3), R(4, 3), R(4, 3)])
case("smooth_l1_beta", "nn.SmoothL1Loss({beta = 0.3})", nn.SmoothL1Loss(beta=0.3), [R(3, 4), R(3, 4)])
case("smooth_l1_zero", "nn.SmoothL1Loss({beta = 0})", nn.SmoothL1Loss(beta=0.0), [R(3, 4), R(3, 4)])
case("huber_delta", "nn.HuberLoss({delta = 0.3})", nn.HuberLoss(delta=0.3), [R(3, 4), R(3, 4)])
case("kl_batchmean", "nn.KLDivLoss({reduction = \"batchmean\"})", nn.KLDivLoss(reduction="batchmean"), [R(3, 4), U(3, 4)])
case("kl_log", "nn.KLDivLoss({reduction = \"sum\", log_target = true})", nn.KLDivLoss(reduction="sum", log_target=True), [R(3, 4), R(3, 4)])
case("kl_zero_target", "nn.KLDivLoss()", nn.KLDivLoss(), [R(2, 3), lambda: torch.tensor([[0.0, 0.5, 0.5], [1.0, 0.0, 0.0]])], call=lambda m, x, y: m(x, y.detach()), lua_call="(function(x, y) return net(x, y:detach()) end)(...)")
case("bce_extreme", "nn.BCELoss()", nn.BCELoss(), [lambda: torch.tensor([0.0, 1.0, 0.3, 1.0]), lambda: torch.tensor([1.0, 0.0, 0.5, 1.0])], call=lambda m, x, y: m(x, y.detach()), lua_call="(function(x, y) return net(x, y:detach()) end)(...)")
case("triplet_swap", "nn.TripletMarginLoss({p = 1, swap = true, margin = 3})", nn.TripletMarginLoss(p=1, swap=True, margin=3.0), [R(4, 3), R(4, 3), R(4, 3)])
case("cross_entropy_smooth", "nn.CrossEntropyLoss({label_smoothing = 0.1})", nn.CrossEntropyLoss(label_smoothing=0.1), [R(5, 4), I(4, 5)])
case("cross_entropy_ignore", "nn.CrossEntropyLoss({ignore_index = 1})", nn.CrossEntropyLoss(ignore_index=1), [R(5, 4), lambda: torch.tensor([0, 1, 2, 3, 1])])
case("cross_entropy_2d", "nn.CrossEntropyLoss()", nn.CrossEntropyLoss(), [R(2, 4, 3), I(4, 2, 3)])
case("cross_entropy_probabilities", "nn.CrossEntropyLoss({label_smoothing = 0.2})", nn.CrossEntropyLoss(label_smoothing=0.2), [R(5, 4), U(5, 4)], call=lambda m, x, y: m(x, y.detach()), lua_call="(function(x, y) return net(x, y:detach()) end)(...)")
fn = "(function(x, y, w) return F.%s end)(...)"
case("cross_entropy_weight", fn % "cross_entropy(x, y, w:detach(), {label_smoothing = 0.1})", lambda x, y, w: F.cross_entropy(x, y, w.detach(), label_smoothing=0.1), [R(5, 4), I(4, 5), U(4)])
case("nll_weight", fn % "nll_loss(x, y, w:detach())", lambda x, y, w: F.nll_loss(x, y, w.detach()), [R(5, 4), I(4, 5), U(4)])
case("bce_logits_weights", fn % "binary_cross_entropy_with_logits(x, y, nil, {pos_weight = w:detach()})", lambda x, y, w: F.binary_cross_entropy_with_logits(x, y, pos_weight=w.detach()), [R(3, 4), U(3, 4), U(4)])
case("bce_weight", fn % "binary_cross_entropy(x, y, w:detach(), \"sum\")", lambda x, y, w: F.binary_cross_entropy(x, y, w.detach(), reduction="sum"), [U(3, 4), U(3, 4), U(3, 4)])
case("mse_weight", fn % "mse_loss(x, y, {weight = w:detach()})", lambda x, y, w: F.mse_loss(x, y, weight=w.detach()), [R(3, 4), R(3, 4), U(3, 4)])
case("huber_weight", fn % "huber_loss(x, y, {weight = w:detach()})", lambda x, y, w: F.huber_loss(x, y, weight=w.detach()), [R(3, 4), R(3, 4), U(3, 4)])

# Functions without a module
case("normalize", fn % "normalize(x)", lambda x: F.normalize(x), [R(3, 4)])
case("normalize_p1", fn % "normalize(x, 1, 0)", lambda x: F.normalize(x, 1, 0), [R(3, 4)])
case("cosine_similarity", fn % "cosine_similarity(x, y)", lambda x, y: F.cosine_similarity(x, y), [R(3, 4), R(3, 4)])
case("cosine_similarity_dim", fn % "cosine_similarity(x, y, {dim = 0})", lambda x, y: F.cosine_similarity(x, y, dim=0), [R(3, 4), R(3, 1)])
case("one_hot", fn % "one_hot(x, 5)", lambda x: F.one_hot(x, 5), [I(5, 3, 2)])
case("pad", fn % "pad(x, {1, 0, 2, 1}, \"constant\", 0.5)", lambda x: F.pad(x, (1, 0, 2, 1), value=0.5), [R(2, 3)])
sdpa = F.scaled_dot_product_attention
case("attention", fn % "scaled_dot_product_attention(x, y, w)", lambda q, k, v: sdpa(q, k, v), [R(2, 3, 4), R(2, 5, 4), R(2, 5, 3)])
case("attention_causal", fn % "scaled_dot_product_attention(x, y, w, {is_causal = true})", lambda q, k, v: sdpa(q, k, v, is_causal=True), [R(2, 3, 4), R(2, 5, 4), R(2, 5, 3)])
case("attention_scale", fn % "scaled_dot_product_attention(x, y, w, {scale = 0.3})", lambda q, k, v: sdpa(q, k, v, scale=0.3), [R(3, 4), R(5, 4), R(5, 3)])
mask = torch.tensor([[True, False, True], [False, False, False], [True, True, True]])
case("attention_mask", "(function(q, k, v) return F.scaled_dot_product_attention(q, k, v, tensor{{true, false, true}, {false, false, false}, {true, true, true}}) end)(...)", lambda q, k, v: sdpa(q, k, v, mask), [R(3, 4), R(3, 4), R(3, 2)])
case("attention_summand", "(function(q, k, v, m) return F.scaled_dot_product_attention(q, k, v, m) end)(...)", lambda q, k, v, m: sdpa(q, k, v, m), [R(2, 3, 4), R(2, 3, 4), R(2, 3, 2), R(3, 3)])
case("attention_groups", fn % "scaled_dot_product_attention(x, y, w, {enable_gqa = true})", lambda q, k, v: sdpa(q, k, v, enable_gqa=True), [R(2, 4, 3, 4), R(2, 2, 3, 4), R(2, 2, 3, 4)])

# Recurrent layers and attention
for kind in ("RNN", "GRU", "LSTM"):
    make = getattr(nn, kind)
    case(f"{kind}", f"nn.{kind}(3, 4)", make(3, 4), [R(5, 2, 3)])
    case(f"{kind}_more", f"nn.{kind}(3, 4, 2, {{bidirectional = true, batch_first = true}})", make(3, 4, 2, bidirectional=True, batch_first=True), [R(2, 5, 3)])
    case(f"{kind}_nobias", f"nn.{kind}(3, 4, {{bias = false}})", make(3, 4, bias=False), [R(5, 2, 3)])
    case(f"{kind}_unbatched", f"nn.{kind}(3, 4)", make(3, 4), [R(5, 3)])
    if kind == "LSTM":
        case("LSTM_state", "nn.LSTM(3, 4, {bidirectional = true})", make(3, 4, bidirectional=True), [R(5, 2, 3), R(2, 2, 4), R(2, 2, 4)], call=lambda m, x, h, c: m(x, (h, c)), lua_call="(function(x, h, c) return net(x, {h, c}) end)(...)")
    else:
        case(f"{kind}_state", f"nn.{kind}(3, 4, 2)", make(3, 4, 2), [R(5, 2, 3), R(2, 2, 4)])
case("RNN_relu", "nn.RNN(3, 4, {nonlinearity = \"relu\"})", nn.RNN(3, 4, nonlinearity="relu"), [R(5, 2, 3)])
case("LSTM_cell_only", "nn.LSTM(3, 4)", nn.LSTM(3, 4), [R(5, 2, 3)], call=lambda m, x: m(x)[1][1], lua_call="(function(x) local _, s = net(x) return s[2] end)(...)")
case("mha", "nn.MultiheadAttention(8, 2)", nn.MultiheadAttention(8, 2), [R(3, 2, 8), R(5, 2, 8), R(5, 2, 8)])
case("mha_self", "nn.MultiheadAttention(8, 2, {batch_first = true})", nn.MultiheadAttention(8, 2, batch_first=True), [R(2, 3, 8)], call=lambda m, x: m(x, x, x), lua_call="(function(x) return net(x, x, x) end)(...)")
case("mha_dims", "nn.MultiheadAttention(8, 4, {kdim = 3, vdim = 5, add_bias_kv = true})", nn.MultiheadAttention(8, 4, kdim=3, vdim=5, add_bias_kv=True), [R(3, 2, 8), R(4, 2, 3), R(4, 2, 5)])
case("mha_masks", "nn.MultiheadAttention(8, 2, {add_zero_attn = true})", nn.MultiheadAttention(8, 2, add_zero_attn=True), [R(3, 2, 8), R(3, 2, 8), R(3, 2, 8)],
     call=lambda m, q, k, v: m(q, k, v, key_padding_mask=torch.tensor([[False, False, True], [False, False, False]]), attn_mask=torch.triu(torch.ones(3, 3, dtype=torch.bool), 1), average_attn_weights=False),
     lua_call="(function(q, k, v) return net(q, k, v, {key_padding_mask = tensor{{false, false, true}, {false, false, false}}, attn_mask = tensor{{false, true, true}, {false, false, true}, {false, false, false}}, average_attn_weights = false}) end)(...)")
case("mha_unbatched", "nn.MultiheadAttention(8, 2, {bias = false})", nn.MultiheadAttention(8, 2, bias=False), [R(3, 8), R(5, 8), R(5, 8)], call=lambda m, q, k, v: m(q, k, v, need_weights=False)[0], lua_call="(function(q, k, v) return (net(q, k, v, {need_weights = false})) end)(...)")
case("encoder_layer", "nn.TransformerEncoderLayer(8, 2, 12, 0)", nn.TransformerEncoderLayer(8, 2, 12, 0.0), [R(3, 2, 8)])
case("encoder_layer_more", "nn.TransformerEncoderLayer(8, 2, 12, 0, {activation = \"gelu\", batch_first = true, norm_first = true})", nn.TransformerEncoderLayer(8, 2, 12, 0.0, activation="gelu", batch_first=True, norm_first=True), [R(2, 3, 8)],
     call=lambda m, x: m(x, src_mask=torch.triu(torch.ones(3, 3, dtype=torch.bool), 1)), lua_call="(function(x) return net(x, {src_mask = tensor{{false, true, true}, {false, false, true}, {false, false, false}}}) end)(...)")

# Arguments that the cases above leave at their defaults
case("linear_empty", "nn.Linear(4, 3)", nn.Linear(4, 3), [R(0, 4)])
case("bilinear_nobias_3d", "nn.Bilinear(3, 4, 2, false)", nn.Bilinear(3, 4, 2, bias=False), [R(2, 5, 3), R(2, 5, 4)])
case("flatten_negative", "nn.Flatten(-3, -2)", nn.Flatten(-3, -2), [R(2, 3, 4, 5)])
case("unflatten_guess", "nn.Unflatten(-1, {2, -1})", nn.Unflatten(-1, (2, -1)), [R(2, 6)])
case("embedding_negative_padding", "nn.Embedding(6, 3, {padding_idx = -1})", nn.Embedding(6, 3, padding_idx=-1), [lambda: torch.tensor([[5, 0, 2], [5, 1, 1]])])
case("embedding_norm_1", "nn.Embedding(6, 3, {max_norm = 0.5, norm_type = 1})", nn.Embedding(6, 3, max_norm=0.5, norm_type=1.0), [lambda: torch.tensor([1, 1, 4])])
case("conv2d_1x1_stride", "nn.Conv2d(3, 2, 1, {stride = 2, bias = false})", nn.Conv2d(3, 2, 1, stride=2, bias=False), [R(2, 3, 5, 6)])
case("conv2d_valid", "nn.Conv2d(2, 3, {2, 3}, {padding = \"valid\"})", nn.Conv2d(2, 3, (2, 3), padding="valid"), [R(2, 2, 5, 6)])
case("conv2d_unbatched", "nn.Conv2d(2, 3, 3)", nn.Conv2d(2, 3, 3), [R(2, 6, 5)])
case("conv2d_same_dilated", "nn.Conv2d(2, 3, 3, {padding = \"same\", dilation = {2, 1}})", nn.Conv2d(2, 3, 3, padding="same", dilation=(2, 1)), [R(1, 2, 6, 7)])
case("conv_transpose2d_nobias", "nn.ConvTranspose2d(2, 3, {2, 3}, {stride = {2, 3}, padding = {1, 0}, bias = false})", nn.ConvTranspose2d(2, 3, (2, 3), stride=(2, 3), padding=(1, 0), bias=False), [R(2, 2, 4, 5)])
case("conv_transpose2d_unbatched", "nn.ConvTranspose2d(2, 3, 3)", nn.ConvTranspose2d(2, 3, 3), [R(2, 4, 5)])
case("max_pool1d_ceil", "nn.MaxPool1d(3, {stride = 2, dilation = 2, ceil_mode = true})", nn.MaxPool1d(3, stride=2, dilation=2, ceil_mode=True), [R(2, 3, 10)])
case("max_pool2d_unbatched", "nn.MaxPool2d(2)", nn.MaxPool2d(2), [R(3, 6, 7)])
case("max_pool2d_overlap", "nn.MaxPool2d(3, {stride = 1, padding = 1})", nn.MaxPool2d(3, stride=1, padding=1), [R(2, 3, 6, 7)])
case("avg_pool2d_rectangle", "nn.AvgPool2d({2, 3}, {stride = {1, 2}})", nn.AvgPool2d((2, 3), stride=(1, 2)), [R(2, 3, 6, 7)])
case("avg_pool2d_ceil", "nn.AvgPool2d(3, {stride = 2, ceil_mode = true})", nn.AvgPool2d(3, stride=2, ceil_mode=True), [R(2, 3, 6, 8)])
case("avg_pool2d_unbatched", "nn.AvgPool2d(2)", nn.AvgPool2d(2), [R(3, 6, 7)])
case("adaptive_avg_pool2d_larger", "nn.AdaptiveAvgPool2d({5, 2})", nn.AdaptiveAvgPool2d((5, 2)), [R(2, 3, 3, 7)])
case("adaptive_max_pool2d_1", "nn.AdaptiveMaxPool2d(1)", nn.AdaptiveMaxPool2d(1), [R(2, 3, 6, 7)])
for mode in ("train", "eval"):
    case(f"batch_norm2d_bare_{mode}", "nn.BatchNorm2d(3, {affine = false})", nn.BatchNorm2d(3, affine=False), [R(2, 3, 4, 5)], mode=mode)
    case(f"instance_norm2d_tracking_{mode}", "nn.InstanceNorm2d(3, {track_running_stats = true, momentum = 0.4, eps = 0.01})", nn.InstanceNorm2d(3, track_running_stats=True, momentum=0.4, eps=0.01), [R(2, 3, 4, 5)], mode=mode)
case("instance_norm2d_unbatched", "nn.InstanceNorm2d(3, {affine = true})", nn.InstanceNorm2d(3, affine=True), [R(3, 4, 5)])
case("group_norm_instance", "nn.GroupNorm(4, 4, {eps = 0.1})", nn.GroupNorm(4, 4, eps=0.1), [R(3, 4, 5)])
case("group_norm_flat", "nn.GroupNorm(2, 6)", nn.GroupNorm(2, 6), [R(3, 6)])
case("rms_norm_default", "nn.RMSNorm({3, 5})", nn.RMSNorm((3, 5)), [R(2, 3, 5)])
case("pixel_shuffle_3d", "nn.PixelShuffle(3)", nn.PixelShuffle(3), [R(9, 2, 3)])
case("upsample_linear_align", "nn.Upsample({scale_factor = 2, mode = \"linear\", align_corners = true})", nn.Upsample(scale_factor=2, mode="linear", align_corners=True), [R(2, 2, 4)])
case("upsample_bilinear_down", "nn.Upsample({size = {2, 3}, mode = \"bilinear\"})", nn.Upsample(size=(2, 3), mode="bilinear"), [R(2, 2, 5, 7)])
case("softmax_negative", "nn.Softmax(-2)", nn.Softmax(-2), [R(3, 4, 5)])
case("prelu_channels_4d", "nn.PReLU(3, 0.1)", nn.PReLU(3, 0.1), [R(2, 3, 4, 5)])
for kind in ("RNN", "LSTM", "GRU"):
    make = getattr(nn, kind)
    case(f"{kind}_nobias_first", f"nn.{kind}(3, 4, {{bias = false, batch_first = true}})", make(3, 4, bias=False, batch_first=True), [R(2, 5, 3)])
    case(f"{kind}_deep", f"nn.{kind}(3, 4, {{num_layers = 3, bidirectional = true, batch_first = true}})", make(3, 4, num_layers=3, bidirectional=True, batch_first=True), [R(2, 4, 3)])
    case(f"{kind}_one_step", f"nn.{kind}(3, 4)", make(3, 4), [R(1, 1, 3)])
    case(f"{kind}_dropout_eval", f"nn.{kind}(3, 4, {{num_layers = 2, dropout = 0.5}})", make(3, 4, num_layers=2, dropout=0.5), [R(5, 2, 3)], mode="eval")
case("mha_causal", "nn.MultiheadAttention(8, 2, {batch_first = true})", nn.MultiheadAttention(8, 2, batch_first=True), [R(2, 4, 8)],
     call=lambda m, x: m(x, x, x, attn_mask=torch.triu(torch.ones(4, 4, dtype=torch.bool), 1), is_causal=True, need_weights=False)[0],
     lua_call="(function(x) return (net(x, x, x, {is_causal = true, need_weights = false})) end)(...)")
case("mha_float_mask", "nn.MultiheadAttention(8, 2)", nn.MultiheadAttention(8, 2), [R(3, 2, 8), R(4, 2, 8), R(4, 2, 8), R(3, 4)],
     call=lambda m, q, k, v, mask: m(q, k, v, attn_mask=mask.detach()), lua_call="(function(q, k, v, mask) return net(q, k, v, {attn_mask = mask:detach()}) end)(...)")
case("mha_head_masks", "nn.MultiheadAttention(8, 2, {batch_first = true})", nn.MultiheadAttention(8, 2, batch_first=True), [R(2, 3, 8), R(4, 3, 3)],
     call=lambda m, x, mask: m(x, x, x, attn_mask=mask.detach()), lua_call="(function(x, mask) return net(x, x, x, {attn_mask = mask:detach()}) end)(...)")
case("encoder_layer_padding", "nn.TransformerEncoderLayer(8, 2, {dim_feedforward = 12, dropout = 0, batch_first = true})", nn.TransformerEncoderLayer(8, 2, 12, 0.0, batch_first=True), [R(2, 3, 8)],
     call=lambda m, x: m(x, src_key_padding_mask=torch.tensor([[False, False, True], [False, False, False]])), lua_call="(function(x) return net(x, {src_key_padding_mask = tensor{{false, false, true}, {false, false, false}}}) end)(...)")
case("encoder_layer_nobias", "nn.TransformerEncoderLayer(8, 4, {dim_feedforward = 12, dropout = 0, bias = false, layer_norm_eps = 0.01})", nn.TransformerEncoderLayer(8, 4, 12, 0.0, bias=False, layer_norm_eps=0.01), [R(3, 2, 8)])
case("cross_entropy_all", fn % "cross_entropy(x, y, {weight = w:detach(), ignore_index = 2, label_smoothing = 0.3, reduction = \"sum\"})", lambda x, y, w: F.cross_entropy(x, y, weight=w.detach(), ignore_index=2, label_smoothing=0.3, reduction="sum"), [R(5, 4), lambda: torch.tensor([0, 2, 1, 3, 2]), U(4)])
case("cross_entropy_vector", fn % "cross_entropy(x, y)", lambda x, y: F.cross_entropy(x, y), [R(4), lambda: torch.tensor(2)])
case("nll_2d_ignore", fn % "nll_loss(x, y, {ignore_index = 0, reduction = \"none\"})", lambda x, y: F.nll_loss(x, y, ignore_index=0, reduction="none"), [R(2, 4, 3), I(4, 2, 3)])
case("bce_logits_all", fn % "binary_cross_entropy_with_logits(x, y, {weight = w:detach(), pos_weight = w:detach() * 2, reduction = \"sum\"})", lambda x, y, w: F.binary_cross_entropy_with_logits(x, y, weight=w.detach(), pos_weight=w.detach() * 2, reduction="sum"), [R(3, 4), U(3, 4), U(4)])
case("triplet_p3", "nn.TripletMarginLoss({p = 3, margin = 2, eps = 0.01})", nn.TripletMarginLoss(p=3.0, margin=2.0, eps=0.01), [R(4, 3), R(4, 3), R(4, 3)])
case("interpolate_functional", fn % "interpolate(x, {scale_factor = {2, 3}, mode = \"bilinear\", align_corners = true})", lambda x: F.interpolate(x, scale_factor=(2, 3), mode="bilinear", align_corners=True), [R(1, 2, 3, 4)])
case("batch_norm_functional", fn % "batch_norm(x, nil, nil, y, w, {training = true, eps = 0.1})", lambda x, y, w: F.batch_norm(x, None, None, y, w, training=True, eps=0.1), [R(4, 3, 2), R(3), R(3)])
case("layer_norm_functional", fn % "layer_norm(x, {3, 2}, {eps = 0.1})", lambda x: F.layer_norm(x, (3, 2), eps=0.1), [R(4, 3, 2)])
case("instance_norm_functional", fn % "instance_norm(x, {eps = 0.1})", lambda x: F.instance_norm(x, eps=0.1), [R(4, 3, 2, 5)])
case("embedding_functional", fn % "embedding(x, y, {padding_idx = 1})", lambda x, y: F.embedding(x, y, padding_idx=1), [I(4, 3, 2), R(4, 5)])
case("attention_gqa", fn % "scaled_dot_product_attention(x, y, w, {enable_gqa = true})", lambda q, k, v: F.scaled_dot_product_attention(q, k, v, enable_gqa=True), [R(2, 4, 3, 4), R(2, 2, 5, 4), R(2, 2, 5, 3)])

save_file({k: v.contiguous() for k, v in tensors.items()}, os.path.join(here, "layers.safetensors"), metadata={"cases": json.dumps(cases)})
print(len(cases), "layer cases")

# Optimisers: 50 steps on a smooth function of two tensors; kept after these steps.
kept = [1, 2, 3, 5, 10, 20, 30, 40, 50]
tensors, cases = {}, []
torch.manual_seed(1)
start_p, start_q, A, b = torch.randn(3, 4), torch.randn(5), torch.randn(4, 3), torch.randn(3, 3)
tensors["start/p"], tensors["start/q"], tensors["A"], tensors["b"] = start_p, start_q, A, b


def objective(p, q):
    return ((p @ A - b) ** 2).sum() * 0.1 + ((q - 1) ** 2 * (q + 0.5) ** 2).sum() * 0.3 + (p[0] * q[:4]).sum() * 0.05


def optimiser(name, lua, make, state=True):
    p, q = start_p.clone().requires_grad_(), start_q.clone().requires_grad_()
    opt = make([p, q])
    for step in range(1, 51):
        def closure():
            opt.zero_grad()
            loss = objective(p, q)
            loss.backward()
            return loss
        opt.step(closure)
        if step in kept:
            tensors[f"{name}/p/{step}"], tensors[f"{name}/q/{step}"] = p.detach().clone(), q.detach().clone()
    entry = opt.state_dict()["state"].get(0, {})
    keys = sorted(k for k, v in entry.items() if v is not None) if state else []
    for k in keys:
        v = entry[k]
        if torch.is_tensor(v) and v.dim() > 0:
            tensors[f"{name}/state/{k}"] = v.clone()
    cases.append({"name": name, "make": lua, "state": keys})


o = torch.optim
optimiser("sgd", "optim.SGD(ps, {lr = 0.05})", lambda ps: o.SGD(ps, lr=0.05))
optimiser("sgd_momentum", "optim.SGD(ps, {lr = 0.05, momentum = 0.9})", lambda ps: o.SGD(ps, lr=0.05, momentum=0.9))
optimiser("sgd_dampening", "optim.SGD(ps, {lr = 0.05, momentum = 0.9, dampening = 0.3, weight_decay = 0.01})", lambda ps: o.SGD(ps, lr=0.05, momentum=0.9, dampening=0.3, weight_decay=0.01))
optimiser("sgd_nesterov", "optim.SGD(ps, {lr = 0.05, momentum = 0.8, nesterov = true, weight_decay = 0.02})", lambda ps: o.SGD(ps, lr=0.05, momentum=0.8, nesterov=True, weight_decay=0.02))
optimiser("sgd_maximize", "optim.SGD(ps, {lr = 0.001, momentum = 0.5, maximize = true})", lambda ps: o.SGD(ps, lr=0.001, momentum=0.5, maximize=True))
optimiser("adam", "optim.Adam(ps, {lr = 0.05})", lambda ps: o.Adam(ps, lr=0.05))
optimiser("adam_decay", "optim.Adam(ps, {lr = 0.05, betas = {0.8, 0.99}, eps = 1e-5, weight_decay = 0.1})", lambda ps: o.Adam(ps, lr=0.05, betas=(0.8, 0.99), eps=1e-5, weight_decay=0.1))
optimiser("adam_amsgrad", "optim.Adam(ps, {lr = 0.05, amsgrad = true})", lambda ps: o.Adam(ps, lr=0.05, amsgrad=True))
optimiser("adam_maximize", "optim.Adam(ps, {lr = 0.001, maximize = true})", lambda ps: o.Adam(ps, lr=0.001, maximize=True))
optimiser("adamw", "optim.AdamW(ps, {lr = 0.05})", lambda ps: o.AdamW(ps, lr=0.05))
optimiser("adamw_amsgrad", "optim.AdamW(ps, {lr = 0.05, weight_decay = 0.2, amsgrad = true})", lambda ps: o.AdamW(ps, lr=0.05, weight_decay=0.2, amsgrad=True))
optimiser("rmsprop", "optim.RMSprop(ps)", lambda ps: o.RMSprop(ps))
optimiser("rmsprop_more", "optim.RMSprop(ps, {lr = 0.02, alpha = 0.9, eps = 1e-4, weight_decay = 0.05, momentum = 0.6, centered = true})", lambda ps: o.RMSprop(ps, lr=0.02, alpha=0.9, eps=1e-4, weight_decay=0.05, momentum=0.6, centered=True))
optimiser("adagrad", "optim.Adagrad(ps, {lr = 0.1})", lambda ps: o.Adagrad(ps, lr=0.1))
optimiser("adagrad_more", "optim.Adagrad(ps, {lr = 0.1, lr_decay = 0.05, weight_decay = 0.02, initial_accumulator_value = 0.3, eps = 1e-6})", lambda ps: o.Adagrad(ps, lr=0.1, lr_decay=0.05, weight_decay=0.02, initial_accumulator_value=0.3, eps=1e-6))
optimiser("adadelta", "optim.Adadelta(ps)", lambda ps: o.Adadelta(ps))
optimiser("adadelta_more", "optim.Adadelta(ps, {lr = 2, rho = 0.7, eps = 1e-4, weight_decay = 0.01, maximize = false})", lambda ps: o.Adadelta(ps, lr=2, rho=0.7, eps=1e-4, weight_decay=0.01))
optimiser("lbfgs", "optim.LBFGS(ps, {lr = 0.1, max_iter = 3, history_size = 5})", lambda ps: o.LBFGS(ps, lr=0.1, max_iter=3, history_size=5), state=False)
optimiser("lbfgs_wolfe", "optim.LBFGS(ps, {max_iter = 2, line_search_fn = \"strong_wolfe\"})", lambda ps: o.LBFGS(ps, max_iter=2, line_search_fn="strong_wolfe"), state=False)
optimiser("groups", "optim.SGD({{params = {ps[1]}, lr = 0.02}, {params = {ps[2]}, momentum = 0.7}}, {lr = 0.05, momentum = 0.2})", lambda ps: o.SGD([{"params": [ps[0]], "lr": 0.02}, {"params": [ps[1]], "momentum": 0.7}], lr=0.05, momentum=0.2))
optimiser("sgd_maximize_decay", "optim.SGD(ps, {lr = 0.001, maximize = true, weight_decay = 0.1, momentum = 0.4, dampening = 0.2})", lambda ps: o.SGD(ps, lr=0.001, maximize=True, weight_decay=0.1, momentum=0.4, dampening=0.2))
optimiser("adamw_maximize", "optim.AdamW(ps, {lr = 0.001, maximize = true, betas = {0.7, 0.9}})", lambda ps: o.AdamW(ps, lr=0.001, maximize=True, betas=(0.7, 0.9)))
optimiser("adamw_defaults", "optim.AdamW(ps)", lambda ps: o.AdamW(ps))
optimiser("adam_all", "optim.Adam(ps, {lr = 0.03, weight_decay = 0.05, amsgrad = true, eps = 1e-3})", lambda ps: o.Adam(ps, lr=0.03, weight_decay=0.05, amsgrad=True, eps=1e-3))
optimiser("rmsprop_momentum", "optim.RMSprop(ps, {lr = 0.01, momentum = 0.9})", lambda ps: o.RMSprop(ps, lr=0.01, momentum=0.9))
optimiser("rmsprop_centered_maximize", "optim.RMSprop(ps, {lr = 0.001, centered = true, maximize = true})", lambda ps: o.RMSprop(ps, lr=0.001, centered=True, maximize=True))
optimiser("adagrad_maximize", "optim.Adagrad(ps, {lr = 0.001, maximize = true})", lambda ps: o.Adagrad(ps, lr=0.001, maximize=True))
optimiser("adadelta_maximize", "optim.Adadelta(ps, {lr = 0.1, maximize = true})", lambda ps: o.Adadelta(ps, lr=0.1, maximize=True))
optimiser("lbfgs_defaults", "optim.LBFGS(ps, {lr = 0.001, max_iter = 3})", lambda ps: o.LBFGS(ps, lr=0.001, max_iter=3), state=False)
optimiser("lbfgs_limits", "optim.LBFGS(ps, {lr = 0.02, max_iter = 6, max_eval = 4, history_size = 2, tolerance_grad = 1e-3, tolerance_change = 1e-4})", lambda ps: o.LBFGS(ps, lr=0.02, max_iter=6, max_eval=4, history_size=2, tolerance_grad=1e-3, tolerance_change=1e-4), state=False)
optimiser("groups_adamw", "optim.AdamW({{params = {ps[1]}, weight_decay = 0}, {params = ps[2], betas = {0.5, 0.9}, eps = 1e-4}}, {lr = 0.02, weight_decay = 0.3})", lambda ps: o.AdamW([{"params": [ps[0]], "weight_decay": 0.0}, {"params": ps[1], "betas": (0.5, 0.9), "eps": 1e-4}], lr=0.02, weight_decay=0.3))
save_file(tensors, os.path.join(here, "optimizers.safetensors"), metadata={"cases": json.dumps(cases), "kept": json.dumps(kept)})
print(len(cases), "optimiser cases")

# Schedules: rates (and momentum) of two groups before each of 50 steps.
tensors, cases = {}, []


def schedule(name, lua, make, adam=False, metric=None):
    ps = [torch.zeros(2, requires_grad=True), torch.zeros(3, requires_grad=True)]
    groups = [{"params": [ps[0]]}, {"params": [ps[1]], "lr": 0.3}]
    opt = o.Adam(groups, lr=0.1) if adam else o.SGD(groups, lr=0.1, momentum=0.9)
    s = make(opt)
    rows, momenta = [], []
    for step in range(51):
        rows.append([g["lr"] for g in opt.param_groups])
        momenta.append([g["betas"][0] if adam else g["momentum"] for g in opt.param_groups])
        opt.step()
        if step < 50:
            s.step(*([metric(step)] if metric else []))
    tensors[f"{name}/lr"], tensors[f"{name}/momentum"] = torch.tensor(rows), torch.tensor(momenta)
    cases.append({"name": name, "make": lua, "adam": adam, "metric": metric is not None})


l = o.lr_scheduler
schedule("step", "S.StepLR(opt, 7, 0.5)", lambda opt: l.StepLR(opt, 7, 0.5))
schedule("multi_step", "S.MultiStepLR(opt, {5, 5, 20, 33}, {gamma = 0.3})", lambda opt: l.MultiStepLR(opt, [5, 5, 20, 33], gamma=0.3))
schedule("exponential", "S.ExponentialLR(opt, 0.93)", lambda opt: l.ExponentialLR(opt, 0.93))
schedule("cosine", "S.CosineAnnealingLR(opt, 20)", lambda opt: l.CosineAnnealingLR(opt, 20))
schedule("cosine_min", "S.CosineAnnealingLR(opt, {T_max = 13, eta_min = 0.01})", lambda opt: l.CosineAnnealingLR(opt, 13, eta_min=0.01))
schedule("restarts", "S.CosineAnnealingWarmRestarts(opt, 10)", lambda opt: l.CosineAnnealingWarmRestarts(opt, 10))
schedule("restarts_mult", "S.CosineAnnealingWarmRestarts(opt, 4, 2, 0.001)", lambda opt: l.CosineAnnealingWarmRestarts(opt, 4, 2, 0.001))
schedule("one_cycle", "S.OneCycleLR(opt, 0.5, 50)", lambda opt: l.OneCycleLR(opt, 0.5, 50))
schedule("one_cycle_adam", "S.OneCycleLR(opt, {max_lr = {0.5, 0.2}, epochs = 5, steps_per_epoch = 10})", lambda opt: l.OneCycleLR(opt, [0.5, 0.2], epochs=5, steps_per_epoch=10), adam=True)
schedule("one_cycle_linear", "S.OneCycleLR(opt, {max_lr = 0.5, total_steps = 60, pct_start = 0.4, anneal_strategy = \"linear\", div_factor = 10, final_div_factor = 100, three_phase = true})", lambda opt: l.OneCycleLR(opt, 0.5, 60, pct_start=0.4, anneal_strategy="linear", div_factor=10.0, final_div_factor=100.0, three_phase=True))
schedule("one_cycle_fixed", "S.OneCycleLR(opt, {max_lr = 0.5, total_steps = 50, cycle_momentum = false})", lambda opt: l.OneCycleLR(opt, 0.5, 50, cycle_momentum=False))
schedule("linear", "S.LinearLR(opt)", lambda opt: l.LinearLR(opt))
schedule("linear_more", "S.LinearLR(opt, {start_factor = 0.9, end_factor = 0.1, total_iters = 30})", lambda opt: l.LinearLR(opt, 0.9, 0.1, 30))
schedule("lambda", "S.LambdaLR(opt, function(e) return 0.95 ^ e end)", lambda opt: l.LambdaLR(opt, lambda e: 0.95 ** e))
schedule("lambda_list", "S.LambdaLR(opt, {function(e) return 1 / (e + 1) end, function(e) return e % 3 + 1 end})", lambda opt: l.LambdaLR(opt, [lambda e: 1 / (e + 1), lambda e: e % 3 + 1]))
schedule("sequential", "S.SequentialLR(opt, {S.LinearLR(opt, {start_factor = 0.1, total_iters = 5}), S.CosineAnnealingLR(opt, 20), S.ExponentialLR(opt, 0.9)}, {6, 30})",
         lambda opt: l.SequentialLR(opt, [l.LinearLR(opt, 0.1, total_iters=5), l.CosineAnnealingLR(opt, 20), l.ExponentialLR(opt, 0.9)], [6, 30]))
schedule("sequential_lambda", "S.SequentialLR(opt, {S.LambdaLR(opt, function(e) return e / 10 end), S.StepLR(opt, 5, 0.5)}, {10})",
         lambda opt: l.SequentialLR(opt, [l.LambdaLR(opt, lambda e: e / 10), l.StepLR(opt, 5, 0.5)], [10]))
wave = lambda step: 2.0 / (step + 1) + (0.3 if step % 7 == 3 else 0.0) if step < 20 else 0.5
schedule("plateau", "S.ReduceLROnPlateau(opt, {patience = 3, factor = 0.5})", lambda opt: l.ReduceLROnPlateau(opt, patience=3, factor=0.5), metric=wave)
schedule("plateau_max", "S.ReduceLROnPlateau(opt, {mode = \"max\", patience = 2, factor = 0.3, threshold = 0.01, threshold_mode = \"abs\", cooldown = 4, min_lr = {0.001, 0.01}})",
         lambda opt: l.ReduceLROnPlateau(opt, mode="max", patience=2, factor=0.3, threshold=0.01, threshold_mode="abs", cooldown=4, min_lr=[0.001, 0.01]), metric=wave)
# Two schedules at once act on the same rates.
class Both:
    def __init__(self, *all): self.all = all
    def step(self): [s.step() for s in self.all]
# Epochs may be fractions: a step in the middle of one.
class Fraction:
    def __init__(self, s): self.s, self.n = s, 0
    def step(self): self.n += 1; self.s.step(self.n / 3)
schedule("chained", "(function(a, b) return {step = function() a:step() b:step() end} end)(S.ExponentialLR(opt, 0.95), S.StepLR(opt, 10, 0.5))",
         lambda opt: Both(l.ExponentialLR(opt, 0.95), l.StepLR(opt, 10, 0.5)))
schedule("step_one", "S.StepLR(opt, {step_size = 1, gamma = 0.9})", lambda opt: l.StepLR(opt, step_size=1, gamma=0.9))
schedule("step_default", "S.StepLR(opt, 20)", lambda opt: l.StepLR(opt, 20))
schedule("multi_step_unsorted", "S.MultiStepLR(opt, {30, 10, 0})", lambda opt: l.MultiStepLR(opt, [30, 10, 0]))
schedule("restarts_fraction", "(function(s) local n = 0 return {step = function() n = n + 1 s:step(n / 3) end} end)(S.CosineAnnealingWarmRestarts(opt, {T_0 = 5, T_mult = 2, eta_min = 0.02}))",
         lambda opt: Fraction(l.CosineAnnealingWarmRestarts(opt, T_0=5, T_mult=2, eta_min=0.02)))
schedule("one_cycle_momenta", "S.OneCycleLR(opt, {max_lr = {0.5, 0.1}, total_steps = 50, base_momentum = {0.7, 0.6}, max_momentum = {0.9, 0.8}, pct_start = 0.2})",
         lambda opt: l.OneCycleLR(opt, max_lr=[0.5, 0.1], total_steps=50, base_momentum=[0.7, 0.6], max_momentum=[0.9, 0.8], pct_start=0.2))
schedule("one_cycle_phases", "S.OneCycleLR(opt, {max_lr = 0.3, epochs = 5, steps_per_epoch = 11, pct_start = 0.25, three_phase = true, div_factor = 4, final_div_factor = 1000})",
         lambda opt: l.OneCycleLR(opt, max_lr=0.3, epochs=5, steps_per_epoch=11, pct_start=0.25, three_phase=True, div_factor=4.0, final_div_factor=1000.0), adam=True)
schedule("one_cycle_linear_two", "S.OneCycleLR(opt, {max_lr = 0.3, total_steps = 50, anneal_strategy = \"linear\", base_momentum = 0.5})",
         lambda opt: l.OneCycleLR(opt, max_lr=0.3, total_steps=50, anneal_strategy="linear", base_momentum=0.5), adam=True)
schedule("sequential_cycle", "S.SequentialLR(opt, {S.LinearLR(opt, {start_factor = 0.2, end_factor = 0.9, total_iters = 8}), S.CosineAnnealingWarmRestarts(opt, 9, 2), S.MultiStepLR(opt, {3, 6})}, {milestones = {8, 40}})",
         lambda opt: l.SequentialLR(opt, [l.LinearLR(opt, 0.2, 0.9, total_iters=8), l.CosineAnnealingWarmRestarts(opt, 9, 2), l.MultiStepLR(opt, [3, 6])], milestones=[8, 40]))
schedule("cosine_beyond", "S.CosineAnnealingLR(opt, {T_max = 7, eta_min = 0.05})", lambda opt: l.CosineAnnealingLR(opt, T_max=7, eta_min=0.05))
schedule("plateau_default", "S.ReduceLROnPlateau(opt)", lambda opt: l.ReduceLROnPlateau(opt), metric=wave)
schedule("plateau_eps", "S.ReduceLROnPlateau(opt, {patience = 0, factor = 0.2, eps = 1e-3, min_lr = 0.0005, threshold = 0.2, threshold_mode = \"rel\"})",
         lambda opt: l.ReduceLROnPlateau(opt, patience=0, factor=0.2, eps=1e-3, min_lr=0.0005, threshold=0.2, threshold_mode="rel"), metric=wave)
schedule("plateau_max_rel", "S.ReduceLROnPlateau(opt, {mode = \"max\", patience = 1, cooldown = 2, factor = 0.7})",
         lambda opt: l.ReduceLROnPlateau(opt, mode="max", patience=1, cooldown=2, factor=0.7), metric=wave, adam=True)
save_file(tensors, os.path.join(here, "schedules.safetensors"), metadata={"cases": json.dumps(cases)})
print(len(cases), "schedule cases")
