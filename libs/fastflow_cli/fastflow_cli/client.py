"""The gateway over HTTP; its problems become our errors."""

import os
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

import httpx

from fastflow_cli.errors import CliError, NotRunningError, RefusedError, UsageError
from fastflow_cli.sse import Cutter, Event

TIMEOUT_S = 30.0
SILENCE_S = 60.0
"""The gateway says that it lives far more often than this."""
PAGE = 1000
TOKEN = re.compile(r"ff[as]_[0-9A-Za-z]{38}")
Answer = dict[str, Any]


class Gateway:
    """What the command asks a gateway."""

    def __init__(self, http: httpx.AsyncClient, url: str) -> None:
        self._http = http
        self.url = url

    async def get(self, path: str, **params: Any) -> Answer:
        """A resource.

        Raises:
            NotRunningError: nobody answers.
            RefusedError: there is no such thing.
        """
        return await self._ask("GET", path, params={k: v for k, v in params.items() if v is not None})

    async def post(self, path: str, body: object = None, *, key: str | None = None, **params: Any) -> Answer:
        """A request; with an idempotency key asking twice is asking once.

        Raises:
            NotRunningError: nobody answers.
            RefusedError: it was refused.
        """
        headers = {"Idempotency-Key": key} if key else {}
        wanted = {k: v for k, v in params.items() if v is not None}
        return await self._ask("POST", path, json=body, headers=headers, params=wanted)

    async def put(self, path: str, body: object) -> Answer:
        """A resource's new state.

        Raises:
            NotRunningError: nobody answers.
            RefusedError: it was refused.
        """
        return await self._ask("PUT", path, json=body)

    async def delete(self, path: str) -> Answer:
        """The end of a resource.

        Raises:
            NotRunningError: nobody answers.
            RefusedError: there is no such thing.
        """
        return await self._ask("DELETE", path)

    async def items(
        self, path: str, *, at_most: int | None = None, beside: str = "", **params: Any
    ) -> AsyncIterator[Answer]:
        """Everything of a list, page after page; at last what the last page holds under `beside`."""
        left, cursor = at_most, None
        while left is None or left > 0:
            limit = PAGE if left is None else min(PAGE, left)
            page = await self.get(path, cursor=cursor, limit=limit, **params)
            for item in page["items"][:left]:
                yield item
            if left is not None:
                left -= len(page["items"])
            cursor = page["next"]
            if cursor is None:
                for item in page.get(beside, ()) if left is None or left > 0 else ():
                    yield item
                return

    @asynccontextmanager
    async def stream(self, path: str, *, last_id: str = "", **params: Any) -> AsyncIterator[AsyncIterator[Event]]:
        """A stream of events, from behind `last_id` on; it ends when the connection does."""
        headers = {"Accept": "text/event-stream", **({"Last-Event-ID": last_id} if last_id else {})}
        wanted = {k: v for k, v in params.items() if v is not None}
        timeout = httpx.Timeout(TIMEOUT_S, read=SILENCE_S)
        async with self._http.stream("GET", path, headers=headers, params=wanted, timeout=timeout) as answer:
            if answer.is_error:
                await answer.aread()
                raise error_of(answer)
            yield _events(answer)

    @asynccontextmanager
    async def download(self, path: str, **params: Any) -> AsyncIterator[AsyncIterator[bytes]]:
        """The bytes of a resource, as they come.

        Raises:
            NotRunningError: nobody answers, or not to the end.
            RefusedError: there is no such thing.
        """
        try:
            async with self._http.stream("GET", path, params=params) as answer:
                if answer.is_error:
                    await answer.aread()
                    raise error_of(answer)
                yield answer.aiter_raw()
        except httpx.HTTPError as exc:
            raise NotRunningError(f"the gateway at {self.url} was cut off: {exc or type(exc).__name__}") from exc

    async def _ask(self, method: str, path: str, **more: Any) -> Answer:
        try:
            answer = await self._http.request(method, path, **more)
        except httpx.HTTPError as exc:
            raise NotRunningError(f"the gateway at {self.url} does not answer: {exc or type(exc).__name__}") from exc
        if answer.is_error:
            raise error_of(answer)
        found: Answer = answer.json() if answer.content else {}
        return found


async def _events(answer: httpx.Response) -> AsyncIterator[Event]:
    cutter = Cutter()
    async for line in lines_of(answer.aiter_bytes()):
        if (event := cutter.feed(line)) is not None:
            yield event


async def lines_of(pieces: AsyncIterator[bytes]) -> AsyncIterator[str]:
    r"""Cut bytes at `\n` only: text of a run may hold every other character that some call a line's end."""
    rest = b""
    async for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        for line in whole:
            yield line.removesuffix(b"\r").decode(errors="replace")


def error_of(answer: httpx.Response) -> CliError:
    """The problem object of an answer, in one sentence."""
    try:
        problem: Mapping[str, Any] = answer.json()
        detail = str(problem.get("detail") or problem.get("title") or answer.reason_phrase)
        findings = [": ".join(filter(None, (f.get("pointer"), f["detail"]))) for f in problem.get("errors", ())]
    except (ValueError, KeyError, AttributeError, TypeError):
        detail, findings = f"{answer.request.url} answered {answer.status_code}", []
    sentence = "; ".join([detail, *(f for f in findings if f not in detail)])
    if answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
        return NotRunningError(sentence, fix="fastflow status")
    if answer.status_code == httpx.codes.UNAUTHORIZED:
        return RefusedError(
            sentence, fix="export FASTFLOW_TOKEN=ffs_…, a token that an admin makes: fastflow token make NAME"
        )
    if answer.status_code in (httpx.codes.BAD_REQUEST, httpx.codes.UNPROCESSABLE_ENTITY):
        return UsageError(sentence)
    return RefusedError(sentence)


@asynccontextmanager
async def gateway(url: str) -> AsyncIterator[Gateway]:
    """A connection that is closed with the block; it shows the token in `FASTFLOW_TOKEN`.

    Raises:
        UsageError: what stands there can be no token.
    """
    headers = {"User-Agent": "fastflow"}
    if token := os.environ.get("FASTFLOW_TOKEN", "").strip():
        if not TOKEN.fullmatch(token):
            raise UsageError("FASTFLOW_TOKEN holds no token: it would be ffs_ and 38 letters and digits")
        headers["Authorization"] = f"Bearer {token}"
    async with httpx.AsyncClient(base_url=url, timeout=TIMEOUT_S, trust_env=False, headers=headers) as http:
        yield Gateway(http, url)


def segment(text: str) -> str:
    """A name as one segment of a path."""
    return quote(text, safe="")
