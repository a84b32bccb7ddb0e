"""Sealed values reach the script and nothing else: the runner as a process, on a real nats-server."""

import base64
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from cryptography.fernet import Fernet
from fastflow_events import subjects
from fastflow_events.aggregates.keyring.decider import Keyring, keyring_decider
from fastflow_events.aggregates.keyring.events import KEYRING
from fastflow_events.aggregates.run.events import RunAttemptFinished, RunStarted
from fastflow_events.aggregates.secret.commands import RemoveSecret, SetSecret
from fastflow_events.aggregates.secret.decider import secret_decider
from fastflow_events.execute import execute
from fastflow_events.nats.direct_get import get_all
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.nats.topology import EVENTS, OUTPUT
from fastflow_events.recorded import Cause
from fastflow_events.sealing import for_secret, for_variable, public_key_of, seal
from fastflow_events.service.sealing_keys import add_key
from fastflow_events.testing.eventually import eventually
from fastflow_events.testing.stored_files import stored_files
from fastflow_runner.testing.living_runner import LivingRunner, chunks_of, facts_of, submit, text_of
from nats.aio.client import Client

pytestmark = pytest.mark.nats

PIPELINE = "tried"
VALUE = 'hunter22/ü&"quoted"'
SHOWS = """
import base64, json, os, sys, urllib.parse
value = os.environ["TOKEN"]
print(len(value), "bytes are there")
print("raw", value)
print("base64", base64.b64encode(("user:" + value).encode()).decode())
print("url", urllib.parse.quote(value, safe=""))
print("json", json.dumps({"token": value}), file=sys.stderr)
print("environment", dict(os.environ))
for character in "one by one: " + value + "\\n":
    sys.stdout.buffer.write(character.encode())
    sys.stdout.buffer.flush()
open(os.environ["FASTFLOW_ROUTE_FILE"], "w").write(value[:60])
"""


@pytest_asyncio.fixture
async def runner(nc: Client, nats_url: str, tmp_path: Path) -> AsyncIterator[LivingRunner]:
    runner = LivingRunner(tmp_path / "home", nats_url, executor="process")
    yield runner
    runner.stop()


async def ring_of(log: JetStreamLog) -> Keyring:
    return keyring_decider.fold((await log.load("keyring", KEYRING)).facts)


async def public_key(log: JetStreamLog) -> bytes:
    async def published() -> str | None:
        return (await ring_of(log)).current

    current = await eventually(published)
    assert current is not None
    return base64.b64decode((await ring_of(log)).keys[current])


async def set_secret(log: JetStreamLog, name: str, value: str, version: int = 1) -> None:
    sealed = seal(await public_key(log), for_secret(name, version), value)
    command = SetSecret(version=version, sealed=sealed, who="test")
    await execute(log, secret_decider, name, command, cause=Cause(correlation_id="c"))


async def finished(log: JetStreamLog, run_id: str, *, within_s: float = 60.0) -> RunAttemptFinished:
    [fact] = await eventually(lambda: facts_of(log, run_id, RunAttemptFinished), within_s=within_s)
    assert isinstance(fact, RunAttemptFinished)
    return fact


async def left_out(log: JetStreamLog, run_id: str) -> dict[str, str]:
    [fact] = await facts_of(log, run_id, RunStarted)
    assert isinstance(fact, RunStarted)
    return fact.manifest.left_out


async def everything_stored(nc: Client) -> bytes:
    """Every byte of the log and of all output."""
    found = b""
    for stream, subject in ((EVENTS, subjects.EVENTS), (OUTPUT, subjects.OUTPUT)):
        async for stored in get_all(nc, stream, subject=subject):
            found += stored.data + repr(stored.headers).encode()
    return found


async def test_a_secret_reaches_the_script_and_no_spelling_of_it_leaves_the_runner(
    runner: LivingRunner, nc: Client, jetstream_log: JetStreamLog, tmp_path: Path
) -> None:
    runner.start()
    await set_secret(jetstream_log, "TOKEN", VALUE)
    run_id = await submit(nc, jetstream_log, SHOWS, secrets={"TOKEN": 1}, env={"PLAIN": "visible"})
    end = await finished(jetstream_log, run_id)
    assert (end.outcome, end.route) == ("succeeded", "***")
    chunks = await chunks_of(nc, run_id)
    out, err = text_of(chunks), text_of(chunks, "stderr")
    assert out.startswith(f"{len(VALUE)} bytes are there\nraw ***\nbase64 ")
    assert "url ***\n" in out
    assert "one by one: ***\n" in out
    assert "'TOKEN': '***'" in out
    assert "'PLAIN': 'visible'" in out
    assert err == 'json {"token": "***"}\n'
    assert end.output_bytes == len(out.encode() + err.encode())
    assert b"hunter22" not in await everything_stored(nc)
    assert "hunter22" not in runner.log_text()
    await eventually(lambda: not list((tmp_path / "home/runner/process/runs").iterdir()))
    assert [path for path, content in stored_files(tmp_path / "home") if b"hunter22" in content] == []


async def test_a_secret_in_the_words_of_an_error_is_masked(
    runner: LivingRunner, nc: Client, jetstream_log: JetStreamLog
) -> None:
    runner.start()
    await set_secret(jetstream_log, "TOKEN", VALUE)
    script = "import os\nraise ValueError(f\"bad token {os.environ['TOKEN']}!\")\n"
    run_id = await submit(nc, jetstream_log, script, secrets={"TOKEN": 1})
    end = await finished(jetstream_log, run_id)
    assert end.error is not None
    assert end.error.in_words == "ValueError: bad token ***!, main.py:2"


async def test_sealed_variables_of_a_pipeline_and_older_tokens_are_opened(
    runner: LivingRunner, nc: Client, jetstream_log: JetStreamLog, tmp_path: Path
) -> None:
    old = Fernet.generate_key()
    (tmp_path / "old.key").write_bytes(old + b"\n")
    runner.start(encryption_key_file=str(tmp_path / "old.key"))
    sealed_env = {
        "NEW": seal(await public_key(jetstream_log), for_variable(PIPELINE, "NEW"), "first value"),
        "OLD": Fernet(old).encrypt(b"second value").decode(),
    }
    script = "import os\nprint(os.environ['NEW'][::-1], os.environ['OLD'][::-1], 'ENCRYPTION_KEY' in os.environ)"
    run_id = await submit(nc, jetstream_log, script, sealed_env=sealed_env)
    assert (await finished(jetstream_log, run_id)).outcome == "succeeded"
    assert text_of(await chunks_of(nc, run_id)) == "eulav tsrif eulav dnoces False\n"
    assert await left_out(jetstream_log, run_id) == {}


async def test_what_cannot_be_opened_is_left_out_and_said_in_the_output_and_in_the_log(
    runner: LivingRunner, nc: Client, jetstream_log: JetStreamLog
) -> None:
    runner.start()
    key = await public_key(jetstream_log)
    await set_secret(jetstream_log, "GOOD", "good value")
    sealed_env = {
        "COPIED": seal(key, for_variable("another", "COPIED"), "hunter22"),
        "FOREIGN": seal(public_key_of(bytes(32)), for_variable(PIPELINE, "FOREIGN"), "hunter22"),
        "OLD": Fernet(Fernet.generate_key()).encrypt(b"hunter22").decode(),
        "PLAIN": "hunter22",
    }
    script = "import os\nprint(sorted({'COPIED', 'FOREIGN', 'OLD', 'PLAIN', 'NEVER', 'GOOD'} & os.environ.keys()))"
    run_id = await submit(nc, jetstream_log, script, sealed_env=sealed_env, secrets={"GOOD": 1, "NEVER": 0, "LATER": 7})
    assert (await finished(jetstream_log, run_id)).outcome == "succeeded"
    chunks = await chunks_of(nc, run_id)
    assert text_of(chunks) == "['GOOD']\n"
    reasons = await left_out(jetstream_log, run_id)
    assert sorted(reasons) == ["COPIED", "FOREIGN", "LATER", "NEVER", "OLD", "PLAIN"]
    text = text_of(chunks, "stderr").splitlines()
    assert text == [f"fast-flow: {name} is left out: {why}" for name, why in sorted(reasons.items())]
    assert "fast-flow: COPIED is left out: it was sealed for something else" in text
    assert "fast-flow: NEVER is left out: there is no secret of this name" in text
    assert "hunter22" not in runner.log_text()


async def test_a_run_keeps_the_version_it_was_dispatched_with(
    runner: LivingRunner, nc: Client, jetstream_log: JetStreamLog
) -> None:
    runner.start()
    await set_secret(jetstream_log, "TOKEN", "the first value")
    await set_secret(jetstream_log, "TOKEN", "the second value", version=2)
    await execute(jetstream_log, secret_decider, "TOKEN", RemoveSecret(who="t"), cause=Cause(correlation_id="c"))
    run_id = await submit(nc, jetstream_log, "import os; print(os.environ['TOKEN'][::-1])", secrets={"TOKEN": 1})
    await finished(jetstream_log, run_id)
    assert text_of(await chunks_of(nc, run_id)) == "eulav tsrif eht\n"


async def test_keys_are_added_without_losing_what_older_ones_sealed(
    runner: LivingRunner, nc: Client, jetstream_log: JetStreamLog, tmp_path: Path
) -> None:
    runner.start()
    await set_secret(jetstream_log, "A", "sealed for the old")
    old = (await ring_of(jetstream_log)).current
    runner.stop()
    new = add_key(tmp_path / "home/runner/sealing.keys")
    runner.start()

    async def in_use() -> bool:
        return (await ring_of(jetstream_log)).current == new

    await eventually(in_use)
    assert new != old
    await set_secret(jetstream_log, "B", "sealed for the new")
    script = "import os; print(os.environ['A'][::-1], os.environ['B'][::-1])"
    run_id = await submit(nc, jetstream_log, script, secrets={"A": 1, "B": 1})
    await finished(jetstream_log, run_id)
    assert text_of(await chunks_of(nc, run_id)) == "dlo eht rof delaes wen eht rof delaes\n"


async def test_output_is_masked_by_a_runner_that_takes_the_attempt_over(
    runner: LivingRunner, nc: Client, jetstream_log: JetStreamLog, tmp_path: Path
) -> None:
    runner.start()
    await set_secret(jetstream_log, "TOKEN", "hunter22")
    go_on = tmp_path / "go on"
    script = (
        "import os, sys, time\nprint('begin', end=' hunt', flush=True)\n"
        f"while not os.path.exists({str(go_on)!r}): time.sleep(0.02)\nprint('er22 and', os.environ['TOKEN'], 'end')\n"
    )
    run_id = await submit(nc, jetstream_log, script, secrets={"TOKEN": 1})
    await eventually(lambda: chunks_of(nc, run_id))
    assert text_of(await chunks_of(nc, run_id)) == "begin "
    runner.kill()
    go_on.touch()
    runner.start()
    assert (await finished(jetstream_log, run_id)).outcome == "succeeded"
    assert text_of(await chunks_of(nc, run_id)) == "begin *** and *** end\n"


async def test_output_is_withheld_by_a_runner_that_cannot_open_what_the_run_was_given(
    runner: LivingRunner, nc: Client, jetstream_log: JetStreamLog, tmp_path: Path
) -> None:
    runner.start()
    await set_secret(jetstream_log, "TOKEN", "hunter22")
    go_on = tmp_path / "go on"
    script = f"import os, time\nwhile not os.path.exists({str(go_on)!r}): time.sleep(0.02)\nprint(os.environ['TOKEN'])"
    run_id = await submit(nc, jetstream_log, script, secrets={"TOKEN": 1})
    await eventually(lambda: facts_of(jetstream_log, run_id, RunStarted))
    runner.kill()
    (tmp_path / "home/runner/sealing.keys").unlink()
    runner.start()
    go_on.touch()
    end = await finished(jetstream_log, run_id)
    assert end.outcome == "succeeded"
    chunks = await chunks_of(nc, run_id)
    assert text_of(chunks) == ""
    assert text_of(chunks, "stderr") == (
        "fast-flow: the output is withheld: TOKEN cannot be opened here any more, so it cannot be masked\n"
    )


async def test_a_second_runner_with_a_key_of_its_own_does_not_take_over_sealing(
    runner: LivingRunner, nc: Client, nats_url: str, jetstream_log: JetStreamLog, tmp_path: Path
) -> None:
    runner.start()
    await public_key(jetstream_log)
    other = LivingRunner(tmp_path / "other home", nats_url, name="r2", executor="process")
    other.start()
    try:
        await eventually(lambda: "sealing_key_kept_back" in other.log_text())
    finally:
        other.stop()
    assert len((await ring_of(jetstream_log)).keys) == 1


async def test_a_new_key_is_published_when_the_file_was_lost_and_nobody_else_has_it(
    runner: LivingRunner, nc: Client, jetstream_log: JetStreamLog
) -> None:
    log = jetstream_log
    runner.start()
    first = await public_key(log)
    runner.stop()
    (runner.log_file.parent / "runner/sealing.keys").unlink()
    runner.start()

    async def replaced() -> bool:
        return await public_key(log) != first

    await eventually(replaced)
    assert "cannot be opened here" in runner.log_text()


async def test_a_key_file_that_others_may_read_ends_the_start_with_a_sentence(
    runner: LivingRunner, nc: Client, jetstream_log: JetStreamLog
) -> None:
    runner.start()
    await public_key(jetstream_log)
    runner.stop()
    (runner.log_file.parent / "runner/sealing.keys").chmod(0o644)
    runner.start()
    assert await runner.ended() == 1
    assert "chmod 600" in runner.log_text()
