"""`?at=` over HTTP: what people list, as it was after a fact."""

from pathlib import Path

import httpx
import pytest
from fastflow_events.aggregates.pipeline.events import PipelinePaused
from fastflow_events.fact import Fact
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.testing.builders import (
    CAUSE,
    attempt_finished,
    pipeline_discovered,
    run_claimed,
    run_dispatched,
    run_finished,
    run_requested,
    run_started,
)
from fastflow_events.testing.eventually import eventually
from fastflow_gateway.testing import running_gateway

pytestmark = pytest.mark.nats

STORY: list[tuple[str, str, Fact]] = [
    ("pipeline", "hello", pipeline_discovered()),
    ("run", "r1", run_requested()),
    ("run", "r1", run_dispatched()),
    ("run", "r1", run_claimed()),
    ("pipeline", "hello", PipelinePaused(who="ann")),
    ("run", "r1", run_started()),
    ("run", "r1", attempt_finished()),
    ("run", "r1", run_finished()),
]
PATHS = ("/api/runs", "/api/runs/counts", "/api/pipelines", "/api/queue", "/api/pipelines/graph", "/api/repositories")


async def test_lists_are_shown_as_of_a_position_or_an_instant(
    nats_url: str, jetstream_log: JetStreamLog, tmp_path: Path
) -> None:
    for aggregate, id, fact in STORY:
        await jetstream_log.append((await jetstream_log.load(aggregate, id)).position, [fact], cause=CAUSE)
    stored = [recorded async for recorded in jetstream_log.read("fastflow.evt.>")]
    async with running_gateway(nats_url, tmp_path) as base, httpx.AsyncClient(base_url=base) as client:

        async def caught_up() -> bool:
            return bool((await client.get("/api/runs/counts")).json()["by_status"].get("succeeded"))

        await eventually(caught_up)
        seen = []
        for seq in range(len(STORY) + 1):
            answer = await client.get("/api/runs", params={"at": seq})
            assert answer.headers["fastflow-seq"] == str(seq)
            seen += [[run["status"] for run in answer.json()["items"]]]
        words = ["", "", "queued", "queued", "preparing", "preparing", "running", "running", "succeeded"]
        assert seen == [[word] if word else [] for word in words]
        queue = [(await client.get("/api/queue", params={"at": seq})).json()["items"] for seq in (2, 3)]
        assert [[run["waiting_for_message"]["code"] for run in items] for items in queue] == [
            ["waits.runners_unknown"],
            [],
        ]
        paused = [(await client.get("/api/pipelines/hello", params={"at": seq})).json()["paused"] for seq in (4, 5)]
        assert paused == [False, True]
        assert (await client.get("/api/runs/r1", params={"at": 4})).json()["status"] == "preparing"
        assert (await client.get("/api/runs/r1", params={"at": 1})).status_code == 404
        assert (await client.get("/api/pipelines/hello", params={"at": 0})).status_code == 404
        at = stored[4].told_at.isoformat()
        answer = await client.get("/api/runs", params={"at": at})
        assert (answer.headers["fastflow-seq"], answer.json()["items"][0]["status"]) == ("5", "preparing")
        for path in PATHS:
            now, last = await client.get(path), await client.get(path, params={"at": len(STORY)})
            assert now.json() == last.json(), path
            assert "fastflow-seq" not in now.headers
            for odd in ("yesterday", "-1", "9" * 30, "2026-13-01T00:00:00Z"):
                refused = await client.get(path, params={"at": odd})
                assert (refused.status_code, refused.json()["detail_message"]["code"]) == (400, "fault.no_moment")
