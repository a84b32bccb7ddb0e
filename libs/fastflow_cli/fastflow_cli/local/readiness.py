"""Waiting until a child works, and giving up with its own last words."""

import asyncio
import time
from pathlib import Path

import httpx

from fastflow_cli.errors import CliError
from fastflow_cli.local.logs import last_words
from fastflow_cli.local.supervisor import Supervisor

ASK_EVERY_S = 0.05
GIVE_UP_AFTER = 3
"""Ends in a row before the start counts as failed."""
SETTINGS_WRONG = 2
READY_WITHIN_S = 60.0


async def is_ready(url: str) -> str | None:
    """None when the service at `url` says that it works, else what it says or does instead."""
    try:
        async with httpx.AsyncClient(timeout=5.0, trust_env=False) as http:
            answer = await http.get(f"{url}/health/ready")
    except httpx.HTTPError as exc:
        return f"{url} does not answer: {exc or type(exc).__name__}"
    return None if answer.status_code == httpx.codes.OK else answer.text.strip()


async def until_ready(supervisor: Supervisor, name: str, url: str, log: Path) -> None:
    """Return once the child answers that it works.

    Raises:
        CliError: it ended again and again, its settings are wrong, or it did not become ready in time.
    """
    deadline = time.monotonic() + READY_WITHIN_S
    while (problem := await is_ready(url)) is not None:
        child = supervisor.child(name)
        if child.failures >= GIVE_UP_AFTER or child.last_code == SETTINGS_WRONG:
            raise CliError(f"{name} does not start: {last_words(log)}", fix=f"tail -n 50 {log}")
        if time.monotonic() > deadline:
            raise CliError(f"{name} is not ready after {READY_WITHIN_S:g} s: {problem}", fix=f"tail -n 50 {log}")
        await asyncio.sleep(ASK_EVERY_S)
