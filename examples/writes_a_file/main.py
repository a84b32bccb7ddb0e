"""Writes a file beside itself; every run starts from the repository's own state."""

from pathlib import Path

counter = Path(__file__).with_name("counter.txt")
before = int(counter.read_text()) if counter.exists() else 0
counter.write_text(str(before + 1))
print(f"before: {before}, now: {counter.read_text()}")
print("files here:", ", ".join(sorted(path.name for path in counter.parent.iterdir() if not path.name.startswith("."))))
