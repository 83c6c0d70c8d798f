"""Checks the host's files with the libraries whose formats they are: check.py HOST FOLDER, run from the project's root."""
import csv
import gzip
import os
import subprocess
import sys
import xml.etree.ElementTree

import numpy
import PIL.Image
import torch
import safetensors
from safetensors.torch import load_file, save_file

import check_onnx

here = os.path.dirname(os.path.abspath(__file__))
host, folder = sys.argv[1], sys.argv[2]


def path(name):
    return os.path.join(folder, name)


def run(script, *arguments, **environment):
    command = [host, script if os.path.sep in script else os.path.join(here, script), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "HOST_PROGRESS": "0", "WANDB_MODE": "disabled", **environment})
    assert done.returncode == 0, f"{script}: {done.stderr}"
    return done


def same(a, b):
    """Equal in type, shape and every bit, NaN included."""
    a, b = numpy.asarray(a), numpy.asarray(b)
    assert a.dtype == b.dtype and a.shape == b.shape, f"{a.dtype} {a.shape}, expected {b.dtype} {b.shape}"
    assert numpy.ascontiguousarray(a).tobytes() == numpy.ascontiguousarray(b).tobytes(), f"{a} is not {b}"


f4 = numpy.float32
expected = {
    "float32": numpy.array([-1.5, 0, f4(1) / f4(3), 3.4e38, -1e-40, numpy.inf, -numpy.inf], dtype="f4"),
    "float64": numpy.array([-1.5, 0, 1 / 3, 1.7e308, 5e-324, numpy.inf]),
    "int64": numpy.array([-(2**63), -1, 0, 2**63 - 1]),
    "int32": numpy.array([-(2**31), -1, 0, 2**31 - 1], dtype="i4"),
    "uint8": numpy.array([0, 1, 255], dtype="u1"),
    "bool": numpy.array([True, False, True]),
    "scalar": numpy.array(2.5, dtype="f4"),
    "empty": numpy.zeros((0, 3), dtype="f4"),
    "strided": numpy.arange(12, dtype="f4").reshape(3, 4).T,
}


def safetensors_out():
    found = load_file(path("types.safetensors"))
    assert set(found) == set(expected), set(found)
    for name, value in expected.items():
        same(found[name].numpy(), value)
    with safetensors.safe_open(path("types.safetensors"), "pt") as f:
        assert f.metadata() == {"note": "grüße", "epoch": "3"}, f.metadata()
    return len(expected)


def safetensors_narrow():
    wide = load_file(path("wide.safetensors"))["x"]
    count = 0
    for name, dtype in [("half", torch.float16), ("bfloat", torch.bfloat16)]:
        found = load_file(path(name + ".safetensors"))
        assert found["x"].dtype == dtype and found["whole"].dtype == torch.int64
        exact = wide.to(dtype)
        ours, theirs = found["x"].view(torch.int16), exact.view(torch.int16)
        wrong = (ours != theirs) & ~(exact.isnan() & found["x"].isnan())
        assert not wrong.any(), f"{name}: {wide[wrong]} became {found['x'][wrong]}, expected {exact[wrong]}"
        count += len(wide)
    return count


def safetensors_in():
    tensors = {
        "f32": torch.tensor([1 / 3, -0.0, float("inf")]), "f64": torch.tensor([1 / 3, 5e-324], dtype=torch.float64),
        "i64": torch.tensor([-(2**63), 2**63 - 1]), "i32": torch.tensor([-(2**31)], dtype=torch.int32),
        "u8": torch.tensor([0, 255], dtype=torch.uint8), "bool": torch.tensor([True, False]),
        "f16": torch.tensor([65504.0, 6e-8, 1 / 3, float("inf")], dtype=torch.float16),
        "bf16": torch.tensor([3.4e38, 1e-40, 1 / 3, float("-inf")], dtype=torch.bfloat16),
        "i16": torch.tensor([-32768, 32767], dtype=torch.int16), "i8": torch.tensor([-128, 127], dtype=torch.int8),
        "scalar": torch.tensor(2.5), "empty": torch.zeros(2, 0, 3), "ünï/code": torch.ones(2, 2),
    }
    save_file(tensors, path("torch.safetensors"), metadata={"format": "pt", "text": 'quo"te\n'})
    # Types that we do not have come as the next that holds them.
    wider = {"f16": torch.float32, "bf16": torch.float32, "i16": torch.int32, "i8": torch.int32}

    def verify():
        found = load_file(path("torch_back.safetensors"))
        assert set(found) == set(tensors)
        for name, value in tensors.items():
            same(found[name].numpy(), value.to(wider.get(name, value.dtype)).numpy())
        with safetensors.safe_open(path("torch_back.safetensors"), "pt") as f:
            assert f.metadata() == {"format": "pt", "text": 'quo"te\n'}, f.metadata()
        return len(tensors)

    return verify


def numpy_out():
    arrays = numpy.load(path("types.npz"))
    for name, value in expected.items():
        same(numpy.load(path(name + ".npy")), value)
        same(arrays[name], value)
    return 2 * len(expected)


def numpy_in():
    arrays = {k: v for k, v in expected.items()}
    arrays["big_endian"] = numpy.arange(6, dtype=">f8").reshape(2, 3)
    numpy.savez(path("numpy.npz"), **arrays)
    numpy.savez_compressed(path("numpy_deflated.npz"), **arrays)
    fortran = numpy.asfortranarray(numpy.random.default_rng(1).normal(size=(3, 4, 5)))
    numpy.save(path("fortran.npy"), fortran)

    def verify():
        for name in ["numpy_back.npz", "numpy_deflated_back.npz"]:
            back = numpy.load(path(name))
            assert set(back.files) == set(arrays)
            for key, value in arrays.items():
                same(back[key], value.astype(value.dtype.newbyteorder("=")))
        same(numpy.load(path("fortran_back.npy")), numpy.ascontiguousarray(fortran))
        return 2 * len(arrays) + 1

    return verify


def csv_in():
    rng = numpy.random.default_rng(2)
    rows = [{"whole": int(rng.integers(-(10**12), 10**12)), "part": float(rng.normal()), "hole": "" if i % 3 == 1 else i + 0.5,
             "name": f'quo"te, line\n{i}', "tiny": float(rng.normal()) * 1e-30} for i in range(50)]
    with open(path("table.csv"), "w", newline="") as f:
        writer = csv.DictWriter(f, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)

    def verify():
        back = numpy.load(path("csv_back.npz"))
        assert set(back.files) == {"whole", "part", "hole", "tiny"}, back.files
        same(back["whole"], numpy.array([r["whole"] for r in rows]))
        for key in ["part", "tiny", "hole"]:
            wanted = numpy.array([float("nan") if r[key] == "" else r[key] for r in rows], dtype="f4")
            numpy.testing.assert_array_equal(back[key], wanted)
        return len(rows)

    return verify


def images_in():
    rng = numpy.random.default_rng(3)
    pictures = {}
    for label, name in enumerate(["cats", "dogs"]):
        os.makedirs(path(f"images/{name}"))
        for i in range(3):
            pixels = rng.integers(0, 256, (10, 12, 3), dtype="u1")
            # Smooth, so that JPEG loses little.
            smooth = PIL.Image.fromarray(pixels[:3, :3]).resize((12, 10), PIL.Image.BILINEAR)
            kind = "jpg" if i == 2 else "png"
            smooth.save(path(f"images/{name}/{i}.{kind}"), **({"quality": 95, "subsampling": 0} if kind == "jpg" else {}))
            pictures[(label, i)] = numpy.asarray(PIL.Image.open(path(f"images/{name}/{i}.{kind}")).convert("RGB"))
    open(path("images/cats/broken.png"), "wb").write(b"\x89PNG\r\n\x1a\nno picture")

    def verify():
        back = numpy.load(path("images_back.npz"))
        for k, ((label, i), pixels) in enumerate(sorted(pictures.items())):
            found = back[f"image_{k}"]
            assert int(back[f"label_{k}"]) == label
            assert found.shape == (3, 10, 12), found.shape
            # Two JPEG decoders may round differently by one step.
            difference = numpy.abs(found * 255 - pixels.transpose(2, 0, 1)).max()
            assert difference < (1.01 if i == 2 else 0.01), f"{label}/{i}: off by {difference}"
        return len(pictures)

    return verify


def pictures_out():
    for name in ["picture.png", "line.png"]:
        with PIL.Image.open(path(name)) as picture:
            picture.load()
            assert picture.format == "PNG" and min(picture.size) > 27, (name, picture.size)
    shown = numpy.asarray(PIL.Image.open(path("picture.png")).convert("L"))
    # Every grey of the picture is there.
    missing = set(range(256)) - set(shown.flatten().tolist())
    assert len(missing) <= 3, f"greys that were lost: {sorted(missing)}"
    for name in ["picture.svg", "line.svg"]:
        root = xml.etree.ElementTree.parse(path(name)).getroot()
        assert root.tag == "{http://www.w3.org/2000/svg}svg", root.tag
    text = "".join(xml.etree.ElementTree.parse(path("line.svg")).getroot().itertext())
    assert "squares & <roots>" in text, text[:200]
    return 4


def modules_out():
    class Modules(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.attention = torch.nn.MultiheadAttention(8, 2)
            self.conv = torch.nn.Conv2d(1, 4, 3)
            self.embedding = torch.nn.Embedding(7, 3)
            self.layer = torch.nn.TransformerEncoderLayer(8, 2, dim_feedforward=16)
            self.linear = torch.nn.Linear(5, 2)
            self.lstm = torch.nn.LSTM(5, 6, num_layers=2, bidirectional=True)
            self.norm = torch.nn.BatchNorm2d(4)
            self.prelu = torch.nn.PReLU(4)

    missing = Modules().load_state_dict(load_file(path("modules.safetensors")), strict=True)
    assert not missing.missing_keys and not missing.unexpected_keys
    return len(load_file(path("modules.safetensors")))


def modules_in():
    torch.manual_seed(4)
    net = torch.nn.Sequential(
        torch.nn.Conv2d(1, 4, 3, padding=1), torch.nn.BatchNorm2d(4), torch.nn.ReLU(), torch.nn.MaxPool2d(2), torch.nn.Flatten(2),
        torch.nn.TransformerEncoderLayer(16, 2, dim_feedforward=24, batch_first=True))
    net(torch.randn(9, 1, 8, 8))  # running statistics
    net.eval()
    x = torch.randn(5, 1, 8, 8)
    save_file({k: v.contiguous() for k, v in net.state_dict().items()}, path("from_torch.safetensors"))
    save_file({"x": x}, path("inputs.safetensors"))
    run("modules.lua", folder)
    found = load_file(path("outputs.safetensors"))["y"]
    numpy.testing.assert_allclose(found, net(x).detach(), rtol=1e-4, atol=1e-5)
    return 5


def checkpoints():
    for part in ["whole", "first", "second"]:
        run("resume.lua", folder, part)
    whole, resumed = (open(path(name), "rb").read() for name in ["whole.safetensors", "second.safetensors"])
    assert whole == resumed, "a resumed run gives other weights"
    # A checkpoint is a safetensors file as well.
    with safetensors.safe_open(path("half.ckpt"), "pt") as f:
        names = list(f.keys())
    assert any("weight" in name for name in names), names
    return 20


def trained():
    count = 1000
    raw = gzip.open("data/mnist/t10k-images-idx3-ubyte.gz").read()[16:]
    images = numpy.frombuffer(raw, dtype="u1").reshape(-1, 1, 28, 28)
    x = torch.from_numpy((images.astype("f4") / 255 - f4(0.1307)) / f4(0.3081))
    nets = {
        "linear": torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(784, 10)),
        "cnn": torch.nn.Sequential(
            torch.nn.Conv2d(1, 8, 5), torch.nn.BatchNorm2d(8), torch.nn.ReLU(), torch.nn.MaxPool2d(2),
            torch.nn.Conv2d(8, 24, 5), torch.nn.BatchNorm2d(24), torch.nn.ReLU(), torch.nn.MaxPool2d(2),
            torch.nn.Flatten(), torch.nn.Linear(384, 64), torch.nn.BatchNorm1d(64), torch.nn.ReLU(), torch.nn.Linear(64, 10)),
    }
    for kind, net in nets.items():
        out = path(kind)
        run("scripts/train.lua", "--model", kind, "--epochs", "1", "--out", out)
        net.load_state_dict(load_file(os.path.join(out, "model.safetensors")))
        net.eval()
        with torch.no_grad():
            theirs = torch.cat([net(part) for part in x.split(1000)]).numpy()
        # The predictions that train.lua wrote: all of PyTorch's.
        with open(os.path.join(out, "predictions.csv")) as f:
            rows = list(csv.DictReader(f))
        column = next(name for name in rows[0] if "predict" in name)
        assert [int(r[column]) for r in rows] == theirs.argmax(1).tolist(), f"{kind}: other predictions"
        logits = path(kind + ".npy")
        run("trained.lua", os.path.join(out, "model.safetensors"), kind, str(count), logits, LUA_PATH="scripts/lib/?.lua;;")
        ours = numpy.load(logits)
        difference = numpy.abs(ours - theirs[:count]).max()
        # The linear model's logits reach 150: there float32 itself rounds sums of 784 terms by a part in a million.
        allowed = max(1e-4, 1e-6 * numpy.abs(ours).max())
        assert difference < allowed, f"{kind}: logits differ by {difference}, expected less than {allowed}"
        session = check_onnx.onnxruntime.InferenceSession(logits + ".onnx", providers=["CPUExecutionProvider"])
        by_onnx = numpy.abs(session.run(None, {"input": x[:count].numpy()})[0] - ours).max()
        assert by_onnx < allowed, f"{kind}: onnxruntime's logits differ by {by_onnx}"
        print(f"  {kind}: logits up to {numpy.abs(ours).max():.3g}, largest difference {difference:.2g} (PyTorch), {by_onnx:.2g} (onnxruntime)")
    return len(nets)


def onnx_out():
    os.makedirs(path("onnx"))
    run("onnx_cases.lua", path("onnx"))
    networks, runs, failures = check_onnx.check(path("onnx"))
    assert not failures, "\n  ".join([""] + failures)
    print(f"  ONNX: {networks} networks, {runs} runs at several batch sizes")
    return runs


def main():
    check_onnx.onnxruntime.set_default_logger_severity(3)
    # What Python writes first, then one run of the host over all of it.
    later = {}
    for check in [safetensors_in, numpy_in, csv_in, images_in]:
        later[check.__name__] = check()
    errors = run("read.lua", folder).stderr
    assert "broken.png" in errors, f"the unreadable picture was not reported: {errors}"
    run("write.lua", folder)
    later |= {c.__name__: c for c in [safetensors_out, safetensors_narrow, numpy_out, pictures_out, modules_out, modules_in, checkpoints, onnx_out, trained]}
    failed = 0
    for name, check in later.items():
        try:
            print(f"{name}: {check()} ok", flush=True)
        except Exception as error:
            failed += 1
            print(f"{name}: FAILED: {error}", flush=True)
    sys.exit(1 if failed else 0)


main()
