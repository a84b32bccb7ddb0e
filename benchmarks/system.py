"""A complete installation for one benchmark, and what is asked of it."""

import os
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx
from fastflow_cli.home import Home
from fastflow_cli.local.belongings import remove_belongings
from fastflow_cli.local.engine import Engine, client, find_engine
from fastflow_cli.local.installation import Installation, installed
from fastflow_cli.local.plan import plan_up
from fastflow_events.service.installation import id_of

from benchmarks.measure import CannotMeasureError, until
from benchmarks.scripts import make_repository

RUN_WITHIN_S = 120.0


class System:
    """The installation that is measured."""

    def __init__(self, installation: Installation, http: httpx.AsyncClient, engine: Engine | None, code: Path) -> None:
        self.installation = installation
        self.http = http
        self.engine = engine
        """None with the process executor."""
        self.code = code
        """Work tree of the repository."""
        self._docker = client(engine.address) if engine else None

    @property
    def executor(self) -> str:
        """`docker` or `process`; part of the names of the figures."""
        return self.installation.plan.choice.kind

    async def trigger(self, pipeline: str) -> str:
        """Ask for a run; returns its id."""
        answer = await self.http.post(f"/api/pipelines/{pipeline}/run", json={})
        answer.raise_for_status()
        return str(answer.json()["id"])

    async def output(self, run_id: str) -> AsyncIterator[tuple[float, bytes]]:
        """The live stream of a run's output as it arrives: clock of this process, bytes."""
        async with self.http.stream("GET", f"/api/runs/{run_id}/logs/stream") as answer:
            answer.raise_for_status()
            async for piece in answer.aiter_raw():
                yield time.perf_counter(), piece

    async def first_line(self, pipeline: str) -> float:
        """Seconds from the request to the first line of output; returns when the run is over and cleaned away."""
        began, seen, text = time.perf_counter(), 0.0, b""
        run_id = await self.trigger(pipeline)
        async for at, piece in self.output(run_id):
            text += piece
            if not seen and b"event: line" in text:
                seen = at
        if not seen or b'"outcome":"succeeded"' not in text:
            raise CannotMeasureError(f"{pipeline} failed: {(await self.run(run_id))['reason']}")
        await self.gone(run_id)
        return seen - began

    async def run(self, run_id: str) -> dict[str, Any]:
        """The run as the gateway shows it."""
        found: dict[str, Any] = (await self.http.get(f"/api/runs/{run_id}")).json()
        return found

    async def gone(self, run_id: str) -> None:
        """Return once nothing of the run is left on the engine."""
        if (docker := self._docker) is None:
            return
        setup = self.installation.setup

        async def absent() -> bool:
            return (
                docker.get(f"/containers/fastflow-{setup.installation}-{run_id}-1/json").status_code
                == httpx.codes.NOT_FOUND
            )

        await until(absent, "removing the container", within_s=RUN_WITHIN_S, every_s=0.02)


@asynccontextmanager
async def system(settings: Mapping[str, str] = MappingProxyType({})) -> AsyncIterator[System]:
    """A fresh installation with its pipelines discovered; nothing of it is left afterwards.

    `settings` are added to the environment of its services.

    Raises:
        CannotMeasureError: it does not find its pipelines.
        CliError: it does not start.
        InfrastructureError: NATS does not start.
    """
    with tempfile.TemporaryDirectory(prefix="fastflow-bench-", ignore_cleanup_errors=True) as folder:
        code, home = make_repository(Path(folder) / "repository"), Home(Path(folder) / "home")
        plan = plan_up(
            home,
            git_url=code.as_uri(),
            branch="main",
            port=0,
            host="127.0.0.1",
            insecure=False,
            executor=None,
            fixed_ports=False,
            env={**os.environ, **settings},
        )
        engine = find_engine(os.environ) if plan.choice.kind == "docker" else None
        if isinstance(engine, str):
            raise CannotMeasureError(f"a baseline needs the engine itself: {engine}")
        async with (
            installed(plan, lambda _: None) as installation,
            httpx.AsyncClient(base_url=installation.url, timeout=RUN_WITHIN_S, trust_env=False) as http,
        ):
            yield await _discovered(System(installation, http, engine, code))
        if engine is not None:
            remove_belongings(engine, id_of(home.keys))


async def _discovered(found: System) -> System:
    async def all_there() -> bool:
        return len((await found.http.get("/api/pipelines")).json()["items"]) == len(list(found.code.glob("*/main.py")))

    await until(all_there, "finding the pipelines", within_s=30, every_s=0.05)
    return found
