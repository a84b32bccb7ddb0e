"""The main job, side by side services and bad input, over the public doors only."""

import asyncio
import json
import os
import subprocess
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import httpx
import pytest
from fastflow_cli.testing.product import Product
from fastflow_events import subjects
from fastflow_events.nats.connection import connect
from fastflow_events.nats.keys import seed_path
from fastflow_events.service.settings import Settings
from fastflow_events.service.store import delete_store
from fastflow_events.testing.eventually import eventually

pytestmark = [pytest.mark.nats, pytest.mark.e2e]

Open = Callable[[str], AbstractAsyncContextManager[Product]]


async def test_two_schedulers_and_two_gateways_make_one_run_per_request(open_product: Open) -> None:
    async with open_product("process") as product:
        other = await product.another("gateway")
        await product.another("scheduler")
        keys = [f"key-{n}" for n in range(8)]
        async with httpx.AsyncClient(base_url=other, timeout=20) as http:

            async def ask(client: httpx.AsyncClient, key: str) -> str:
                answer = await client.post("/api/pipelines/hello/run", json={}, headers={"Idempotency-Key": key})
                assert answer.status_code == 202, answer.text
                run_id: str = answer.json()["id"]
                return run_id

            asked = await asyncio.gather(*(ask(client, key) for key in keys for client in (product.http, http)))
        assert len(set(asked)) == len(keys)
        for run_id in set(asked):
            assert (await product.ended(run_id))["status"] == "succeeded"
            facts = await product.facts(run_id)
            assert [facts.count(f"run.{f}.v1") for f in ("requested", "dispatched", "claimed", "finished")] == [1] * 4
            assert await product.lines(run_id) == [("stdout", "Hello, world!")]
        assert len((await product.get("/api/runs", limit=100))["items"]) == len(keys)


async def test_another_system_triggers_over_nats_and_garbage_is_kept_visible(open_product: Open) -> None:
    async with open_product("process") as product:
        setup = product.installation.setup
        settings = Settings(nats_url=setup.nats_url, nats_seed_file=seed_path(setup.home.keys, "external"))
        async with connect(settings, "somebody") as nc:
            await nc.jetstream().publish(subjects.trigger("hello"), b"this is no JSON")
            for _ in range(3):
                await nc.jetstream().publish(subjects.trigger("hello"), json.dumps({"params": {"A": "1"}}).encode())
            answer = json.loads((await nc.request(subjects.request("hello"), b"{}", timeout=10)).data)
        assert (await product.ended(answer["run_id"]))["status"] == "succeeded"

        async def four() -> bool:
            runs = (await product.get("/api/runs"))["items"]
            return [run["status"] for run in runs] == ["succeeded"] * 4

        await eventually(four, within_s=30)
        [letter] = (await product.get("/api/dead-letters"))["items"]
        assert "JSON" in letter["reason"]


async def test_the_read_model_is_deleted_and_rebuilt_identically(open_product: Open) -> None:
    async with open_product("process") as product:
        for pipeline in ("hello", "fails", "hello"):
            await product.ended(await product.trigger(pipeline))
        before = await product.get("/api/read-model")
        await product.installation.stop_service("gateway")
        delete_store(product.installation.plan.home.read_model)
        product.installation.supervisor.restart("gateway")
        await product.installation.ready("gateway")

        async def same_seq() -> Any:
            now = await product.get("/api/read-model")
            return now if now["seq"] == before["seq"] else None

        assert await eventually(same_seq) == before


async def test_what_is_wrong_is_said_and_nothing_stops(open_product: Open) -> None:
    async with open_product("process") as product:
        pipelines = {p["name"]: p for p in (await product.get("/api/pipelines"))["items"]}
        assert pipelines["broken"]["errors"]
        refused = await product.http.post("/api/pipelines/broken/run", json={})
        assert refused.status_code == 409
        assert refused.headers["content-type"].startswith("application/problem+json")
        unknown = await product.http.post("/api/pipelines/helo/run", json={})
        assert unknown.status_code == 404
        assert "hello" in unknown.text
        wrong = await product.http.post("/api/pipelines/hello/run", json={"params": {"A": []}})
        assert wrong.status_code in (400, 422)
        assert "/params/A" in wrong.text
        failed = await product.ended(await product.trigger("fails"))
        assert (failed["status"], failed["exit_code"]) == ("failed", 3)


async def test_a_cancelled_run_ends_soon_and_cannot_be_cancelled_again(open_product: Open) -> None:
    async with open_product("process") as product:
        run_id = await product.trigger("steady")

        async def begun() -> bool:
            return len(await product.lines(run_id)) >= 2

        await eventually(begun)
        assert (await product.http.post(f"/api/runs/{run_id}/cancel")).status_code == 202
        assert (await product.ended(run_id))["status"] == "cancelled"
        assert (await product.http.post(f"/api/runs/{run_id}/cancel")).status_code == 409


@pytest.mark.docker
async def test_packages_come_from_the_index_once_and_from_the_cache_afterwards(open_product: Open) -> None:
    async with open_product("docker") as product:
        runs = [await product.ended(await product.trigger("fetches"), within_s=120) for _ in range(2)]
        assert [run["status"] for run in runs] == ["succeeded"] * 2, runs
        assert runs[1]["prepare_s"] == 0
        assert runs[0]["environment"] == runs[1]["environment"]
        [(_, text)] = await product.lines(runs[1]["id"])
        assert text.startswith("requests ")
        assert containers(runs[0]["id"]) == []


def containers(run_id: str) -> list[str]:
    """Containers of a run that the engine still knows, asked past the socket proxy."""
    listed = subprocess.run(
        ["docker", "ps", "-aq", "--filter", f"name={run_id}"],
        capture_output=True,
        text=True,
        check=True,
        env=dict(os.environ),
    )
    return listed.stdout.split()
