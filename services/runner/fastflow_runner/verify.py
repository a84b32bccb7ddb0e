"""Every byte of what runs are started from, looked at once, beside the runner that has the same settings."""

import asyncio
import sys
from collections.abc import Mapping

from msgspec import json

from fastflow_runner.adapters.executors import open_executor
from fastflow_runner.lock import key_of
from fastflow_runner.settings import RunnerSettings

CHANGED = 3


async def verify(settings: RunnerSettings, variables: Mapping[str, str], only: str) -> None:
    """Print one line of JSON about what has a name that begins with `only`; end with 3 when something has changed."""
    key = await asyncio.to_thread(key_of, settings.shared_folder)
    with open_executor(settings, key, variables) as executor:
        found = await executor.verify(only)
    sys.stdout.write(json.encode(found).decode() + "\n")
    sys.stdout.flush()
    if found.changed:
        sys.exit(CHANGED)
