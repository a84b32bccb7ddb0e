"""What a script leaves as its result never keeps its run from ending as it did."""

from pathlib import Path

import pytest
from fastflow_events.aggregates.run.events import RunAttemptFinished
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.testing.eventually import eventually
from fastflow_runner.testing.living_runner import LivingRunner, facts_of, submit
from nats.aio.client import Client

pytestmark = pytest.mark.nats

WRITE = "import os; open(os.environ['FASTFLOW_RESULT_FILE'], 'w').write({!s})"


@pytest.mark.parametrize(
    "left",
    [
        ("""'{"a":[' + '1e9,' * 8000 + '1]}'""", "at most 32768 are kept"),
        *(
            (f"""'{{"a":' * {deep} + '1' + '}}' * {deep}""", "nested more than 64 deep")
            for deep in (970, 975, 978, 3000)
        ),
        ("""'{"a":' + '9' * 400 + '}'""", "more than 64 bits"),
        ("""'{"a": "\\\\ud800"}'""", "no JSON object"),
    ],
)
async def test_a_success_stays_one_whatever_result_it_leaves(
    nc: Client, nats_url: str, jetstream_log: JetStreamLog, tmp_path: Path, left: tuple[str, str]
) -> None:
    written, why = left
    runner = LivingRunner(tmp_path / "home", nats_url, executor="process")
    runner.start()
    try:
        run_id = await submit(nc, jetstream_log, WRITE.format(written))
        [end] = await eventually(lambda: facts_of(jetstream_log, run_id, RunAttemptFinished), within_s=60)
    finally:
        runner.stop()
    assert isinstance(end, RunAttemptFinished)
    assert (end.outcome, end.result) == ("succeeded", None)
    assert why in end.result_error
