"""The pipelines that are measured: a Git repository, made anew for each run."""

import subprocess
from pathlib import Path

from fastflow_runner.testing import attacks_inside
from fastflow_runner.testing.tiny_packages import building

LINES = 100_000
LINGER_S = 3
ENDLESS_UNIT = b"0123456789abcdefghijklmnopqrstuvwxyz-"
ENDLESS_BYTES = 1_000_000_000
PACED_PER_S, PACED_LINES = 100_000, 500_000
GARBAGE_SEED, GARBAGE_PIECE, GARBAGE_BYTES = 7, 64_000, 64_000_000
PLAIN, PACKAGES, MANY_LINES, SOCKETS = "plain", "packages", "many_lines", "sockets"
ENDLESS, PACED, GARBAGE = "endless", "paced", "garbage"
HUGE_MARKER, HUGE_WHEEL, HUGE_MB = "huge_marker", "huge_wheel", 700
BAR, BAR_LINES, BAR_PER_S, BAR_S = "bar", "bar_lines", 1000, 3
_UPDATES = f"""import sys
import time

began = time.time()
for n in range({BAR_PER_S * BAR_S}):
    sys.stdout.write(f"BEFORE{{n}} @{{time.time():.6f}}BEHIND")
    sys.stdout.flush()
    time.sleep(max(0.0, began + n / {BAR_PER_S} - time.time()))
print()
"""
_HUGE = f"""import glob
for place in glob.glob("/app/cache/sdists-v*"):
    with open(place + "/holes-1-py3-none-any.whl", "wb") as file:
        file.truncate({HUGE_MB} << 20)"""
_FILES = {
    f"{HUGE_MARKER}/main.py": attacks_inside.HUGE_MARKER,
    f"{HUGE_WHEEL}/main.py": "print('built')\n",
    f"{HUGE_WHEEL}/requirements.txt": "./lib\n",
    **{f"{HUGE_WHEEL}/{path}": text for path, text in building("huge", _HUGE).items()},
    f"{PLAIN}/main.py": 'print("hello")\n',
    f"{PACKAGES}/main.py": "import requests\n\nprint(requests.__version__)\n",
    f"{PACKAGES}/requirements.txt": "requests==2.34.2\n",
    # What nearly every HTTP client leaves behind: a closed connection, which the kernel remembers for a minute.
    f"{SOCKETS}/main.py": """import socket

print("hello")
server = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(server.getsockname())
accepted, _ = server.accept()
client.close()
accepted.close()
""",
    # The first line says when the script began; then it writes as fast as it can, a hundred lines at a time. It stays
    # a moment, because `docker logs -f` of some engines drops what it has not sent when the container ends.
    f"{MANY_LINES}/main.py": f"""import sys
import time

print(f"{{time.time():.6f}}")
for first in range(1, {LINES}, 100):
    numbers = range(first, min(first + 100, {LINES}))
    sys.stdout.write("".join(f"{{n}} the quick brown fox jumps over the lazy dog\\n" for n in numbers))
sys.stdout.flush()
time.sleep({LINGER_S})
""",
    f"{ENDLESS}/main.py": f"""import os

block = {ENDLESS_UNIT!r} * 20_000
at = 0
while at < {ENDLESS_BYTES}:
    # A pipe may take less than it was given.
    at += os.write(1, block[at % {len(ENDLESS_UNIT)} :][: {ENDLESS_BYTES} - at])
""",
    # As many lines as it wants to write, unless whoever takes them holds it up.
    f"{PACED}/main.py": f"""import sys
import time

began = time.time()
print(f"began {{began:.6f}}")
for first in range(0, {PACED_LINES}, 1000):
    numbers = range(first, first + 1000)
    sys.stdout.write("".join(f"{{n}} the quick brown fox jumps over the lazy dog\\n" for n in numbers))
    sys.stdout.flush()
    time.sleep(max(0.0, began + (first + 1000) / {PACED_PER_S} - time.time()))
print(f"ended {{time.time():.6f}}")
""",
    f"{BAR}/main.py": _UPDATES.replace("BEFORE", "\\r").replace("BEHIND", ""),
    f"{BAR_LINES}/main.py": _UPDATES.replace("BEFORE", "").replace("BEHIND", "\\n"),
    f"{GARBAGE}/main.py": f"""import random
import sys

source = random.Random({GARBAGE_SEED})
for _ in range({GARBAGE_BYTES // GARBAGE_PIECE}):
    sys.stdout.buffer.write(source.randbytes({GARBAGE_PIECE}))
sys.stdout.flush()
""",
}


def make_repository(folder: Path) -> Path:
    """A repository whose `main` branch holds the pipelines; returns its folder."""
    for name, text in _FILES.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    author = ["-c", "user.name=benchmarks", "-c", "user.email=benchmarks@localhost", "-c", "commit.gpgsign=false"]
    for command in (["init", "-q", "-b", "main"], ["add", "-A"], [*author, "commit", "-q", "-m", "Add pipelines"]):
        subprocess.run(["git", *command], cwd=folder, check=True)
    return folder
