"""A file, a result, a route and what a run uses: from the script to the browser and the command line."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from fastflow_cli.testing.product import Product
from fastflow_events.testing.eventually import eventually

pytestmark = [pytest.mark.nats, pytest.mark.e2e]

Open = Callable[[str], AbstractAsyncContextManager[Product]]
SCRIPT = """
import os, pathlib, time
pathlib.Path(os.environ["FASTFLOW_ARTIFACTS_DIR"], "report.html").write_text("<h1>done</h1>")
pathlib.Path("table.csv").write_text("1;2")
pathlib.Path(os.environ["FASTFLOW_RESULT_FILE"]).write_text('{"rows": 3}')
pathlib.Path(os.environ["FASTFLOW_ROUTE_FILE"]).write_text("north")
block = bytearray(b"x") * (60 << 20)
end = time.monotonic() + 5
while time.monotonic() < end: sum(range(100_000))
"""
DEFINITION = {"artifacts": ["*.csv"], "mem_soft_limit": "10m", "mem_hard_limit": "256m"}


async def commit(product: Product, repository: Path) -> None:
    folder = repository / "leaves"
    folder.mkdir()
    (folder / "main.py").write_text(SCRIPT)
    (folder / "pipeline.json").write_text(json.dumps(DEFINITION))
    who = ("-c", "user.name=Ann", "-c", "user.email=ann@example.org")
    for git in (("add", "-A"), (*who, "commit", "-q", "-m", "leaves")):
        await asyncio.to_thread(subprocess.run, ["git", *git], cwd=repository, check=True)
    await product.http.post("/api/sync", json={})

    async def found() -> bool:
        return "leaves" in [item["name"] for item in (await product.get("/api/pipelines"))["items"]]

    await eventually(found, within_s=60)


@pytest.mark.parametrize("executor", ["process", pytest.param("docker", marks=pytest.mark.docker)])
async def test_what_a_run_leaves_and_uses_reaches_people(open_product: Open, tmp_path: Path, executor: str) -> None:
    async with open_product(executor) as product:
        await commit(product, tmp_path / "pipelines")
        run = await product.ended(await product.trigger("leaves"), within_s=120)
        assert run["status"] == "succeeded", run
        assert (run["artifacts"], run["soft_limits"]) == (2, ["memory_bytes"])
        assert run["peak_memory_bytes"] > 60 << 20
        assert run["peak_cpus"] > 0
        facts = (await product.get(f"/api/runs/{run['id']}/facts"))["items"]
        [end] = [fact["data"] for fact in facts if fact["type"] == "run.attempt_finished.v1"]
        assert (end["result"], end["route"]) == ({"rows": 3}, "north")

        page = await product.get(f"/api/runs/{run['id']}/metrics")
        assert page["limits"]["soft_memory_bytes"] == 10 << 20
        assert max(item["memory_bytes"] for item in page["items"]) > 60 << 20
        assert all((item["sent_bytes"] is None) == (executor == "process") for item in page["items"])

        to = tmp_path / "here"
        command = [sys.executable, "-m", "fastflow_cli", "artifacts", run["id"], "--get", "*", "--to", str(to)]
        command += ["--url", product.installation.url]
        done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        found = {path.name: path.read_text() for path in to.iterdir()}
        assert found == {"report.html": "<h1>done</h1>", "table.csv": "1;2"}
