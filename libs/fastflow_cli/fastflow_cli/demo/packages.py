"""Packages: installed from the index when a run needs them first, from the cache from then on."""

import asyncio
from typing import Any

import httpx

from fastflow_cli.client import Gateway
from fastflow_cli.demo.acts import ENDED_WITHIN_S
from fastflow_cli.demo.telling import Story
from fastflow_cli.errors import CliError
from fastflow_cli.following import End, follow
from fastflow_cli.formatting import duration
from fastflow_cli.local.engine import Engine, client

PIPELINE = "sales_report"


async def show_packages(door: Gateway, story: Story) -> None:
    """Run the pipeline that imports `requests` twice.

    Raises:
        CliError: a run failed, or the second one installed something again.
    """
    first = await run_quietly(door)
    if first["prepare_s"]:
        how = f"installed by uv from the package index in {duration(first['prepare_s'])}"
    else:
        how = "installed already, by an earlier run on this engine"
    story.tell(f"{PIPELINE} needs requests and pandas: {how}; run {first['id']} succeeded")
    second = await run_quietly(door)
    if second["prepare_s"]:
        raise CliError(f"run {second['id']} prepared its environment again, in {duration(second['prepare_s'])}")
    story.tell(f"once more: environment {second['environment'][:12]} from the cache; run {second['id']} succeeded")


async def run_quietly(door: Gateway) -> dict[str, Any]:
    """Run the pipeline and return the run.

    Raises:
        CliError: it did not succeed.
    """
    accepted = await door.post(f"/api/pipelines/{PIPELINE}/run", {})
    async with asyncio.timeout(ENDED_WITHIN_S):
        async for news in follow(door, accepted["id"]):
            if isinstance(news, End) and news.status != "succeeded":
                raise CliError(f"run {accepted['id']} of {PIPELINE} {news.outcome}: {news.reason}")
    return await door.get(f"/api/runs/{accepted['id']}")


async def container_is_gone(engine: Engine, name: str) -> bool:
    """True once the engine knows no such container any more."""
    with client(engine.address) as http:
        for _ in range(100):
            if http.get(f"/containers/{name}/json").status_code == httpx.codes.NOT_FOUND:
                return True
            await asyncio.sleep(0.1)
    return False
