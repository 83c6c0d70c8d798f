"""Checks the pipeline specs with Pachyderm's own Python client: every field must survive the way there and back.

Not part of `make test`, because it needs the network:
    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install pachyderm-sdk jsonnet
    /tmp/venv/bin/python Tests/pachyderm-sdk-check.py pipelines/*
The client drops unknown fields silently, so the result is converted back and compared key by key.
"""
import json
import sys

import _jsonnet
from pachyderm_sdk.api import pps


def camel(name):
    head, *rest = name.split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in rest)


def normal(value):
    """Names in camelCase, numbers as text, absent and default values alike."""
    if isinstance(value, dict):
        return {camel(k): normal(v) for k, v in value.items() if v not in (None, False, 0, "", [], {})}
    if isinstance(value, list):
        return [normal(v) for v in value]
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(float(value))
    if isinstance(value, str):
        try:
            return str(float(value.removesuffix("s")))
        except ValueError:
            return value
    return value


def differences(wanted, got, path=""):
    if isinstance(wanted, dict) and isinstance(got, dict):
        for key in sorted(set(wanted) | set(got)):
            yield from differences(wanted.get(key), got.get(key), f"{path}.{key}")
    elif isinstance(wanted, list) and isinstance(got, list) and len(wanted) == len(got):
        for i, (a, b) in enumerate(zip(wanted, got)):
            yield from differences(a, b, f"{path}[{i}]")
    elif wanted != got:
        yield f"{path or '.'}: {wanted!r} in the file, {got!r} in the request"


failed = False
for path in sys.argv[1:]:
    text = _jsonnet.evaluate_file(path) if path.endswith(".jsonnet") else open(path).read()
    found = json.loads(text)
    request = pps.CreatePipelineRequest().from_dict(found)
    bytes(request)  # wrong types show here only
    problems = list(differences(normal(found), normal(request.to_dict())))
    failed |= bool(problems)
    print(f"{path}: {'ok' if not problems else ''}")
    for problem in problems:
        print("  " + problem)
sys.exit(failed)
