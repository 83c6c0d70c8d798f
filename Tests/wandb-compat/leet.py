"""Opens a log of ours in W&B's viewer for terminals, and reads its screen.

usage: leet.py WANDB LOG      WANDB: the official command
"""
import os
import sys
import time

import pexpect
import pyte

command, log = sys.argv[1:]
screen = pyte.Screen(120, 40)
stream = pyte.ByteStream(screen)
environment = dict(os.environ, TERM="xterm-256color", LANG="C.UTF-8")
viewer = pexpect.spawn(command, ["beta", "leet", log], env=environment, dimensions=(40, 120), timeout=5)
wanted = ["Name: curves", "Project: compat", "State: Finished", "opt.name       adam", "Summary [", "│loss", "│val/accuracy"]
end = time.monotonic() + 60
missing = wanted
while time.monotonic() < end and viewer.isalive():
    try:
        piece = viewer.read_nonblocking(65536, timeout=0.5)
    except pexpect.TIMEOUT:
        piece = b""
    except pexpect.EOF:
        break
    # What the viewer asks its terminal.
    if b"\x1b[6n" in piece:
        viewer.send("\x1b[1;1R")
    if b"\x1b[c" in piece:
        viewer.send("\x1b[?62;c")
    if b"]11;?" in piece:
        viewer.send("\x1b]11;rgb:0000/0000/0000\x1b\\")
    stream.feed(piece)
    shown = "\n".join(screen.display)
    missing = [text for text in wanted if text not in shown]
    # A curve is made of braille dots.
    dots = sum(0x2801 <= ord(c) <= 0x28FF for c in shown)
    if not missing and dots > 20:
        break
viewer.close(force=True)
print("\n".join(line.rstrip() for line in screen.display) if missing else "", end="")
assert not missing, f"the viewer does not show {missing}"
assert dots > 20, "the viewer draws no curve"
print(f"viewer: run, config, summary and curves ({dots} cells of dots) are on its screen")
