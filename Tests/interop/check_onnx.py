"""Runs what onnx_cases.lua wrote with onnxruntime, and compares with the host's own results."""
import glob
import os
import sys

import numpy
import onnx
import onnxruntime


def check(folder):
    failures, networks, runs = [], 0, 0
    paths = sorted(glob.glob(os.path.join(folder, "*.onnx")))
    assert paths, "nothing was exported"
    for path in paths:
        stem = path[: -len(".onnx")]
        name = os.path.basename(stem)
        try:
            model = onnx.load(path)
            onnx.checker.check_model(model, full_check=True)
            session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
            own = {i.name for i in model.graph.initializer}
            stated = [line for line in open(stem + ".names").read().split("\n") if line]
            lost = [p for p in stated if p not in own]
            assert not lost, f"parameters missing from the initializers: {lost}"
            networks += 1
            for data in sorted(glob.glob(stem + ".*.npz")):
                arrays = numpy.load(data)
                inputs = {i.name: arrays[f"in_{k}"] for k, i in enumerate(session.get_inputs())}
                results = session.run(None, inputs)
                count = sum(key.startswith("out_") for key in arrays.files)
                assert len(results) == count, f"{len(results)} results, expected {count}"
                for k, result in enumerate(results):
                    expected = arrays[f"out_{k}"]
                    assert result.shape == expected.shape, f"output {k}: shape {result.shape}, expected {expected.shape} ({os.path.basename(data)})"
                    assert result.dtype == expected.dtype, f"output {k}: {result.dtype}, expected {expected.dtype}"
                    numpy.testing.assert_allclose(result, expected, rtol=1e-4, atol=1e-5, err_msg=f"output {k} of {os.path.basename(data)}")
                runs += 1
        except Exception as error:
            failures.append(f"{name}: {str(error).strip()[:600]}")
    return networks, runs, failures


if __name__ == "__main__":
    onnxruntime.set_default_logger_severity(3)
    networks, runs, failures = check(sys.argv[1])
    for failure in failures:
        print("FAILED", failure)
    print(f"ONNX: {networks} networks, {runs} runs at several batch sizes, {len(failures)} failures")
    sys.exit(1 if failures else 0)
