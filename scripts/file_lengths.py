"""Fails when a source file is longer than 300 lines: then it holds two things."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LONGEST = 300
PATTERNS = ("*.py", "*.sh", "*.ts", "*.tsx", "*.sql", "scripts/*", "Makefile", "deploy/*")


def sources() -> list[Path]:
    """Every source file that Git tracks or would track."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *PATTERNS]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [path for name in listed.split("\0") if name and (path := ROOT / name).is_file()]


def main() -> int:
    """Exit code: 1 when a file is too long."""
    long = {path: count for path in sources() if (count := len(path.read_bytes().splitlines())) > LONGEST}
    for path, count in sorted(long.items()):
        print(f"{path.relative_to(ROOT)}: {count} lines, at most {LONGEST}", file=sys.stderr)
    return bool(long)


if __name__ == "__main__":
    sys.exit(main())
