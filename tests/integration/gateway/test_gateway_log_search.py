"""Search, summary and download of what runs wrote, on a real nats-server."""

from collections.abc import AsyncGenerator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
import zstandard
from fastflow_events import subjects
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.output import Chunk, LineCounter, OutFrame, StreamName, encode_chunk
from fastflow_events.testing.builders import (
    CAUSE,
    NOON,
    attempt_finished,
    run_claimed,
    run_dispatched,
    run_finished,
    run_requested,
    run_started,
    second_attempt,
)
from fastflow_events.testing.eventually import eventually
from fastflow_gateway.testing import running_gateway
from nats.aio.client import Client

pytestmark = pytest.mark.nats
PER_CHUNK = 50
Told = tuple[StreamName, bytes]


async def write(nc: Client, run_id: str, told: Sequence[Told], *, attempt: int = 1, per_chunk: int = PER_CHUNK) -> None:
    """Store an attempt's output as a runner does, a second after the other."""
    js, counter = nc.jetstream(), LineCounter()
    frames = [OutFrame(stream, NOON + timedelta(seconds=n), data) for n, (stream, data) in enumerate(told)]
    for first in range(0, len(frames), per_chunk):
        held = tuple(frames[first : first + per_chunk])
        chunk = Chunk(first=first, frames=held, line=counter.complete, open=counter.open)
        for index, frame in enumerate(held):
            counter.add(first + index, frame)
        await js.publish(subjects.output(run_id, attempt, "runner-1"), encode_chunk(chunk))
    end = Chunk(first=len(frames), frames=(), last=True, line=counter.complete)
    await js.publish(subjects.output(run_id, attempt, "runner-1"), encode_chunk(end))


async def tell(log: JetStreamLog, run_id: str) -> None:
    facts = (run_requested(), run_dispatched(), run_claimed(), run_started(), attempt_finished(), run_finished())
    await log.append((await log.load("run", run_id)).position, facts, cause=CAUSE)


@pytest_asyncio.fixture
async def api(nats_url: str, nc: Client, tmp_path: Path) -> AsyncGenerator[httpx.AsyncClient]:
    async with running_gateway(nats_url, tmp_path) as base, httpx.AsyncClient(base_url=base, timeout=60) as client:
        yield client


async def known(api: httpx.AsyncClient, run_id: str) -> None:
    async def found() -> bool:
        return (await api.get(f"/api/runs/{run_id}")).status_code == 200

    await eventually(found)


async def get(api: httpx.AsyncClient, path: str, **params: Any) -> Any:
    answer = await api.get(f"/api/runs/{path}", params={key.rstrip("_"): value for key, value in params.items()})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_search_goes_on_page_by_page_and_finds_every_line_once(
    api: httpx.AsyncClient, nc: Client, jetstream_log: JetStreamLog
) -> None:
    told: list[Told] = [("stderr" if n % 10 == 0 else "stdout", b"line %d of it\n" % n) for n in range(1, 6001)]
    await write(nc, "long", told)
    await tell(jetstream_log, "long")
    await known(api, "long")
    found, cursor, scanned = [], None, [0.0]
    while True:
        more: dict[str, str] = {} if cursor is None else {"cursor": cursor}
        page = await get(api, "long/logs/search", q="7 OF", limit=100, context=1, **more)
        found += page["items"]
        scanned.append(page["scanned"])
        if (cursor := page["next"]) is None:
            break
    wanted = [n for n in range(1, 6001) if n % 10 == 7]
    assert [match["n"] for match in found] == wanted
    assert [[near["n"] for near in (*match["before"], *match["after"])] for match in found] == [
        [n - 1, n + 1] for n in wanted
    ]
    assert found[0] | {"before": [], "after": []} == {
        "attempt": 1,
        "n": 7,
        "stream": "stdout",
        "at": "2026-03-01T12:00:06Z",
        "line_text": "line 7 of it",
        "ranges": [[5, 9]],
        "before": [],
        "after": [],
    }
    assert (page["matches"], page["stopped"], scanned[-1], scanned == sorted(scanned)) == (600, False, 1.0, True)
    page = await get(api, "long/logs/search", q=r"^line \d{4} of", regex=True, stream="stderr", limit=1000)
    assert [match["n"] for match in page["items"]] == [*range(1000, 6001, 10)]
    assert (await get(api, "long/logs/search", q="LINE 7 ", case=True))["items"] == []
    assert (await get(api, "long/logs/search", q="nowhere"))["matches"] == 0


async def test_a_search_stops_at_ten_thousand_lines(
    api: httpx.AsyncClient, nc: Client, jetstream_log: JetStreamLog
) -> None:
    await write(nc, "full", [("stdout", b"a\n" * 100)] * 120)
    await tell(jetstream_log, "full")
    await known(api, "full")
    page: dict[str, Any] = {"next": "1.0-0"}
    pages = 0
    while page["next"]:
        page = await get(api, "full/logs/search", q="a", limit=1000, cursor=page["next"])
        pages += 1
    assert (pages, page["matches"], page["stopped"]) == (10, 10_000, True)


async def test_an_expression_that_cannot_be_is_told_with_its_place(
    api: httpx.AsyncClient, jetstream_log: JetStreamLog
) -> None:
    await tell(jetstream_log, "short")
    await known(api, "short")
    answer = await api.get("/api/runs/short/logs/search", params={"q": "a(?=b)", "regex": True})
    assert (answer.status_code, answer.json()["context"]) == (400, {"parameter": "q", "place": 2})
    assert answer.json()["detail_message"]["code"] == "fault.no_expression"
    for params in (
        {"q": "(a?){900}b", "regex": True},
        {"q": "a", "cursor": "1.1"},
        {"q": ""},
        {"q": "a", "context": 11},
    ):
        answer = await api.get("/api/runs/short/logs/search", params=params)  # type: ignore[arg-type]
        assert answer.status_code == 400, answer.text
    assert (await api.get("/api/runs/nobody/logs/search", params={"q": "a"})).status_code == 404


async def test_a_summary_says_what_stands_out_in_each_attempt_and_goes_on_while_the_run_does(
    api: httpx.AsyncClient, nc: Client, jetstream_log: JetStreamLog
) -> None:
    facts = (run_requested(), run_dispatched(), run_claimed(), run_started())
    await jetstream_log.append((await jetstream_log.load("run", "twice")).position, facts, cause=CAUSE)
    await known(api, "twice")
    assert await get(api, "twice/logs/summary") == {"attempts": [], "complete": True, "scanned": 1.0}
    first: list[Told] = [
        ("stdout", b"one\n"),
        ("stderr", b"Traceback (most recent call last):\n"),
        ("stderr", b"KeyError: 'sku'\n"),
    ]
    await write(nc, "twice", first)
    [attempt] = (await get(api, "twice/logs/summary"))["attempts"]
    marks = attempt.pop("marks")
    assert attempt == {
        "attempt": 1,
        "lines": 3,
        "bytes": 55,
        "stderr_lines": 2,
        "errors": 2,
        "tracebacks": 1,
        "first_at": "2026-03-01T12:00:00Z",
        "last_at": "2026-03-01T12:00:02Z",
    }
    words = "Traceback (most recent call last):"
    assert marks == [
        {"kind": "error", "from_line": 2, "to_line": 3, "count": 2, "line_text": words},
        {"kind": "traceback", "from_line": 2, "to_line": 2, "line_text": words},
        {"kind": "stderr", "from_line": 2, "to_line": 3, "count": 2},
    ]
    await jetstream_log.append((await jetstream_log.load("run", "twice")).position, second_attempt(), cause=CAUSE)
    await write(nc, "twice", [("stdout", b"fine\nno newline")], attempt=2)
    told = (await get(api, "twice/logs/summary"))["attempts"]
    assert [(each["attempt"], each["lines"], each["errors"]) for each in told] == [(1, 3, 2), (2, 2, 0)]


async def test_bytes_come_out_as_they_went_in_whole_or_in_ranges(
    api: httpx.AsyncClient, nc: Client, jetstream_log: JetStreamLog
) -> None:
    told: list[Told] = [("stderr" if n % 3 == 0 else "stdout", b"%d \xff\r\n" % n) for n in range(1, 3001)]
    told.append(("stdout", b"no newline"))
    await write(nc, "bytes", told)
    await tell(jetstream_log, "bytes")
    await known(api, "bytes")
    whole = b"".join(data for _, data in told)
    url = "/api/runs/bytes/logs/raw"
    answer = await api.get(url, headers={"Accept-Encoding": "identity"})
    assert (answer.content, answer.headers["content-type"]) == (whole, "text/plain; charset=utf-8")
    assert answer.headers["content-disposition"].startswith("attachment; ")
    assert (await api.get("/api/runs/bytes/logs/download", headers={"Accept-Encoding": "identity"})).content == whole
    err = b"".join(data for stream, data in told if stream == "stderr")
    assert (await api.get(url, params={"stream": "stderr"}, headers={"Accept-Encoding": "identity"})).content == err
    lines = {"from": 2500, "to": 2502}
    assert (await api.get(url, params=lines)).content == b"2500 \xff\r\n2501 \xff\r\n2502 \xff\r\n"
    assert (await api.get(url, params={"from": 3001})).content == b"no newline"
    assert (await api.get(url, params={"from": 3, "to": 2})).status_code == 400
    async with api.stream("GET", url, headers={"Accept-Encoding": "zstd"}) as packed:
        assert packed.headers["content-encoding"] == "zstd"
        data = b"".join([piece async for piece in packed.aiter_raw()])
    assert zstandard.ZstdDecompressor().decompressobj().decompress(data) == whole
    size = len(whole)
    for asked, begin, end in (("0-9", 0, 10), ("100-", 100, size), ("-7", size - 7, size), (f"5-{size * 2}", 5, size)):
        part = await api.get(url, headers={"Range": f"bytes={asked}"})
        assert (part.status_code, part.content) == (206, whole[begin:end])
        assert part.headers["content-range"] == f"bytes {begin}-{end - 1}/{size}"
    assert (await api.get(url, headers={"Range": f"bytes={size}-"})).status_code == 416


async def test_pages_cut_long_lines_and_show_only_serious_ones_when_asked(
    api: httpx.AsyncClient, nc: Client, jetstream_log: JetStreamLog
) -> None:
    told: list[Told] = [("stdout", b"ERROR %d\n" % n if n % 100 == 0 else b"INFO %d\n" % n) for n in range(1, 5001)]
    await write(nc, "levels", [*told, ("stdout", "ü".encode() * 5000 + b"\n"), ("stdout", b"\xff" * 50 + b"\n")])
    await tell(jetstream_log, "levels")
    await known(api, "levels")
    page = await get(api, "levels/logs", level="error", limit=30)
    assert [line["n"] for line in page["items"]] == [*range(100, 3001, 100)]
    page = await get(api, "levels/logs", level="warning", limit=30, cursor=page["next"])
    assert [line["n"] for line in page["items"]] == [*range(3100, 5001, 100)]
    assert (page["items"][0]["level"], page["next"]) == ("error", None)
    page = await get(api, "levels/logs", from_="1.5001", max_line=10)
    assert page["items"][0]["text"] == "ü" * 10
    assert [line.get("cut_bytes") for line in page["items"]] == [9980, 40]
