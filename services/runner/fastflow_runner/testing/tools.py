"""Binaries that tests run."""

import os
import shutil
from pathlib import Path

_ROOT = Path(__file__).parents[4]


def find_uv() -> str:
    """uv: the one that is named, the bootstrap's, or the first on the search path."""
    named = os.environ.get("FASTFLOW_UV")
    for candidate in (named, _ROOT / ".tools/bin/uv", shutil.which("uv")):
        if candidate and Path(candidate).is_file():
            return str(candidate)
    raise FileNotFoundError("uv is nowhere; type: scripts/bootstrap")
