"""What the figures were measured on, in one line."""

import os
import platform
import subprocess
from pathlib import Path

from fastflow_cli.local.engine import Engine, find_engine
from fastflow_events.errors import InfrastructureError
from fastflow_events.nats.server_process import find_binary


def describe() -> str:
    """Cores, memory, system, Python, NATS and the container engine."""
    memory_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    engine = find_engine(os.environ)
    parts = [
        f"{os.cpu_count()} cores, {memory_gb:.0f} GB",
        f"{_system()}, {platform.machine()}",
        f"Python {platform.python_version()}",
        _nats(),
        f"Docker {engine.version}" if isinstance(engine, Engine) else "no container engine",
    ]
    return "; ".join(parts)


def _nats() -> str:
    try:
        return subprocess.run(
            [find_binary(os.environ), "--version"], capture_output=True, text=True, check=True
        ).stdout.strip()
    except InfrastructureError as exc:
        return str(exc)


def _system() -> str:
    try:
        lines = Path("/etc/os-release").read_text().splitlines()
    except FileNotFoundError:
        return platform.system()
    named = dict(line.split("=", 1) for line in lines if "=" in line)
    return named.get("PRETTY_NAME", platform.system()).strip('"')
