"""A run's output as it comes; a cut connection goes on behind the last line seen."""

import asyncio
import time
from base64 import b64decode
from collections.abc import AsyncIterator

import httpx
import msgspec
from fastflow_events.aggregates.run.script_error import ScriptError
from msgspec import Struct

from fastflow_cli.client import Gateway, segment
from fastflow_cli.errors import NotRunningError

RECONNECT_S = 0.5
GIVE_UP_AFTER_S = 60.0


class Line(Struct, frozen=True, kw_only=True):
    """One line of output."""

    n: int
    stream: str
    text: str
    at: str = ""
    b64: str | None = None
    unterminated: bool = False
    id: str = ""

    def raw(self) -> bytes:
        """The exact bytes, with the newline if there was one."""
        body = b64decode(self.b64) if self.b64 is not None else self.text.encode()
        return body if self.unterminated else body + b"\n"


class Partial(Struct, frozen=True, kw_only=True):
    """What a line that has not ended says from byte `offset` on; the whole line comes when it ends."""

    n: int
    stream: str
    text: str
    at: str = ""
    offset: int = 0
    b64: str | None = None
    partial: bool = True

    def raw(self) -> bytes:
        """The exact bytes."""
        return b64decode(self.b64) if self.b64 is not None else self.text.encode()


class Gap(Struct, frozen=True, kw_only=True):
    """Output is missing here."""

    after: int = 0
    frames: int = 0
    bytes: int = 0


class End(Struct, frozen=True, kw_only=True):
    """The run is over and everything was said."""

    outcome: str
    status: str
    reason: str = ""
    error: ScriptError | None = None

    @property
    def in_words(self) -> str:
        """How it ended, and why."""
        why = "; ".join(filter(None, (self.error.in_words if self.error else "", self.reason)))
        return f"{self.outcome}: {why}" if why else self.outcome


async def follow(gateway: Gateway, run_id: str) -> AsyncIterator[Line | Partial | Gap | End]:
    """Every line of the run, in parts while it has not ended, at last the run's end.

    Raises:
        RefusedError: there is no such run.
        NotRunningError: the gateway stayed away for a minute.
    """
    last_id, silent_since = "", time.monotonic()
    path = f"/api/runs/{segment(run_id)}/logs/stream"
    while True:
        try:
            async with gateway.stream(path, last_id=last_id) as events:
                async for event in events:
                    last_id, silent_since = event.id or last_id, time.monotonic()
                    match event.name:
                        case "line":
                            line = msgspec.json.decode(event.data, type=Line)
                            yield msgspec.structs.replace(line, id=event.id)
                        case "partial":
                            yield msgspec.json.decode(event.data, type=Partial)
                        case "gap":
                            yield msgspec.json.decode(event.data, type=Gap)
                        case "end":
                            yield msgspec.json.decode(event.data, type=End)
                            return
                        case _:
                            pass
        except httpx.HTTPError as exc:
            if time.monotonic() - silent_since > GIVE_UP_AFTER_S:
                raise NotRunningError(f"the gateway at {gateway.url} stays away: {exc!r}") from exc
        await asyncio.sleep(RECONNECT_S)
