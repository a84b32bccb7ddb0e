"""What a runner keeps of pipelines: made when a version is stored, deleted when nothing needs it."""

import io
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType

import pytest
from fastflow_events.aggregates.environment.commands import RetireEnvironments
from fastflow_events.aggregates.environment.decider import environment_decider
from fastflow_events.aggregates.environment.events import EnvironmentDeleted, EnvironmentFailed, EnvironmentPrepared
from fastflow_events.aggregates.pipeline.commands import ExpireBundle, FindPipeline
from fastflow_events.aggregates.pipeline.decider import pipeline_decider
from fastflow_events.aggregates.pipeline.events import PipelineVersionStored
from fastflow_events.aggregates.run.commands import RequestCancel
from fastflow_events.aggregates.run.decider import run_decider
from fastflow_events.aggregates.run.events import RunAttemptFinished, RunStarted
from fastflow_events.aggregates.run.specification import Requirements
from fastflow_events.execute import execute
from fastflow_events.log import EventLog
from fastflow_events.nats.accounts import DEFAULT_RUNNER
from fastflow_events.nats.bundles import store_bundle
from fastflow_events.nats.connection import connect
from fastflow_events.nats.deploy import deploy
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.nats.keys import PUBLIC_FILE, make_keys, seed_path
from fastflow_events.recorded import Cause
from fastflow_events.service.settings import Settings
from fastflow_events.testing.eventually import eventually
from fastflow_events.testing.nats_server import nats_server
from fastflow_runner.core.orders import input_name
from fastflow_runner.testing.builders import a_specification, bundle_of
from fastflow_runner.testing.deadline_contract import FOR_EVER
from fastflow_runner.testing.living_runner import LivingRunner, dispatch, facts_of
from fastflow_runner.testing.tiny_packages import building
from msgspec.structs import replace
from nats.aio.client import Client

pytestmark = pytest.mark.nats
NOTHING: Mapping[str, str] = MappingProxyType({})
SCRIPT = "import idna\nprint(idna.__version__)\n"


@asynccontextmanager
async def installation(tmp_path: Path, **settings: str) -> AsyncIterator[tuple[LivingRunner, Client, EventLog]]:
    """A bus with accounts, and a runner that has only its own."""
    make_keys(tmp_path / "keys")
    with nats_server(tmp_path / "nats", config=f'include "../keys/{PUBLIC_FILE}"\n') as url:
        seed = str(seed_path(tmp_path / "keys", DEFAULT_RUNNER))
        runner = LivingRunner(
            tmp_path / "home", url, name=DEFAULT_RUNNER, executor="process", nats_seed_file=seed, **settings
        )
        deployer = Settings(nats_url=url, nats_seed_file=seed_path(tmp_path / "keys", "deployer"))
        async with connect(deployer, "test") as nc:
            await deploy(nc)
            runner.start()
            try:
                yield runner, nc, JetStreamLog(nc, source="/fastflow/test/1")
            finally:
                runner.stop()


async def store(
    nc: Client, log: EventLog, requirements: str, *, commit: str = "a" * 40, more: Mapping[str, str] = NOTHING
) -> PipelineVersionStored:
    """A new version of the pipeline `tried` with these packages, which may lie in its folder."""
    script = SCRIPT if requirements else "print(1)\n"
    tree, bundle = bundle_of({"main.py": f"# {commit}\n{script}", "requirements.txt": requirements, **more})
    await store_bundle(nc, tree, io.BytesIO(bundle), at=datetime.now(UTC))
    digest = sha256((requirements + tree * bool(more)).encode()).hexdigest()
    version = PipelineVersionStored(
        repository="main",
        commit=commit,
        tree=tree,
        definition={},
        requirements=Requirements(source="requirements", text=requirements, sha256=digest),
        bundle_sha256=sha256(bundle).hexdigest(),
        bundle_bytes=len(bundle),
    )
    command = FindPipeline(version=version)
    await execute(log, pipeline_decider, "tried", command, cause=Cause(correlation_id=commit))
    return version


def name_of(version: PipelineVersionStored) -> str:
    """Id of the environment that the version needs."""
    specification = replace(a_specification(version.tree), requirements=version.requirements)
    return input_name(specification, None, "process")


async def test_a_new_version_is_prepared_before_anybody_runs_it(tmp_path: Path) -> None:
    async with installation(tmp_path) as (runner, nc, log):
        version = await store(nc, log, "idna==3.10\n")

        async def prepared() -> bool:
            facts = (await log.load("environment", name_of(version))).facts
            return any(isinstance(fact, EnvironmentPrepared) for fact in facts)

        await eventually(prepared, within_s=60)
        await eventually(lambda: '"preheated"' in runner.log_text())
        specification = replace(a_specification(version.tree), requirements=version.requirements)
        run_id = await dispatch(log, specification)
        [end] = await eventually(lambda: facts_of(log, run_id, RunAttemptFinished), within_s=60)
        assert isinstance(end, RunAttemptFinished)
        assert (end.outcome, end.output_lines) == ("succeeded", 1)
        [started] = await facts_of(log, run_id, RunStarted)
        assert isinstance(started, RunStarted)
        assert started.manifest.prepare_s == 0
        assert "ermission" not in runner.log_text()


async def test_what_a_lost_volume_held_is_prepared_again_and_nothing_when_all_is_there(tmp_path: Path) -> None:
    async with installation(tmp_path) as (runner, nc, log):
        version = await store(nc, log, "idna==3.10\n")
        await eventually(lambda: runner.log_text().count('"preheated"') >= 1, within_s=60)
        before = runner.log_text().count('"preheated"')
        runner.stop()
        runner.start()
        run_id = await dispatch(log, replace(a_specification(version.tree), requirements=version.requirements))
        await eventually(lambda: facts_of(log, run_id, RunAttemptFinished), within_s=60)
        assert runner.log_text().count('"preheated"') == before
        runner.stop()
        shutil.rmtree(tmp_path / "home/runner/process")
        runner.start()
        await eventually(lambda: runner.log_text().count('"preheated"') == before + 1, within_s=60)


async def test_a_build_that_sleeps_keeps_nobody_else_from_being_prepared(tmp_path: Path) -> None:
    async with installation(tmp_path, pre_heat_timeout_s="5") as (runner, nc, log):
        asleep = await store(nc, log, "./lib\n", more=building("sleepy", FOR_EVER))
        root = tmp_path / "home" / "runner" / "process"
        await eventually(lambda: len(processes_in(root)) > 0, within_s=60)
        await store(nc, log, "idna==3.10\n", commit="b" * 40)

        async def failed() -> list[object]:
            return list((await log.load("environment", name_of(asleep))).facts)

        [fact] = await eventually(failed, within_s=90)
        assert isinstance(fact, EnvironmentFailed)
        assert fact.reason == "it took longer than 5 s, and was ended"
        await eventually(lambda: '"preheated"' in runner.log_text(), within_s=60)
        await eventually(lambda: not processes_in(root))


async def test_a_cancel_ends_the_build_that_its_run_waits_for(tmp_path: Path) -> None:
    async with installation(tmp_path, pre_heat="false") as (_, nc, log):
        asleep = await store(nc, log, "./lib\n", more=building("sleepy", FOR_EVER))
        root = tmp_path / "home" / "runner" / "process"
        run_id = await dispatch(log, replace(a_specification(asleep.tree), requirements=asleep.requirements))
        await eventually(lambda: len(processes_in(root)) > 0, within_s=60)
        await execute(log, run_decider, run_id, RequestCancel(who="tester"), cause=Cause(correlation_id="c"))
        [end] = await eventually(lambda: facts_of(log, run_id, RunAttemptFinished), within_s=60)
        assert isinstance(end, RunAttemptFinished)
        assert end.outcome == "cancelled"
        await eventually(lambda: not processes_in(root))


def processes_in(folder: Path) -> list[str]:
    """Processes that were told of a path in the folder."""
    seen = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            words = (entry / "cmdline").read_bytes().decode(errors="replace") if entry.name.isdigit() else ""
            seen += [words] if f"{folder}/" in words else []
    return seen


async def test_packages_that_cannot_be_had_are_told_before_anybody_runs_it_and_once(tmp_path: Path) -> None:
    async with installation(tmp_path) as (runner, nc, log):
        version = await store(nc, log, "idna==99\n")

        async def facts() -> list[object]:
            return list((await log.load("environment", name_of(version))).facts)

        [failed] = await eventually(facts, within_s=60)
        assert isinstance(failed, EnvironmentFailed)
        assert "No solution found" in failed.reason
        await store(nc, log, "idna==3.10\n", commit="b" * 40)
        await eventually(lambda: '"preheated"' in runner.log_text(), within_s=60)
        assert runner.log_text().count('"preheat_failed"') == 1
        assert await facts() == [failed]


async def test_preparing_ahead_can_be_switched_off(tmp_path: Path) -> None:
    async with installation(tmp_path, pre_heat="false") as (_, nc, log):
        version = await store(nc, log, "idna==3.10\n")
        specification = replace(a_specification(version.tree), requirements=version.requirements)
        run_id = await dispatch(log, replace(specification, requirements=Requirements()))
        await eventually(lambda: facts_of(log, run_id, RunAttemptFinished), within_s=60)
        assert (await log.load("environment", name_of(version))).facts == ()
        info = await nc.jetstream().consumer_info("FASTFLOW_EVENTS", "runner-preheat")
        assert info.num_pending == 1


async def test_what_is_retired_is_deleted_and_made_again_from_the_same_lock_for_who_needs_it(tmp_path: Path) -> None:
    async with installation(tmp_path) as (_, nc, log):
        version = await store(nc, log, "idna==3.10\n")
        name = name_of(version)

        async def facts(kind: type[EnvironmentPrepared] | type[EnvironmentDeleted]) -> list[object]:
            return [fact for fact in (await log.load("environment", name)).facts if isinstance(fact, kind)]

        [prepared] = await eventually(lambda: facts(EnvironmentPrepared), within_s=60)
        assert isinstance(prepared, EnvironmentPrepared)
        folder = tmp_path / "home/runner/process/uv/envs" / prepared.environment
        assert folder.is_dir()
        retire = RetireEnvironments(environments=(prepared.environment,), who="ann")
        await execute(log, environment_decider, name, retire, cause=Cause(correlation_id="gc"))
        [deleted] = await eventually(lambda: facts(EnvironmentDeleted), within_s=60)
        assert isinstance(deleted, EnvironmentDeleted)
        assert deleted.freed_bytes > 10_000
        assert not folder.exists()
        specification = replace(a_specification(version.tree), requirements=version.requirements)
        run_id = await dispatch(log, specification)
        [end] = await eventually(lambda: facts_of(log, run_id, RunAttemptFinished), within_s=60)
        assert isinstance(end, RunAttemptFinished)
        assert end.outcome == "succeeded"
        first, again = await facts(EnvironmentPrepared)
        assert isinstance(again, EnvironmentPrepared)
        assert (first, again.lock, again.environment) == (prepared, prepared.lock, prepared.environment)


async def test_code_whose_bundle_expired_is_deleted_and_staged_again_for_who_needs_it(tmp_path: Path) -> None:
    async with installation(tmp_path) as (runner, nc, log):
        versions = [await store(nc, log, "", commit=letter * 40) for letter in "ab"]

        def staged() -> set[Path]:
            return {path.parent for path in (tmp_path / "home/runner/process/code").glob("*/main.py")}

        async def ran(version: PipelineVersionStored) -> None:
            run_id = await dispatch(log, a_specification(version.tree))
            [end] = await eventually(lambda: facts_of(log, run_id, RunAttemptFinished), within_s=60)
            assert isinstance(end, RunAttemptFinished)
            assert end.outcome == "succeeded"

        for version in versions:
            await ran(version)
        assert len(staged()) == 2
        runner.stop()
        expire = ExpireBundle(tree=versions[0].tree)
        await execute(log, pipeline_decider, "tried", expire, cause=Cause(correlation_id="expire"))
        runner.start()
        await eventually(lambda: '"code_deleted"' in runner.log_text(), within_s=60)
        assert len(staged()) == 1
        await ran(versions[0])
        assert len(staged()) == 2
        runner.stop()
        runner.start()
        await ran(versions[0])
        assert (len(staged()), runner.log_text().count('"code_deleted"')) == (2, 1)
