"""The runner under its own account on the bus: the subjects it may use are all it needs."""

from pathlib import Path

import pytest
from fastflow_events.aggregates.run.commands import RequestCancel
from fastflow_events.aggregates.run.decider import run_decider
from fastflow_events.aggregates.run.events import RunAttemptFinished, RunStarted
from fastflow_events.execute import execute
from fastflow_events.nats.accounts import DEFAULT_RUNNER
from fastflow_events.nats.connection import connect
from fastflow_events.nats.deploy import deploy
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.nats.keys import PUBLIC_FILE, make_keys, seed_path
from fastflow_events.nats.leases import heartbeat_of
from fastflow_events.recorded import Cause
from fastflow_events.service.settings import Settings
from fastflow_events.testing.eventually import eventually
from fastflow_events.testing.nats_server import nats_server
from fastflow_runner.testing.living_runner import LivingRunner, chunks_of, facts_of, submit, text_of

pytestmark = pytest.mark.nats


async def test_a_runner_with_the_rights_of_a_runner_executes_adopts_and_cancels(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    make_keys(keys)
    with nats_server(tmp_path / "nats", config=f'include "../keys/{PUBLIC_FILE}"\n') as url:
        seed = str(seed_path(keys, DEFAULT_RUNNER))
        runner = LivingRunner(tmp_path / "home", url, name=DEFAULT_RUNNER, executor="process", nats_seed_file=seed)
        deployer = Settings(nats_url=url, nats_seed_file=seed_path(keys, "deployer"))
        async with connect(deployer, "test") as nc:
            await deploy(nc)
            log = JetStreamLog(nc, source="/fastflow/test/1")
            runner.start()
            try:
                run_id = await submit(nc, log, "print('allowed')")
                [end] = await eventually(lambda: facts_of(log, run_id, RunAttemptFinished))
                assert isinstance(end, RunAttemptFinished)
                assert end.outcome == "succeeded"
                assert text_of(await chunks_of(nc, run_id)) == "allowed\n"
                endless = await submit(nc, log, "import time\nprint(1, flush=True)\ntime.sleep(60)")
                await eventually(lambda: facts_of(log, endless, RunStarted))
                runner.kill()
                runner.start()
                await eventually(lambda: "attempt_adopted" in runner.log_text())
                await execute(log, run_decider, endless, RequestCancel(who="ann"), cause=Cause(correlation_id="c"))
                [end] = await eventually(lambda: facts_of(log, endless, RunAttemptFinished))
                assert isinstance(end, RunAttemptFinished)
                assert end.outcome == "cancelled"
                assert await heartbeat_of(nc, DEFAULT_RUNNER)
            finally:
                runner.stop()
        assert "ermission" not in runner.log_text()
