"""`fastflow env verify` where Fast-Flow runs, before and after somebody has changed what runs are started from."""

import asyncio
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest
from fastflow_cli.exits import Exit
from fastflow_cli.testing.product import Product

pytestmark = [pytest.mark.nats, pytest.mark.e2e]
Open = Callable[[str], AbstractAsyncContextManager[Product]]


async def verify(product: Product) -> "subprocess.CompletedProcess[str]":
    """What somebody at the terminal sees."""
    command = [
        sys.executable,
        "-m",
        "fastflow_cli",
        "env",
        "verify",
        "--home",
        str(product.installation.plan.home.path),
    ]
    return await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("executor", ["process", pytest.param("docker", marks=pytest.mark.docker)])
async def test_what_is_as_it_was_made_is_said_to_be_so(open_product: Open, executor: str) -> None:
    async with open_product(executor) as product:
        assert (await product.ended(await product.trigger("hello")))["status"] == "succeeded"
        done = await verify(product)
        assert (done.stdout, done.stderr) == ("1 trees and 0 wheels were looked through: none changed\n", "")
        assert done.returncode == Exit.OK


async def test_what_was_changed_is_named_and_the_next_run_finds_it_made_again(open_product: Open) -> None:
    async with open_product("process") as product:
        assert (await product.ended(await product.trigger("hello")))["status"] == "succeeded"
        (script,) = product.installation.plan.home.path.glob("runner/process/code/*/main.py")
        script.write_text("print('poisoned')\n")
        done = await verify(product)
        assert "main.py has changed" in done.stdout
        assert done.returncode == Exit.FAILED
        run_id = await product.trigger("hello")
        assert (await product.ended(run_id))["status"] == "succeeded"
        assert await product.lines(run_id) == [("stdout", "Hello, world!")]
        assert (await verify(product)).returncode == Exit.OK
