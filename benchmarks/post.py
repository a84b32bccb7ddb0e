"""From a request over HTTP to its answer: the fact is stored, and nothing else is waited for."""

import time

import msgspec
from fastflow_cli.local.bus import deployer_seed
from fastflow_events.envelope import body_of, headers_of
from fastflow_events.nats.connection import connect
from fastflow_events.nats.sizes import bounds
from fastflow_events.nats.topology import streams
from fastflow_events.service.settings import Settings

from benchmarks.http_line import http_line
from benchmarks.measure import percentile
from benchmarks.results import Budget, Figure
from benchmarks.scripts import PLAIN
from benchmarks.stories import story
from benchmarks.system import system

BLOCKS, BLOCK = 12, 25
WARM_UP = 2
SUBJECT = "fastflow.bench"
ROOM_BYTES = 64 << 20
"""The server grants no more than is left beside the product's own streams."""


async def measure() -> list[Figure]:
    """POST → 202 in turn with bare publishes into a stream with the log's own settings, on the same server."""
    async with system() as ours:
        await ours.installation.stop_service("runner")  # the runs wait: their execution is not what is measured
        settings = Settings(
            nats_url=ours.installation.nats_url, nats_seed_file=deployer_seed(ours.installation.plan.home)
        )
        url = str(ours.http.base_url)
        async with connect(settings, "benchmark") as nc, http_line(url) as line:
            js = nc.jetstream(timeout=10)
            log = streams(bounds())[0]
            await js.add_stream(log.evolve(name="BENCHMARK", subjects=[SUBJECT], republish=None, max_bytes=ROOM_BYTES))
            recorded = story(0)[0]
            headers, body = headers_of(recorded), body_of(recorded.fact)
            mine: list[float] = []
            theirs: list[float] = []
            for _ in range(WARM_UP + BLOCKS):
                for _ in range(BLOCK):
                    began = time.perf_counter()
                    await line.post(f"/api/pipelines/{PLAIN}/run", b"{}", expected=202)
                    mine.append(time.perf_counter() - began)
                for _ in range(BLOCK):
                    began = time.perf_counter()
                    await js.publish(SUBJECT, body, headers=headers)
                    theirs.append(time.perf_counter() - began)
    mine, theirs = ([s * 1000 for s in values[WARM_UP * BLOCK :]] for values in (mine, theirs))
    figure = Figure(
        name="POST → 202, p99",
        ours=percentile(mine, 99),
        bare=percentile(theirs, 99),
        unit="ms",
        against="p99 of a bare JetStream publish",
        budget=Budget(20),
    )
    return [
        msgspec.structs.replace(
            figure,
            name="POST → 202, p50",
            ours=percentile(mine, 50),
            bare=percentile(theirs, 50),
            against="p50 of a bare JetStream publish",
            budget=None,
        ),
        figure,
    ]
