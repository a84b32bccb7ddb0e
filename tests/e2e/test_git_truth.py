"""The repository is the truth: a push deploys, a revert rolls back, and the code of a run never changes under it."""

import asyncio
import json
import os
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
READS = """\
import pathlib, time
print("began", pathlib.Path("data.txt").read_text(), flush=True)
time.sleep(3)
import late
print("ended", pathlib.Path("data.txt").read_text(), late.WORD, flush=True)
"""


def git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=Ann", "-c", "user.email=ann@example.org")
    done = subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def commit(folder: Path, word: str) -> str:
    """A pipeline every file of which says the same word."""
    (folder / "reads").mkdir(exist_ok=True)
    files = {"main.py": READS, "data.txt": word, "late.py": f"WORD = {word!r}\n"}
    for name, text in files.items():
        (folder / "reads" / name).write_text(text)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "-m", word)
    return git(folder, "rev-parse", "HEAD")


async def deployed(product: Product, head: str) -> None:
    """Return once the head is what runs."""
    await product.http.post("/api/sync", json={})

    async def current() -> bool:
        items = (await product.get("/api/pipelines"))["items"]
        return any(item["name"] == "reads" and item["commit"] == head for item in items)

    await eventually(current)


async def test_a_push_during_a_run_leaves_its_code_unchanged(open_product: Open, tmp_path: Path) -> None:
    folder = tmp_path / "pipelines"
    async with open_product("process") as product:
        old = commit(folder, "old")
        await deployed(product, old)
        run_id = await product.trigger("reads")

        async def began() -> bool:
            return ("stdout", "began old") in await product.lines(run_id)

        await eventually(began)
        new = commit(folder, "new")
        await deployed(product, new)
        assert (await product.ended(run_id))["status"] == "succeeded"
        assert await product.lines(run_id) == [("stdout", "began old"), ("stdout", "ended old old")]
        code = await product.get(f"/api/runs/{run_id}/code")
        assert (code["commit"], code["tree"]) == (old, git(folder, "rev-parse", f"{old}:reads"))
        assert [item["path"] for item in code["items"]] == ["data.txt", "late.py", "main.py"]
        for item in code["items"]:
            file = await product.http.get(f"/api/runs/{run_id}/code/{item['path']}")
            assert file.text.rstrip() == git(folder, "show", f"{old}:reads/{item['path']}")

        second = await product.trigger("reads")
        assert (await product.ended(second))["status"] == "succeeded"
        assert (await product.lines(second))[-1] == ("stdout", "ended new new")
        git(folder, "revert", "--no-edit", "HEAD")
        await deployed(product, git(folder, "rev-parse", "HEAD"))
        third = await product.trigger("reads")
        assert (await product.ended(third))["status"] == "succeeded"
        assert (await product.lines(third))[-1] == ("stdout", "ended old old")


async def test_the_command_plans_a_branch_and_its_exit_code_says_whether_to_merge(
    open_product: Open, tmp_path: Path
) -> None:
    folder = tmp_path / "pipelines"
    async with open_product("process") as product:
        for branch, text in (("fine", '{"schedule_interval_seconds": 60}'), ("sick", "{")):
            git(folder, "checkout", "--quiet", "-B", branch, "main")
            (folder / "hello/pipeline.json").write_text(text)
            git(folder, "add", "--all")
            git(folder, "commit", "--quiet", "-m", branch)
        git(folder, "checkout", "--quiet", "main")

        async def command(*words: str) -> tuple[int, str, str]:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "fastflow_cli", *words),
                env={**os.environ, "FASTFLOW_HOME": str(product.installation.setup.home.path)},
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
            out, err = await asyncio.wait_for(process.communicate(), 60)
            return process.returncode or 0, out.decode(), err.decode()

        code, out, _ = await command("plan", "--ref", "fine")
        assert code == 0
        assert "interval_s: not said → 60.0" in out
        assert "10080 times" in out
        code, _, err = await command("plan", "--ref", "sick")
        assert code == 1
        assert "problem: hello cannot run" in err
        code, out, _ = await command("plan", "--ref", "sick", "--json")
        assert (code, len(json.loads(out)["problems"])) == (1, 1)
        code, _, err = await command("plan", "--ref", "nobody")
        assert code == 4
        assert 'has no branch "nobody"' in err
        code, out, err = await command("gc", "--dry-run", "--json", "--keep-days", "0")
        assert code == 0, err
        assert json.loads(out)["deleted"] == 0
