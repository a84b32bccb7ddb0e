"""A secret that is used, abused and printed is found nowhere afterwards, in no spelling: a canary.

Looked through are the whole home (streams, buckets, SQLite files, logs of services, nats-server and proxy), what the
engine says and keeps of containers and volumes, and command lines and environments of all processes.
"""

import asyncio
import json
import secrets
import subprocess
import sys
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from docker import DockerClient
from fastflow_cli.testing.product import Product
from fastflow_events.nats.accounts import DEFAULT_RUNNER
from fastflow_events.nats.connection import connect
from fastflow_events.nats.keys import seed_path
from fastflow_events.service.settings import Settings
from fastflow_events.testing.eventually import eventually
from fastflow_events.testing.stored_files import stored_files
from fastflow_runner.testing.socket_proxy import engine_socket

pytestmark = [pytest.mark.nats, pytest.mark.e2e, pytest.mark.timeout(600)]

Open = Callable[[str], AbstractAsyncContextManager[Product]]
SCRIPT = """
import base64, json, os, pathlib, subprocess, sys, time, urllib.parse
bird = os.environ["CANARY"]
based = base64.b64encode(bird.encode()).decode()
for spelling in (bird, repr(bird), json.dumps(bird), urllib.parse.quote(bird), based):
    print("out", spelling)
    print("err", spelling, file=sys.stderr)
for piece in (bird[:9], bird[9:]):
    sys.stdout.write(piece)
    sys.stdout.flush()
    time.sleep(0.2)
print()
pathlib.Path(os.environ["FASTFLOW_RESULT_FILE"]).write_text(json.dumps({"bird": bird, bird: 1}))
pathlib.Path(os.environ["FASTFLOW_ROUTE_FILE"]).write_text(bird)
subprocess.run([sys.executable, "-c", "import os; print('child', os.environ['CANARY'])"])
os.environ[bird[:4]] = bird
print("begun", flush=True)
time.sleep(float(os.environ.get("SLEEP", "0")))
if os.environ.get("END") == "raise":
    raise RuntimeError(bird)
sys.exit(bird if os.environ.get("END") == "exit" else 0)
"""


def spellings(value: str) -> Iterator[bytes]:
    """The value as it stands in a text of any usual kind; of base64, what is certain wherever it begins."""
    raw = value.encode()
    yield raw
    yield from (raw.hex().encode(), raw.hex().upper().encode())
    yield from (quote(value, safe="").encode(), quote(value).encode(), quote_plus(value).encode())
    yield json.dumps(value)[1:-1].encode()
    for encode in (b64encode, urlsafe_b64encode):
        for before in range(3):
            yield encode(bytes(before) + raw)[-(-before * 8 // 6) : (before + len(raw)) * 8 // 6]


def having(value: str, texts: Iterable[tuple[str, bytes]]) -> list[str]:
    """Where it stands."""
    wanted = set(spellings(value))
    return [f"{name}: {found!r}" for name, text in texts for found in wanted if found in text]


def named_files(*folders: Path) -> Iterator[tuple[str, bytes]]:
    return ((str(path), content) for path, content in stored_files(*folders))


def of_processes(*, user_code: bool = False) -> Iterator[tuple[str, bytes]]:
    """Command lines of all processes, and environments of those that are user code, or are not."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            yield f"{folder}/cmdline", (folder / "cmdline").read_bytes()
            environment = (folder / "environ").read_bytes()
        except OSError:
            continue
        if (b"\0FASTFLOW_RUN_ID=" in b"\0" + environment) == user_code:
            yield f"{folder}/environ", environment


def of_the_engine() -> Iterator[tuple[str, bytes]]:
    """What the engine says of every container and volume."""
    socket = engine_socket()
    assert socket is not None
    client = DockerClient(base_url=f"unix://{socket}")
    try:
        for container in client.containers.list(all=True, ignore_removed=True):
            yield f"inspect {container.name}", json.dumps(container.attrs).encode()
        for volume in client.volumes.list():
            yield f"inspect {volume.name}", json.dumps(volume.attrs).encode()
    finally:
        client.close()


def kept_by_the_engine() -> Iterator[tuple[str, bytes]]:
    """The engine's own files of containers and the volumes themselves; only root may read them."""
    socket = engine_socket()
    assert socket is not None
    client = DockerClient(base_url=f"unix://{socket}")
    try:
        root = Path(client.info()["DockerRootDir"])
    finally:
        client.close()
    yield from named_files(root / "containers", root / "volumes")


async def fastflow(product: Product, *arguments: str, stdin: str) -> None:
    command = [sys.executable, "-m", "fastflow_cli", *arguments, "--url", product.installation.url]
    done = await asyncio.to_thread(
        subprocess.run, command, input=stdin, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr


async def commit(product: Product, repository: Path) -> None:
    folder = repository / "sings"
    folder.mkdir()
    (folder / "main.py").write_text(SCRIPT)
    (folder / "pipeline.json").write_text(json.dumps({"secrets": ["CANARY"]}))
    who = ("-c", "user.name=Ann", "-c", "user.email=ann@example.org")
    for git in (("add", "-A"), (*who, "commit", "-q", "-m", "sings")):
        await asyncio.to_thread(subprocess.run, ["git", *git], cwd=repository, check=True)
    await product.http.post("/api/sync", json={})

    async def found() -> bool:
        return "sings" in [item["name"] for item in (await product.get("/api/pipelines"))["items"]]

    await eventually(found, within_s=60)


async def ask(product: Product, **env: str) -> str:
    answer = await product.http.post("/api/pipelines/sings/run", json={"env": env})
    assert answer.status_code == 202, answer.text
    run_id: str = answer.json()["id"]
    return run_id


async def begun(product: Product, run_id: str) -> None:
    async def said() -> bool:
        return ("stdout", "begun") in await product.lines(run_id)

    await eventually(said, within_s=120)


async def lie(product: Product, run_id: str) -> None:
    """What somebody says of a run who has stolen a runner's key."""
    installation = product.installation
    stolen = Settings(
        nats_url=installation.nats_url, nats_seed_file=seed_path(installation.plan.home.keys, DEFAULT_RUNNER)
    )
    async with connect(stolen, "thief") as nc:
        for name in ("claimed", "adopted", "soft_limit_exceeded", "cell_finished"):
            await nc.publish(f"fastflow.evt.run.{run_id}.{name}.{DEFAULT_RUNNER}", b'{"attempt":9}')
        await nc.publish(f"fastflow.out.{run_id}.9.{DEFAULT_RUNNER}", b"junk")
        await nc.flush()


@pytest.mark.parametrize("executor", ["process", pytest.param("docker", marks=pytest.mark.docker)])
async def test_a_canary_is_found_nowhere(open_product: Open, executor: str, tmp_path: Path) -> None:
    canary = f"cnry/{secrets.token_hex(12)}+&é{secrets.token_hex(12)}"
    async with open_product(executor) as product:
        home = product.installation.plan.home.path

        async def published() -> bool:
            return bool((await product.get("/api/secrets/public-key"))["key_id"])

        await eventually(published, within_s=60)
        await fastflow(product, "secret", "set", "CANARY", stdin=canary)
        await commit(product, tmp_path / "pipelines")

        ends = [await ask(product, END=end) for end in ("", "raise", "exit")]
        for run_id in ends:
            await product.ended(run_id, within_s=120)
        long = await ask(product, SLEEP="600")
        await begun(product, long)
        product.kill("runner")
        texts = [*of_processes(), *(of_the_engine() if executor == "docker" else ())]
        assert having(canary, texts) == []
        assert having(canary, of_processes(user_code=True)), "nobody was given it, or nothing is found"
        await product.http.post(f"/api/runs/{long}/cancel", json={})
        assert (await product.ended(long, within_s=180))["outcome"] == "cancelled"
        lied_about = await ask(product, SLEEP="3")
        await lie(product, lied_about)
        good = await ask(product)
        assert (await product.ended(good, within_s=180))["outcome"] == "succeeded"
        assert any("***" in text for _, text in await product.lines(good)), "it was never printed at all"

        answers = []
        for run_id in (*ends, long, lied_about, good):
            for path in ("", "/facts", "/logs", "/artifacts", "/why"):
                answer = await product.http.get(f"/api/runs/{run_id}{path}")
                answers.append((f"GET {run_id}{path}", answer.content))
        answers += [(path, (await product.http.get(path)).content) for path in ("/api/events?tail=500", "/metrics")]
        assert having(canary, answers) == []
        if executor == "docker":

            async def removed() -> bool:
                names = [name for name, _ in of_the_engine()]
                return not any(run_id in name for name in names for run_id in (*ends, long, lied_about, good))

            await eventually(removed, within_s=120)
            kept = [*kept_by_the_engine()]
            assert kept, "the engine's own files cannot be read"
            assert having(canary, [*of_the_engine(), *kept]) == []
        assert having(canary, of_processes()) == []
    assert having(canary, named_files(home)) == []
