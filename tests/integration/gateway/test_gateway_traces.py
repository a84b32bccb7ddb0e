"""Traces of runs reach a collector over HTTP, and what a collector does keeps nothing waiting."""

import asyncio
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from fastflow_events.aggregates.run.commands import ConcludeRun, RequestCancel
from fastflow_events.aggregates.run.decider import run_decider
from fastflow_events.execute import execute
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.recorded import Position
from fastflow_events.testing.builders import CAUSE, pipeline_discovered
from fastflow_events.testing.eventually import eventually
from fastflow_gateway.testing import caught_up, running_gateway
from msgspec import Struct

pytestmark = pytest.mark.nats
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


class Recording(Struct, kw_only=True):
    """A collector that remembers what it was sent; it may refuse for a while."""

    url: str = ""
    refusals: int = 0
    seen: list[tuple[str, str, Any]] = []

    @property
    def spans(self) -> list[dict[str, Any]]:
        """Everything it took."""
        return [
            span
            for _, _, body in self.seen
            for resource in body["resourceSpans"]
            for scope in resource["scopeSpans"]
            for span in scope["spans"]
        ]


@pytest.fixture
def collector() -> Iterator[Recording]:
    recording = Recording()

    class Handler(BaseHTTPRequestHandler):
        """Takes exports."""

        def do_POST(self) -> None:
            body = msgspec.json.decode(self.rfile.read(int(self.headers["Content-Length"])))
            refused = recording.refusals > 0
            recording.refusals -= refused
            if not refused:
                recording.seen.append((self.path, self.headers["Content-Type"], body))
            self.send_response(503 if refused else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Nobody reads it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        recording.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield recording
        server.shutdown()


async def ended_run(api: httpx.AsyncClient, log: JetStreamLog, **headers: str) -> str:
    answer = await api.post("/api/pipelines/hello/run", headers=headers)
    assert answer.status_code == 202, answer.text
    run_id = str(answer.json()["id"])
    cause = (await log.load("run", run_id)).recorded[0].because()
    await execute(log, run_decider, run_id, RequestCancel(who="ann"), cause=cause)
    await execute(log, run_decider, run_id, ConcludeRun(), cause=cause)
    return run_id


async def test_a_run_becomes_one_trace_that_goes_on_with_its_callers(
    nats_url: str, jetstream_log: JetStreamLog, tmp_path: Path, collector: Recording
) -> None:
    log = jetstream_log
    await log.append(Position(aggregate="pipeline", id="hello"), [pipeline_discovered()], cause=CAUSE)
    collector.refusals = 1
    async with (
        running_gateway(nats_url, tmp_path, otlp_endpoint=collector.url) as base,
        httpx.AsyncClient(base_url=base, timeout=20) as api,
    ):
        await caught_up(api.get, log)
        run_id = await ended_run(api, log, traceparent=f"00-{TRACE}-{SPAN}-01")
        await eventually(lambda: asyncio.sleep(0, len(collector.spans) > 0), within_s=30)
        [root] = collector.spans
        assert (root["traceId"], root["parentSpanId"], root["name"]) == (TRACE, SPAN, "run hello")
        assert {"key": "fastflow.run", "value": {"stringValue": run_id}} in root["attributes"]
        assert {path for path, _, _ in collector.seen} == {"/v1/traces"}
        assert {kind for _, kind, _ in collector.seen} == {"application/json"}


async def test_without_a_collector_nothing_is_derived(
    nats_url: str, jetstream_log: JetStreamLog, tmp_path: Path, collector: Recording
) -> None:
    log = jetstream_log
    await log.append(Position(aggregate="pipeline", id="hello"), [pipeline_discovered()], cause=CAUSE)
    async with running_gateway(nats_url, tmp_path) as base, httpx.AsyncClient(base_url=base, timeout=20) as api:
        await caught_up(api.get, log)
        await ended_run(api, log)
        await caught_up(api.get, log)
        assert "traces" not in (await api.get("/health/ready")).text
    assert collector.seen == []
