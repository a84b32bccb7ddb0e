"""How long a look at the queue serves."""

from datetime import timedelta

from fastflow_events.testing.builders import NOON
from fastflow_gateway.queue_snapshot import QueueSnapshot, Seen
from fastflow_rules.queue.waits import PipelinePaused

KNOWN = {"r1": Seen(position=1, reason="the pipeline is paused", reason_message=PipelinePaused().message)}


def looked(took_s: float) -> QueueSnapshot:
    snapshot = QueueSnapshot()
    snapshot.keep(KNOWN, began=NOON - timedelta(seconds=took_s), ended=NOON)
    return snapshot


def test_a_cheap_look_serves_a_second_and_only_those_it_saw() -> None:
    snapshot = looked(0.01)
    assert snapshot.serves(["r1"], NOON + timedelta(seconds=0.5))
    assert not snapshot.serves(["r1", "r2"], NOON + timedelta(seconds=0.5))
    assert not snapshot.serves(["r1"], NOON + timedelta(seconds=1))
    assert not snapshot.serves(["r1"], NOON - timedelta(seconds=1))
    assert not QueueSnapshot().serves([], NOON)


def test_a_look_that_took_long_serves_everybody_ten_times_as_long() -> None:
    snapshot = looked(0.9)
    assert snapshot.serves(["r1", "r2"], NOON + timedelta(seconds=8))
    assert not snapshot.serves(["r1"], NOON + timedelta(seconds=10))
