"""How long a look at the queue serves."""

from datetime import timedelta

from fastflow_events.testing.builders import NOON
from fastflow_gateway.queue_snapshot import Glance, Seen

KNOWN = {"r1": Seen(position=1, reason="the pipeline is paused")}


def looked(took_s: float) -> Glance:
    glance = Glance()
    glance.keep(KNOWN, began=NOON - timedelta(seconds=took_s), ended=NOON)
    return glance


def test_a_cheap_look_serves_a_second_and_only_those_it_saw() -> None:
    glance = looked(0.01)
    assert glance.serves(["r1"], NOON + timedelta(seconds=0.5))
    assert not glance.serves(["r1", "r2"], NOON + timedelta(seconds=0.5))
    assert not glance.serves(["r1"], NOON + timedelta(seconds=1))
    assert not glance.serves(["r1"], NOON - timedelta(seconds=1))
    assert not Glance().serves([], NOON)


def test_a_look_that_took_long_serves_everybody_ten_times_as_long() -> None:
    glance = looked(0.9)
    assert glance.serves(["r1", "r2"], NOON + timedelta(seconds=8))
    assert not glance.serves(["r1"], NOON + timedelta(seconds=10))
