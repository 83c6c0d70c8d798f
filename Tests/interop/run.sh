#!/bin/sh
# Checks every file format both ways with the libraries whose formats they are. PYTHON names a Python that has them;
# without it they are installed from PyPI into .venv-interop.
# usage: run.sh path/to/host
set -eu
here=$(cd "$(dirname "$0")" && pwd)
host=$(realpath "${1:?"usage: run.sh path/to/host"}")
root=$(cd "$here/../.." && pwd)
if [ -z "${PYTHON:-}" ]; then
  venv="$root/.venv-interop"
  PYTHON="$venv/bin/python"
  "$PYTHON" -c "import torch, safetensors, onnxruntime, onnx, PIL" 2>/dev/null || {
    echo "installing torch, numpy, safetensors, onnx, onnxruntime and pillow into .venv-interop" >&2
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet torch numpy safetensors onnx onnxruntime pillow
  }
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cd "$root" && "$PYTHON" "$here/check.py" "$host" "$work"
