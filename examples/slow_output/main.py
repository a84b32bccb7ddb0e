"""Counts slowly, on both streams, so that there is something to watch."""

import os
import sys
import time

steps = int(os.environ.get("STEPS", "10"))
pause_s = float(os.environ.get("PAUSE_S", "0.5"))
for step in range(1, steps + 1):
    print(f"step {step} of {steps}")
    if step % 5 == 0:
        print(f"{steps - step} steps to go", file=sys.stderr)
    time.sleep(pause_s)
print("done")
