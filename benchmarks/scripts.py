"""The pipelines that are measured: a Git repository, made anew for each run."""

import subprocess
from pathlib import Path

LINES = 100_000
LINGER_S = 3
PLAIN, PACKAGES, MANY_LINES = "plain", "packages", "many_lines"
_FILES = {
    f"{PLAIN}/main.py": 'print("hello")\n',
    f"{PACKAGES}/main.py": "import requests\n\nprint(requests.__version__)\n",
    f"{PACKAGES}/requirements.txt": "requests==2.34.2\n",
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
