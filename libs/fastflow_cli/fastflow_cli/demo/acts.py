"""The steps of the demo against a running installation."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from fastflow_events.service.store import delete_store

from fastflow_cli.client import Gateway, segment
from fastflow_cli.commands.rebuild import HASHES, hashes_from
from fastflow_cli.demo.telling import Story, curl_line
from fastflow_cli.errors import CliError
from fastflow_cli.following import End, Line, follow
from fastflow_cli.local.installation import Installation

FOUND_WITHIN_S = 60.0
ENDED_WITHIN_S = 300.0
ASK_EVERY_S = 0.1
COMPARED_TIMES = 3


async def find_pipelines(door: Gateway, story: Story, commit: str) -> None:
    """Wait until the repository's head is known and show what it holds."""
    story.step("pipelines found")
    deadline = time.monotonic() + FOUND_WITHIN_S
    while not any(r["commit_sha"] == commit for r in (await door.get("/api/repositories"))["items"]):
        if time.monotonic() > deadline:
            raise CliError(f"git_sync did not find the repository's commit within {FOUND_WITHIN_S:g} s")
        await asyncio.sleep(ASK_EVERY_S)
    for pipeline in (await door.get("/api/pipelines"))["items"]:
        story.tell(f"{pipeline['name']} ({pipeline['status']})")


async def trigger(door: Gateway, story: Story, pipeline: str, env: Mapping[str, str]) -> str:
    """Ask for a run over HTTP, as anybody could; returns its id."""
    path, body = f"/api/pipelines/{segment(pipeline)}/run", {"env": dict(env)}
    story.tell(curl_line(door.url, path, body))
    accepted = await door.post(path, body)
    story.tell(f"run {accepted['id']} {accepted['status']}")
    return str(accepted["id"])


async def watch(door: Gateway, story: Story, run_id: str) -> dict[str, Any]:
    """Show the run's output as it comes; returns the run once it has succeeded.

    Raises:
        CliError: it ended otherwise, or not in time.
    """
    async with asyncio.timeout(ENDED_WITHIN_S):
        async for news in follow(door, run_id):
            match news:
                case Line():
                    story.tell(f"{news.stream} {news.at[11:23]}  {news.text}")
                case End() if news.status != "succeeded":
                    raise CliError(f"run {run_id} {news.outcome}: {news.reason}", fix=f"fastflow logs {run_id}")
                case _:
                    pass
    return await door.get(f"/api/runs/{run_id}")


async def show_facts(door: Gateway, story: Story, run_id: str) -> None:
    """Everything the log holds about the run."""
    story.step("facts (seq time type)")
    for fact in (await door.get(f"/api/runs/{run_id}/facts"))["items"]:
        story.tell(f"{fact['seq']} {fact['at']} {fact['type']}")


async def rebuild(door: Gateway, story: Story, installation: Installation) -> int:
    """Delete the read model, let the gateway make it again, compare; returns the stream position.

    Facts that come while the gateway is away make the two incomparable, so it is tried again then.

    Raises:
        CliError: the rebuilt read model is another one.
    """
    story.step("rebuild of the read model")
    for _ in range(COMPARED_TIMES):
        before = await door.get(HASHES)
        await installation.stop_service("gateway")
        delete_store(installation.plan.home.read_model)
        installation.supervisor.restart("gateway")
        await installation.ready("gateway")
        after = await hashes_from(door, before["seq"])
        if after["seq"] == before["seq"]:
            break
    story.tell(f"before  seq {before['seq']}  sha256 {before['sha256']}")
    story.tell(f"after   seq {after['seq']}  sha256 {after['sha256']}")
    if (before["seq"], before["sha256"]) != (after["seq"], after["sha256"]):
        raise CliError("the rebuilt read model differs from the deleted one", fix="fastflow rebuild --check")
    return int(after["seq"])
