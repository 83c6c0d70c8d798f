"""The same small training as train.lua, logged by W&B's own client."""
import os
import sys

import wandb

run = wandb.init(mode=sys.argv[2], project="compat", id=sys.argv[1], name="small", group="g", job_type="train", tags=["a", "b"], notes="some notes",
                 config={"lr": 0.1, "layers": [16, 32], "opt": {"name": "adam", "eps": 1e-8}}, save_code=True)
run.define_metric("loss", summary="min")
run.define_metric("epoch", hidden=True)
run.define_metric("val/*", step_metric="epoch")
print("hello from the training")
for i in range(10):
    run.log({"loss": 1 / (i + 1), "epoch": i // 5, "nested": {"x": i, "y": {"z": i * 0.5}}, "flag": i % 2 == 0, "word": "w%d" % i})
run.log({"val/acc": 0.5})
run.log({"not_finite": float("nan"), "huge": float("inf"), "large": 1e20, "small": 1e-7, "list": [1, 2.5, "x"]})
run.log({"a": 1}, commit=False)
run.log({"b": 2})
run.log({"c": 3}, step=20)
run.log({"late": 1}, step=5)
picture = os.environ["COMPAT_PICTURE"]
run.log({"image": wandb.Image(picture, caption="one"), "images": [wandb.Image(picture, caption="first"), wandb.Image(picture, caption="two")]}, step=30)
run.log({"histogram": wandb.Histogram([1, 2, 2, 3, 3, 3, 4], num_bins=4), "page": wandb.Html("<b>bold</b>", inject=False)}, step=31)
table = wandb.Table(columns=["name", "value", "picture"], data=[["x", 1.5, wandb.Image(picture)], ["y", 2, wandb.Image(picture)]])
run.log({"table": table}, step=32)
points = wandb.Table(columns=["x", "y"], data=[[0, 1], [1, 2.5]])
run.log({"curve": wandb.plot.line(points, "x", "y", title="a curve")}, step=33)
run.summary["best"] = 0.5
run.config["late"] = 1
with open("kept.txt", "w") as file:
    file.write("kept\n")
run.save("kept.txt")
artifact = wandb.Artifact("model", "model", description="weights", metadata={"layers": 2})
artifact.add_file(os.environ["COMPAT_WEIGHTS"], "weights.bin")
artifact.add(wandb.Table(columns=["x", "y"], data=[[0, 1], [1, 2.5]]), "points")
run.log_artifact(artifact, aliases=["best"])
run.alert(title="done", text="all of it", level=wandb.AlertLevel.WARN)
print("12%\r50%\r100%")
print("to stderr", file=sys.stderr)
run.finish()
