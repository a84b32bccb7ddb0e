"""A repository of a thousand pipelines: read for the first time, and read again when nothing has changed.

What has to be stored at first costs what the bus takes for it, so the first time is also compared with Git and as many
bare publishes.
"""

import asyncio
import shutil
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastflow_events import subjects
from fastflow_events.aggregates.repository.commands import RequestSync
from fastflow_events.aggregates.repository.decider import Repository, repository_decider
from fastflow_events.envelope import body_of, headers_of
from fastflow_events.execute import execute
from fastflow_events.nats.bundles.names import chunk_subject, meta_subject
from fastflow_events.nats.connection import connect
from fastflow_events.nats.deploy import deploy
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.recorded import Cause
from fastflow_events.service.for_each import for_each
from fastflow_events.service.settings import Settings
from fastflow_events.testing.nats_server import nats_server
from fastflow_git_sync.app import build
from fastflow_git_sync.handlers import AT_ONCE
from fastflow_git_sync.settings import GitSyncSettings

from benchmarks.measure import CannotMeasureError, interleaved, sample, until
from benchmarks.results import Figure
from benchmarks.stories import story

PIPELINES = 1000
FIRST_ROUNDS, AGAIN_ROUNDS = 2, 8
WITHIN_S = 180.0
PUBLISHES = 4
"""For each pipeline: its code, the description of that, and two facts."""
BUNDLE, DESCRIPTION = bytes(400), bytes(300)
"""About as long as what is stored of these pipelines."""
WHO = ("-c", "user.name=Ann", "-c", "user.email=ann@example.org")


async def measure() -> list[Figure]:
    """git_sync on a real bus, in turn with Git alone: `git fetch` into a bare repository and `git ls-tree`."""
    with tempfile.TemporaryDirectory(prefix="fastflow-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        origin = repository(folder / "origin")
        rounds = [
            (await first_sync(folder, origin), await bare_first(folder, origin), await bare_stored(folder))
            for _ in range(FIRST_ROUNDS)
        ]
        first, first_bare, stored = map(list, zip(*rounds, strict=True))
        async with watching(folder / "again", origin) as log:
            await bare_first(folder, origin, keep=True)
            again, again_bare = await interleaved(
                lambda: synced_again(log), lambda: bare_again(folder, origin), rounds=AGAIN_ROUNDS, warm_up=2
            )
    title, git = f"first sync of {PIPELINES} pipelines", f"git fetch and git ls-tree of the same {PIPELINES} folders"
    with_stored = [a + b for a, b in zip(first_bare, stored, strict=True)]
    publishes = f"the same, and {PUBLISHES * PIPELINES} bare publishes, {AT_ONCE} at a time, on a bus of their own"
    rows = [
        (f"{title}: facts and bundles stored", first, first_bare, git),
        (f"{title}, against what has to be stored", first, with_stored, publishes),
        (f"sync of {PIPELINES} pipelines without a change, asked and answered", again, again_bare, git),
    ]
    return [
        Figure(name=title, ours=sample(_ms(mine)), bare=sample(_ms(theirs)), unit="ms", against=against, budget=None)
        for title, mine, theirs, against in rows
    ]


def repository(path: Path) -> Path:
    """A thousand folders, each with a script, packages and a description of its own."""
    for n in range(PIPELINES):
        folder = path / f"pipeline-{n:04}"
        folder.mkdir(parents=True)
        (folder / "main.py").write_text(f"print('pipeline {n}')\n" * 20)
        (folder / "requirements.txt").write_text("requests\n")
        (folder / "pipeline.json").write_text(f'{{"description": "Number {n}", "timeout": {n + 1}}}')
    for words in (("init", "-q", "-b", "main"), ("add", "-A"), (*WHO, "commit", "-q", "-m", "Pipelines")):
        subprocess.run(["git", *words], cwd=path, check=True)
    return path


@asynccontextmanager
async def watching(folder: Path, origin: Path) -> AsyncIterator[JetStreamLog]:
    """git_sync on a bus of its own, with everything read once."""
    folder.mkdir()
    with nats_server(folder / "nats") as url:
        settings = GitSyncSettings(nats_url=url, home=folder, git_url=origin.as_uri(), poll_every_s=0)
        async with connect(Settings(nats_url=url), "benchmark") as nc:
            await deploy(nc)
            log = JetStreamLog(nc, source="/fastflow/benchmark/1")
            app = build(settings)
            task = asyncio.create_task(app.run())
            try:

                async def read() -> bool:
                    return (await state(log)).commit is not None

                await until(read, "the first sync", within_s=WITHIN_S, every_s=0.02)
                if (found := (await state(log)).pipelines) != PIPELINES:
                    raise CannotMeasureError(f"{found} pipelines were found, not {PIPELINES}")
                yield log
            finally:
                app.exit()
                await task


async def state(log: JetStreamLog) -> Repository:
    """The repository as it is now."""
    return repository_decider.fold((await log.load("repository", "main")).facts)


async def first_sync(folder: Path, origin: Path) -> float:
    """Seconds from the start of git_sync, which knows nothing, until all is stored."""
    home = folder / "first"
    began = time.perf_counter()
    async with watching(home, origin):
        took = time.perf_counter() - began
    shutil.rmtree(home)
    return took


async def bare_stored(folder: Path) -> float:
    """Seconds from the start of a bus until as much is stored as a first sync stores, in the same streams."""
    home = folder / "stored"
    began = time.perf_counter()
    with nats_server(home) as url:
        async with connect(Settings(nats_url=url), "benchmark") as nc:
            await deploy(nc)
            js = nc.jetstream(timeout=10)
            recorded = story(0)[0]
            headers, fact = headers_of(recorded), body_of(recorded.fact)

            async def store(n: int) -> None:
                await js.publish(chunk_subject(f"bare{n}"), BUNDLE)
                await js.publish(meta_subject(f"{n:040x}"), DESCRIPTION)
                for name in ("version_stored", "discovered"):
                    await js.publish(subjects.event("pipeline", f"bare-{n}", name), fact, headers=headers)

            await for_each(range(PIPELINES), store, at_once=AT_ONCE)
            took = time.perf_counter() - began
    shutil.rmtree(home, ignore_errors=True)
    return took


async def synced_again(log: JetStreamLog) -> float:
    """Seconds from a request to fetch until it is answered."""
    began = time.perf_counter()
    command = RequestSync(who="benchmark")
    await execute(log, repository_decider, "main", command, cause=Cause(correlation_id="benchmark"))

    async def answered() -> bool:
        now = await state(log)
        return now.requests == now.answered

    await until(answered, "the sync", within_s=WITHIN_S, every_s=0.005)
    return time.perf_counter() - began


async def bare_first(folder: Path, origin: Path, *, keep: bool = False) -> float:
    """Seconds for a fresh bare copy and a listing of every file."""
    copy = folder / "bare.git"
    shutil.rmtree(copy, ignore_errors=True)
    began = time.perf_counter()
    await git("init", "-q", "--bare", str(copy))
    await fetched(copy, origin)
    took = time.perf_counter() - began
    if not keep:
        shutil.rmtree(copy)
    return took


async def bare_again(folder: Path, origin: Path) -> float:
    """Seconds for a fetch that brings nothing, and a listing."""
    began = time.perf_counter()
    await fetched(folder / "bare.git", origin)
    return time.perf_counter() - began


async def fetched(copy: Path, origin: Path) -> None:
    """Fetch the branch and list every file at it."""
    await git(f"--git-dir={copy}", "fetch", "-q", origin.as_uri(), "+refs/heads/main:refs/heads/main")
    await git(f"--git-dir={copy}", "ls-tree", "-r", "-l", "main")


async def git(*words: str) -> None:
    """Run Git to its end.

    Raises:
        CannotMeasureError: it failed.
    """
    process = await asyncio.create_subprocess_exec("git", *words, stdout=asyncio.subprocess.DEVNULL)
    if await process.wait():
        raise CannotMeasureError(f"the baseline failed: git {' '.join(words)}")


def _ms(seconds: list[float]) -> list[float]:
    return [value * 1000 for value in seconds]
