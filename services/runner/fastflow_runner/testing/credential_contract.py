# ruff: noqa: D102 - the names of tests are sentences
"""What becomes of credentials of package indexes on every executor; a part of the contract of environments."""

import asyncio
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

import pytest
from fastflow_events.aggregates.run.specification import Requirements, Specification
from fastflow_events.errors import InfrastructureError
from msgspec import structs

from fastflow_runner.ports import DependencyError, Executor
from fastflow_runner.testing.builders import a_launch, a_specification, bundle_of
from fastflow_runner.testing.executor_contract import read_all
from fastflow_runner.testing.index_attacks import attacks
from fastflow_runner.testing.patient import patiently
from fastflow_runner.testing.private_index import (
    AUTHORIZATION,
    PACKAGE,
    PASSWORD,
    USER,
    listening_index,
    private_index,
    settings,
)


async def output_of(executor: Executor, specification: Specification, lock: str | None = None) -> str:
    """What the script prints, on standard output or error; its environment is prepared first."""
    prepared = await patiently(executor, specification, lock)
    launch = a_launch(specification, prepared)
    async with asyncio.timeout(90):
        await executor.launch(launch)
        out, err = await read_all(executor, launch)
        await executor.wait(launch.ref, launch.nonce)
        await executor.remove(launch.ref)
    return (out + err).decode()


class CredentialContract:
    """Needs a fixture `executor`."""

    async def staged(self, executor: Executor, files: dict[str, str]) -> str:
        tree, bundle = bundle_of(files)
        await executor.stage_code(tree, bundle)
        return tree

    async def test_a_private_index_is_read_with_credentials_that_nobody_sees_afterwards(self, tmp_path: Path) -> None:
        with private_index(self.index_host()) as url:
            executor = self.with_settings(settings(url))
            script = f"import {PACKAGE}, os\nprint({PACKAGE}.WORD, sorted(n for n in os.environ if 'INDEX' in n))\n"
            specification = a_specification(
                await self.staged(executor, {"main.py": script}), requirements=f"{PACKAGE}==1.0\n"
            )
            prepared = await patiently(executor, specification, None)
            assert await output_of(executor, specification) == "private []\n"
            assert not [word for word in (PASSWORD, USER) if word in f"{prepared}"]
            assert PASSWORD.encode() not in await self.traces()
            wrong = self.with_settings(settings(url, "wr0ng-password"))
            with pytest.raises(DependencyError) as refused:
                await wrong.prepare(a_specification("0" * 40, requirements=f"{PACKAGE}>=1\n"), None)
            assert "wr0ng-password" not in str(refused.value)

    async def test_no_pipeline_can_name_a_credential_or_have_it_sent_elsewhere(self) -> None:
        with private_index(self.index_host()) as house, listening_index(self.index_host()) as (url, requests):
            unplaced = {"UV_INDEX_OTHER_USERNAME": USER, "UV_INDEX_OTHER_PASSWORD": PASSWORD}
            executor = self.with_settings({**settings(house), **unplaced, "UV_HTTP_RETRIES": "0"})
            for source, files in attacks(url).values():
                tree = await self.staged(executor, {"main.py": "", **files})
                text, *_ = files.values()
                wanted = Requirements(source=source, text=text, sha256=sha256(tree.encode()).hexdigest())
                specification = structs.replace(a_specification(tree), requirements=wanted)
                with suppress(DependencyError, InfrastructureError):
                    await executor.prepare(specification, None)
            credentials = (PASSWORD, quote(PASSWORD), AUTHORIZATION.split()[1])
            assert [word for word in requests if any(each in word for each in credentials)] == []
            assert len(requests) >= 4, requests

    def index_host(self) -> str:
        """Address of this machine that preparations reach."""
        return "127.0.0.1"

    def with_settings(self, uv_settings: dict[str, str]) -> Executor:
        """An executor with settings for uv, closed with the test."""
        raise NotImplementedError

    async def traces(self) -> bytes:
        """Everything that preparations have left on disk and on the engine."""
        raise NotImplementedError
