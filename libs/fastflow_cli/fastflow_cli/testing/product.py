"""A whole installation as `fastflow up` starts it, for tests that use it and break it."""

import asyncio
import os
import signal
import subprocess
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from fastflow_events.service.installation import id_of
from fastflow_events.testing.eventually import eventually

from fastflow_cli.home import Home
from fastflow_cli.local.belongings import remove_belongings
from fastflow_cli.local.installation import Installation, InstallPlan, installed
from fastflow_cli.local.plan import plan_up
from fastflow_cli.local.ports import any_free
from fastflow_cli.local.services import command, environment
from fastflow_cli.local.spawn import spawn

STEADY = """\
import os, sys, time
print("begin", flush=True)
for n in range(1, int(os.environ.get("STEPS", "40")) + 1):
    print(n, flush=True)
    print("e", n, file=sys.stderr, flush=True)
    time.sleep(0.1)
print("end, without a newline", end="", flush=True)
"""
"""Four seconds of output, or as many steps as asked; what begins twice, ends early or loses a line shows it."""
GROWS = """\
import signal, sys, time

def end(*_):
    print(" and stops")
    sys.exit(3)

signal.signal(signal.SIGTERM, end)
print("it works", end="", flush=True)
print("\\r10%", end="", file=sys.stderr, flush=True)
time.sleep(600)
"""
"""Writes lines that do not end before it is told to."""
FILES = {
    "hello/main.py": 'print("Hello, world!")\n',
    "steady/main.py": STEADY,
    "grows/main.py": GROWS,
    "broken/main.py": "print('never')\n",
    "broken/pipeline.json": '{"timeout": "soon", "enabled": false',
    "fails/main.py": "import sys; print('about to fail'); sys.exit(3)\n",
    "fetches/main.py": 'import requests; print("requests", requests.__version__)\n',
    "fetches/requirements.txt": "requests\n",
}


def repository(folder: Path) -> Path:
    """A real Git repository with a few pipelines."""
    for name, text in FILES.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    who = ("-c", "user.name=Ann", "-c", "user.email=ann@example.org")
    for arguments in (("init", "-q", "-b", "main"), ("add", "-A"), (*who, "commit", "-q", "-m", "pipelines")):
        subprocess.run(["git", *arguments], cwd=folder, check=True)
    return folder


class Product:
    """The installation, as somebody uses it and as somebody breaks it."""

    def __init__(self, installation: Installation, http: httpx.AsyncClient, announced: list[str]) -> None:
        self.installation = installation
        self.http = http
        self.announced = announced

    async def trigger(self, pipeline: str, **more: Any) -> str:
        """Ask for a run; returns its id."""
        answer = await self.http.post(f"/api/pipelines/{pipeline}/run", json={}, **more)
        assert answer.status_code == 202, answer.text
        run_id: str = answer.json()["id"]
        return run_id

    async def get(self, path: str, **params: Any) -> Any:
        """What a path answers now; a gateway that is away counts as an assertion that does not hold yet."""
        try:
            answer = await self.http.get(path, params=params)
        except httpx.TransportError as exc:
            raise AssertionError(f"the gateway is away: {exc!r}") from exc
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def ended(self, run_id: str, within_s: float = 60.0) -> Any:
        """The run, once it is over."""

        async def over() -> Any:
            run = await self.get(f"/api/runs/{run_id}")
            return run if run["outcome"] or run["status"] == "rejected" else None

        return await eventually(over, within_s=within_s)

    async def lines(self, run_id: str) -> list[tuple[str, str]]:
        """Every line of a run's output: stream and text, in order."""
        found: list[tuple[str, str]] = []
        cursor: str | None = None
        while True:
            params = {"cursor": cursor} if cursor else {}
            page = await self.get(f"/api/runs/{run_id}/logs", **params)
            found += [(line["stream"], line["text"]) for line in page["items"]]
            cursor = page["next"]
            if not cursor:
                return found

    async def facts(self, run_id: str) -> list[str]:
        """The wire names of a run's facts, in order."""
        page = await self.get(f"/api/runs/{run_id}/facts")
        return [fact["type"] for fact in page["items"]]

    def kill(self, service: str) -> None:
        """Kill -9."""
        os.kill(self.installation.supervisor.pids()[service], signal.SIGKILL)

    async def another(self, service: str) -> str:
        """Start a second process of a service; returns its URL."""
        port, name, setup = any_free(), f"{service}-2", self.installation.setup
        own = setup.own(service) | {"FASTFLOW_INSTANCE": name, "FASTFLOW_HOME": f"{setup.home.path}/second"}
        own |= {"FASTFLOW_PORT" if service == "gateway" else "FASTFLOW_HEALTH_PORT": str(port)}
        env, log = environment(self.installation.plan.env, own), setup.home.log_of(name)
        self.installation.supervisor.start(name, lambda: spawn(command(service), env, log))
        url = f"http://127.0.0.1:{port}"

        async def ready() -> bool:
            async with httpx.AsyncClient() as http:
                try:
                    return (await http.get(f"{url}/health/ready")).status_code == 200
                except httpx.TransportError:
                    return False

        await eventually(ready)
        return url


@asynccontextmanager
async def _cleared(plan: InstallPlan) -> AsyncGenerator[None]:
    """Leave nothing of it on the engine."""
    yield
    if plan.proxy is not None:
        await asyncio.to_thread(remove_belongings, plan.proxy.engine, id_of(plan.home.keys))


@asynccontextmanager
async def open_product(folder: Path, executor: str) -> AsyncGenerator[Product]:
    """An installation under `folder` on the named executor, with the pipelines of `FILES` found.

    Raises:
        MissingError: this machine lacks what the executor needs.
    """
    source = folder / "pipelines"
    source.mkdir()
    plan = plan_up(
        Home(folder / "home"),
        git_url=repository(source).as_uri(),
        branch="main",
        port=0,
        host="127.0.0.1",
        insecure=False,
        executor=executor,
        fixed_ports=False,
        env={**os.environ, "FASTFLOW_PRE_HEAT": "false"},  # facts come from what the test does, and from nothing else
    )
    announced: list[str] = []
    async with (
        _cleared(plan),
        installed(plan, announced.append) as installation,
        httpx.AsyncClient(base_url=installation.url, timeout=20) as http,
    ):
        product = Product(installation, http, announced)

        async def found() -> bool:
            return len((await product.get("/api/pipelines"))["items"]) == len({f.split("/")[0] for f in FILES})

        await eventually(found)
        yield product
