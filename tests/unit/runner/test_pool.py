from itertools import accumulate

from fastflow_runner.core.bounds import Bounds
from fastflow_runner.core.pool import Start, next_bounds, pause_after, too_old, wanted

SMALL, LARGE = Bounds(memory_bytes=1 << 26), Bounds(memory_bytes=1 << 30)
USUAL = Bounds(memory_bytes=1 << 33)


def starts(*at: float, bounds: Bounds = SMALL) -> list[Start]:
    return [Start(moment, bounds) for moment in at]


def test_one_worker_waits_through_a_quiet_night() -> None:
    assert wanted([], 1000.0, 4) == 1
    assert wanted(starts(0.0, 1.0, 2.0), 1000.0, 4) == 1


def test_as_many_wait_as_were_started_of_late_up_to_the_ceiling() -> None:
    assert wanted(starts(950.0, 960.0, 970.0), 1000.0, 4) == 3
    assert wanted(starts(*(float(at) for at in range(941, 1000))), 1000.0, 4) == 4


def test_a_ceiling_of_nothing_is_nothing() -> None:
    assert wanted(starts(999.0), 1000.0, 0) == 0


def test_the_next_worker_has_the_limits_that_are_missing_most() -> None:
    asked = [*starts(990.0, 991.0, 992.0), *starts(993.0, 994.0, bounds=LARGE)]
    assert next_bounds(asked, 1000.0, [], USUAL) == SMALL
    assert next_bounds(asked, 1000.0, [SMALL, SMALL], USUAL) == LARGE
    assert next_bounds(asked, 1000.0, [SMALL, SMALL, LARGE, LARGE], USUAL) == SMALL


def test_without_demand_the_limits_are_those_of_the_last_attempt() -> None:
    assert next_bounds([], 1000.0, [], USUAL) == USUAL
    assert next_bounds([*starts(1.0), *starts(2.0, bounds=LARGE)], 1000.0, [], USUAL) == LARGE
    assert next_bounds(starts(999.0), 1000.0, [SMALL, SMALL], USUAL) == SMALL


def test_a_worker_is_replaced_before_the_proxy_takes_its_silence_for_death() -> None:
    assert too_old(1801.0)
    assert not too_old(1799.0)


def test_streams_that_are_cut_again_and_again_are_made_less_and_less_often() -> None:
    pauses = list(accumulate([3.0] * 8, pause_after, initial=0.0))
    assert pauses == [0, 1, 2, 4, 8, 16, 32, 60, 60]
    assert pause_after(60.0, 600.0) == 0
