"""A secret from the command line to the script, and nowhere else: every file, every answer, the engine itself."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from docker import DockerClient
from fastflow_cli.testing.product import Product
from fastflow_events.testing.eventually import eventually
from fastflow_events.testing.stored_files import stored_files
from fastflow_runner.testing.socket_proxy import engine_socket

pytestmark = [pytest.mark.nats, pytest.mark.e2e]

Open = Callable[[str], AbstractAsyncContextManager[Product]]

TOKEN, PASSWORD = "tok-3n/&x4711", "pass word ö 0815"
SCRIPT = """
import base64, os, time
print("token", os.environ["API_TOKEN"], len(os.environ["API_TOKEN"]))
print("login", base64.b64encode(("me:" + os.environ["DB_PASSWORD"]).encode()).decode(), "NOT_THERE" in os.environ)
print("begun", flush=True)
time.sleep(3)
"""


async def fastflow(product: Product, *arguments: str, stdin: str = "") -> str:
    """What the command answers."""
    command = [sys.executable, "-m", "fastflow_cli", *arguments, "--url", product.installation.url]
    done = await asyncio.to_thread(
        subprocess.run, command, input=stdin, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


async def commit(product: Product, repository: Path, definition: dict[str, object]) -> None:
    """A pipeline `keeps` at the head, seen by the installation."""
    folder = repository / "keeps"
    folder.mkdir(exist_ok=True)
    (folder / "main.py").write_text(SCRIPT)
    (folder / "pipeline.json").write_text(json.dumps(definition))
    who = ("-c", "user.name=Ann", "-c", "user.email=ann@example.org")
    for git in (("add", "-A"), (*who, "commit", "-q", "-m", "keeps")):
        await asyncio.to_thread(subprocess.run, ["git", *git], cwd=repository, check=True)
    await product.http.post("/api/sync", json={})

    async def found() -> bool:
        names = [item["name"] for item in (await product.get("/api/pipelines"))["items"]]
        return "keeps" in names

    await eventually(found)


def inspected(container: str) -> str:
    """Everything the engine says of the run's container and the processes in it."""
    socket = engine_socket()
    assert socket is not None
    client = DockerClient(base_url=f"unix://{socket}")
    try:
        found = client.containers.get(container)
        return json.dumps([found.attrs, found.top(), found.logs().decode()[:200]])
    finally:
        client.close()


@pytest.mark.parametrize("executor", ["process", pytest.param("docker", marks=pytest.mark.docker)])
async def test_a_secret_reaches_the_script_and_nothing_else(open_product: Open, executor: str, tmp_path: Path) -> None:
    async with open_product(executor) as product:
        home = product.installation.plan.home.path
        await eventually((home / "runner" / "sealing.keys").exists)
        assert (home / "runner" / "sealing.keys").stat().st_mode & 0o077 == 0

        async def published() -> bool:
            return bool((await product.get("/api/secrets/public-key"))["key_id"])

        await eventually(published)
        assert json.loads(await fastflow(product, "secret", "set", "API_TOKEN", "--json", stdin="old"))["version"] == 1
        await fastflow(product, "secret", "set", "API_TOKEN", stdin=f"{TOKEN}\n")
        sealed = await fastflow(product, "seal", "keeps", "DB_PASSWORD", stdin=PASSWORD)
        await commit(
            product,
            tmp_path / "pipelines",
            {"secrets": ["API_TOKEN", "NOT_THERE"], "encrypted_env": {"DB_PASSWORD": sealed}},
        )
        run_id = await product.trigger("keeps")

        async def begun() -> bool:
            return ("stdout", "begun") in await product.lines(run_id)

        await eventually(begun)
        seen = inspected((await product.get(f"/api/runs/{run_id}"))["container"]) if executor == "docker" else ""
        assert (await product.ended(run_id))["status"] == "succeeded"
        lines = await product.lines(run_id)
        assert lines[0] == ("stderr", "fast-flow: NOT_THERE is left out: there is no secret of this name")
        assert lines[1] == ("stdout", f"token *** {len(TOKEN)}")
        assert lines[2][1].startswith("login ")
        assert lines[2][1].endswith(" False")
        listed = await fastflow(product, "secret", "list")
        assert "API_TOKEN" in listed
        await fastflow(product, "secret", "remove", "API_TOKEN")
        answers = [
            json.dumps(await product.get(path))
            for path in ("/api/secrets", f"/api/runs/{run_id}", f"/api/runs/{run_id}/facts", "/api/events?tail=500")
        ]
        assert json.loads(answers[0])["items"] == [] or await eventually(lambda: gone(product))
    files = dict(stored_files(home))
    assert any(path.suffix == ".blk" for path in files)
    hidden = (TOKEN.encode(), PASSWORD.encode(), b"4711", b"0815")
    leaks = {str(path) for path, content in files.items() for secret in hidden[:2] if secret in content}
    assert leaks == set()
    assert all(secret.decode() not in text for secret in hidden[:2] for text in (*answers, seen, listed))
    assert os.environ.get("API_TOKEN") is None


async def gone(product: Product) -> bool:
    return not (await product.get("/api/secrets"))["items"]
