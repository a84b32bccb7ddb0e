"""What Prometheus is told of the gateway: few labels, and nobody and no run in them."""

from pathlib import Path

import httpx
import pytest
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.recorded import Position
from fastflow_events.testing.builders import CAUSE, pipeline_discovered, run_requested
from fastflow_gateway.http.counted import kinds_of
from fastflow_gateway.testing import caught_up, running_gateway
from prometheus_client.parser import text_string_to_metric_families

pytestmark = pytest.mark.nats


def told(text: str, name: str) -> dict[tuple[str, ...], float]:
    return {
        tuple(sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name
    }


def test_the_kind_of_a_route_is_the_noun_that_it_is_about() -> None:
    assert kinds_of(["/api/runs/{run_id}", "/api/runs", "/health/live", "/{path}", "/"]) == {"runs", "health"}


async def test_answers_and_the_queue_are_counted_and_nobody_is_named(
    nats_url: str, jetstream_log: JetStreamLog, tmp_path: Path
) -> None:
    log = jetstream_log
    await log.append(Position(aggregate="pipeline", id="hello"), [pipeline_discovered()], cause=CAUSE)
    for run_id in ("r-one", "r-two"):
        await log.append(Position(aggregate="run", id=run_id), [run_requested()], cause=CAUSE)
    async with running_gateway(nats_url, tmp_path) as base, httpx.AsyncClient(base_url=base, timeout=20) as api:
        await caught_up(api.get, log)
        before = told((await api.get("/metrics")).text, "fastflow_http_requests_total")
        for path in ("/api/runs/r-one", "/api/runs/nobody", "/api/pipelines", "/nowhere/at/all", "/api/nothing"):
            await api.get(path)
        text = (await api.get("/metrics")).text
    counted = told(text, "fastflow_http_requests_total")
    more = {labels: count - before.get(labels, 0) for labels, count in counted.items()}
    assert {labels: more[labels] for labels in more if labels[0] not in ("metrics", "health") and more[labels]} == {
        ("runs", "200"): 1,
        ("runs", "404"): 1,
        ("pipelines", "200"): 1,
        ("other", "404"): 2,
    }
    assert told(text, "fastflow_queue_runs") == {(): 2}
    assert told(text, "fastflow_queue_oldest_seconds")[()] >= 0
    assert told(text, "fastflow_projection_lag_facts")[("read-model",)] == 0
    assert "r-one" not in text
