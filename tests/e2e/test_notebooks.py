"""The notebook among the examples, from a push to its executed form, over the public doors only."""

import shutil
import subprocess
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest
from fastflow_cli.testing.product import Product
from fastflow_events.testing.eventually import eventually

pytestmark = [pytest.mark.nats, pytest.mark.e2e]

Open = Callable[[str], AbstractAsyncContextManager[Product]]
EXAMPLE = Path(__file__).parents[2] / "examples" / "weather_report"


def commit(folder: Path) -> None:
    shutil.copytree(EXAMPLE, folder / EXAMPLE.name, ignore=shutil.ignore_patterns("__pycache__"))
    who = ("-c", "user.name=Ann", "-c", "user.email=ann@example.org")
    for arguments in (("add", "--all"), (*who, "commit", "--quiet", "-m", "a notebook")):
        subprocess.run(["git", *arguments], cwd=folder, check=True)


async def cells_of(product: Product, run_id: str) -> list[tuple[int, str, int]]:
    items = (await product.get(f"/api/runs/{run_id}/cells"))["items"]
    return [(item["cell"], item["status"], item["tries"]) for item in items]


async def kept_of(product: Product, run_id: str) -> list[Any]:
    facts = (await product.get(f"/api/runs/{run_id}/facts"))["items"]
    return [fact["data"]["path"] for fact in facts if fact["type"] == "run.artifact_stored.v1"]


async def test_a_notebook_is_found_executed_and_told_cell_by_cell(open_product: Open, tmp_path: Path) -> None:
    async with open_product("process") as product:
        commit(tmp_path / "pipelines")
        await product.http.post("/api/sync", json={})

        async def found() -> Any:
            items = (await product.get("/api/pipelines"))["items"]
            return next((item for item in items if item["name"] == EXAMPLE.name), None)

        assert (await eventually(found))["status"] == "ready"
        done = await product.ended(await product.trigger(EXAMPLE.name), within_s=150)
        assert done["status"] == "succeeded", done
        tries = [(1, "succeeded", 1), (2, "succeeded", 3), (3, "succeeded", 1), (4, "succeeded", 1)]
        assert await cells_of(product, done["id"]) == tries
        lines = await product.lines(done["id"])
        assert ("stdout", "[11, 18, 12, 19, 13, 20, 14]") in lines
        assert ("stdout", "fast-flow: cell 2 of 4, try 3 of 4") in lines
        assert ("stderr", "TimeoutError: the station did not answer (2)") in lines
        executed = await product.get(f"/api/runs/{done['id']}/artifacts/main.executed.ipynb")
        assert "image/svg+xml" in executed["cells"][4]["outputs"][0]["data"]

        answer = await product.http.post(f"/api/pipelines/{EXAMPLE.name}/run", json={"params": {"DAYS": "0"}})
        failed = await product.ended(answer.json()["id"], within_s=60)
        assert (failed["status"], failed["exit_code"]) == ("failed", 1)
        assert failed["reason"].startswith("cell 4 of 4 failed: ValueError: max()")
        assert await cells_of(product, failed["id"]) == [*tries[:3], (4, "failed", 1)]
        assert await kept_of(product, failed["id"]) == ["main.executed.ipynb"]
        assert failed["prepare_s"] == 0
