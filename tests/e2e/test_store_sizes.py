"""How much NATS may store: derived from its disk, said by settings, kept when it was raised; on the real server."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from fastflow_cli.home import Home
from fastflow_events.nats import topology
from fastflow_events.nats.connection import connect
from fastflow_events.nats.keys import make_keys, seed_path
from fastflow_events.nats.server_conf import STORE_FILE, nats_conf
from fastflow_events.nats.server_process import find_binary
from fastflow_events.service.settings import Settings
from fastflow_events.testing.eventually import eventually
from fastflow_events.testing.nats_server import nats_server
from nats.js.api import StreamConfig

pytestmark = pytest.mark.nats

FASTFLOW = [sys.executable, "-m", "fastflow_cli"]
GB = 10**9


def fastflow(*arguments: str, env: dict[str, str], code: int = 0) -> str:
    done = subprocess.run([*FASTFLOW, *arguments], env=env, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == code, f"{done.returncode}\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr
    return done.stdout if code == 0 else done.stderr


def streams(url: str, seed: Path) -> dict[str, StreamConfig]:
    async def read() -> dict[str, StreamConfig]:
        async with connect(Settings(nats_url=url, nats_seed_file=seed), "test") as nc:
            return {info.config.name or "": info.config for info in await nc.jetstream().streams_info()}

    return asyncio.run(read())


def server_on(folder: Path) -> Any:
    """A server with the configuration that compose mounts, but for its addresses and its folder."""
    binary = find_binary(os.environ)
    ports = folder / "ports"
    shutil.rmtree(ports, ignore_errors=True)
    ports.mkdir(parents=True)
    text = nats_conf().replace("0.0.0.0:4222", "127.0.0.1:-1").replace("127.0.0.1:8222", "127.0.0.1:-1")
    text = text.replace("/var/lib/nats", str(folder / "store")) + f'ports_file_dir: "{ports}"\n'
    (folder / "nats.conf").write_text(text)
    return subprocess.Popen([binary, "-c", folder / "nats.conf"], stderr=subprocess.DEVNULL)


def url_of(folder: Path) -> str:
    async def found() -> str:
        for file in (folder / "ports").glob("*.ports"):
            urls: list[str] = json.loads(file.read_text() or "{}").get("nats", [])
            return urls[0] if urls else ""
        return ""

    return asyncio.run(eventually(found, within_s=30))


def test_what_compose_does_sizes_server_and_streams_from_the_disk_and_takes_settings(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    make_keys(keys)
    deploy = seed_path(keys, "deployer")
    plain = {k: v for k, v in os.environ.items() if not k.endswith("_BYTES")}
    printed = fastflow("size-store", "--folder", str(tmp_path), "--file", str(keys / STORE_FILE), "--json", env=plain)
    store = json.loads(printed)["store_bytes"]
    assert store == int(0.75 * shutil.disk_usage(tmp_path).total)
    server = server_on(tmp_path)
    try:
        url = url_of(tmp_path)
        env = {**plain, "FASTFLOW_NATS_URL": url, "FASTFLOW_NATS_SEED_FILE": str(deploy)}
        env |= {"FASTFLOW_STORE_FILE": str(keys / STORE_FILE)}
        assert "stream FASTFLOW_EVENTS created" in fastflow("deploy-streams", env=env)
        made = streams(url, deploy)
        assert made[topology.OUTPUT].max_bytes == int(0.2 * store)
        assert sum(max(0, config.max_bytes or 0) for config in made.values()) < 0.8 * store
        raised = {**env, "FASTFLOW_EVENTS_BYTES": str((made[topology.EVENTS].max_bytes or 0) + GB)}
        assert "stream FASTFLOW_EVENTS changed: max_bytes" in fastflow("deploy-streams", env=raised)
        assert fastflow("deploy-streams", env=env) == "everything is there already\n"
        assert streams(url, deploy)[topology.EVENTS].max_bytes == (made[topology.EVENTS].max_bytes or 0) + GB
        too_much = {**env, "FASTFLOW_EVENTS_BYTES": str(2 * store)}
        assert "FASTFLOW_STORE_BYTES" in fastflow("deploy-streams", env=too_much, code=1)
    finally:
        server.terminate()
        server.wait()


def test_a_home_of_an_earlier_release_is_refused_in_one_sentence(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.make()

    async def earlier(url: str) -> None:
        async with connect(Settings(nats_url=url), "test") as nc:
            await nc.jetstream().add_stream(
                name=topology.EVENTS,
                subjects=["fastflow.evt.>"],
                deny_delete=True,
                deny_purge=True,
                metadata={"schema": "1"},
                max_bytes=GB,
            )

    # a server with the accounts of `up`, before whose start the stream was made in the account of the streams
    with nats_server(tmp_path / "before") as url:
        asyncio.run(earlier(url))
        shutil.copytree(tmp_path / "before" / "jetstream" / "$G", home.nats / "jetstream" / "CORE")
    pipelines = tmp_path / "pipelines"
    subprocess.run(["git", "init", "-q", "-b", "main", pipelines], check=True)
    arguments = (
        "up",
        "--home",
        str(home.path),
        "--git-url",
        pipelines.as_uri(),
        "--port",
        "0",
        "--executor",
        "process",
    )
    printed = fastflow(*arguments, env=dict(os.environ), code=1)
    [sentence] = [line for line in printed.splitlines() if line.startswith("error:")]
    assert "the log here has shape 1" in sentence
    assert "start with an empty home" in sentence


@pytest.mark.parametrize(("variable", "value"), [("FASTFLOW_STORE_BYTES", "8GB"), ("FASTFLOW_EVENTS_BYTES", "-1")])
def test_a_size_that_is_none_is_refused_before_anything_starts(tmp_path: Path, variable: str, value: str) -> None:
    home = tmp_path / "home"
    env = {**os.environ, variable: value, "FASTFLOW_GIT_URL": tmp_path.as_uri()}
    assert variable in fastflow("up", "--home", str(home), "--executor", "process", env=env, code=2)
    assert not home.exists()
