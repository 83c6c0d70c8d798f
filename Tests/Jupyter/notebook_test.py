"""Runs the notebook of the repository as it is, and looks at what its cells gave."""
import base64
import pathlib
import re
import sys

import nbformat
from nbclient import NotebookClient

path = pathlib.Path(__file__).parents[2] / "scripts" / "explore-mnist.ipynb"
notebook = nbformat.read(path, as_version=4)
nbformat.validate(notebook)
assert all(not cell.get("outputs") for cell in notebook.cells), "the notebook is committed without outputs"
NotebookClient(notebook, timeout=600, kernel_name="host", resources={"metadata": {"path": str(path.parent)}}).execute()

text, pictures = "", 0
for cell in notebook.cells:
    for output in cell.get("outputs", []):
        text += output.get("text", "")
        data = output.get("data", {})
        if "image/png" in data:
            pictures += 1
            assert base64.b64decode(data["image/png"]).startswith(b"\x89PNG")
            if len(sys.argv) > 1:
                (pathlib.Path(sys.argv[1]) / f"{pictures:02d}.png").write_bytes(base64.b64decode(data["image/png"]))
assert pictures == 11, f"{pictures} pictures"
# Known of MNIST: 5,923 zeros and 5,421 fives to train on; the nearest neighbour is right for about 96%.
assert re.search(r"^0  train  5923 .*test  980 ", text, re.M) and re.search(r"^5  train  5421 ", text, re.M), text
neighbours = float(re.search(r"right label for ([\d.]+)%", text)[1])
assert 94 < neighbours < 99, neighbours
components = re.search(r"10 components hold (\d+)%.*50 hold (\d+)%.*150 hold (\d+)%", text)
assert [int(n) for n in components.groups()] == [49, 82, 95], components[0]
accuracy = float(re.search(r"([\d.]+)% of the test digits are right", text)[1])
assert accuracy > 94, accuracy
print(f"{len(notebook.cells)} cells, {pictures} pictures, {accuracy}% of the test digits right")
