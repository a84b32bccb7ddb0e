"""Waiting until a child works, and giving up with its own last words."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import msgspec
from msgspec import Struct

from fastflow_cli.errors import CliError
from fastflow_cli.local.logs import last_words
from fastflow_cli.local.supervisor import Supervisor

ASK_EVERY_S = 0.05
GIVE_UP_AFTER = 3
"""Ends in a row before the start counts as failed."""
SETTINGS_WRONG = 2
READY_WITHIN_S = 60.0
"""Without getting on; a gateway that reads the log anew gets on for as long as the log is."""
TELL_EVERY_S = 10.0


async def is_ready(url: str) -> str | None:
    """None when the service at `url` says that it works, else what it says or does instead."""
    try:
        async with httpx.AsyncClient(timeout=5.0, trust_env=False) as http:
            answer = await http.get(f"{url}/health/ready")
    except httpx.HTTPError as exc:
        return f"{url} does not answer: {exc or type(exc).__name__}"
    return None if answer.status_code == httpx.codes.OK else answer.text.strip()


async def until_ready(
    supervisor: Supervisor, name: str, url: str, log: Path, tell: Callable[[str], None] = lambda _: None
) -> None:
    """Return once the child answers that it works; `tell` hears now and then what is waited for.

    Raises:
        CliError: it ended again and again, its settings are wrong, or it gets on no more.
    """
    read, worked_at = 0, time.monotonic()
    tell_at = worked_at + TELL_EVERY_S
    while (problem := await is_ready(url)) is not None:
        child, now = supervisor.child(name), time.monotonic()
        if child.failures >= GIVE_UP_AFTER or child.last_code == SETTINGS_WRONG:
            raise CliError(f"{name} does not start: {last_words(log)}", fix=f"tail -n 50 {log}")
        if (more := facts_read(problem)) > read:
            read, worked_at = more, now
        if now - worked_at > READY_WITHIN_S:
            raise CliError(f"{name} is not ready after {READY_WITHIN_S:g} s: {problem}", fix=f"tail -n 50 {log}")
        if now >= tell_at:
            tell_at = now + TELL_EVERY_S
            tell(f"waiting for {name}, {f'which has read up to fact {read}' if read else problem}")
        await asyncio.sleep(ASK_EVERY_S)


def facts_read(answer: str) -> int:
    """Up to where a service that is not ready yet has read the log; 0 where it does not say so."""
    try:
        return msgspec.json.decode(answer.encode(), type=_Reading).seq
    except msgspec.MsgspecError:
        return 0


class _Reading(Struct, frozen=True):
    seq: int = 0
