import pytest
from fastflow_events.aggregates.run.specification import Limits
from fastflow_runner.core.bounds import Bounds, Machine, bounds_of, can_become, default_cpus, default_memory, remarks_on

MB = 1 << 20


@pytest.mark.parametrize(
    ("asked", "given"), [(None, 0), (0.5, 500_000_000), (0.001, 10_000_000), (64.0, 4_000_000_000)]
)
def test_processors_are_clamped_to_the_host(asked: float | None, given: int) -> None:
    assert bounds_of(Limits(cpus=asked), Machine(cpus=4)).nano_cpus == given


def test_whoever_asks_for_more_processors_than_there_are_is_told() -> None:
    assert remarks_on(Limits(), 2) == remarks_on(Limits(cpus=2.0), 2) == ()
    found = ("the limit is 2.5 processors, and the machine has 2 processors: it may use all of them",)
    assert tuple(map(str, remarks_on(Limits(cpus=2.5), 2))) == found


def test_less_memory_than_the_engine_takes_is_as_little_as_it_takes() -> None:
    assert bounds_of(Limits(memory_bytes=1), Machine(cpus=4)).memory_bytes == 6 * MB


def test_an_attempt_without_a_limit_of_its_own_has_the_runners() -> None:
    machine = Machine(cpus=4, memory_bytes=128 * MB)
    assert bounds_of(Limits(), machine).memory_bytes == 128 * MB
    assert bounds_of(Limits(memory_bytes=256 * MB), machine).memory_bytes == 256 * MB
    assert bounds_of(Limits(), Machine(cpus=4)).memory_bytes == 0


@pytest.mark.parametrize(("wanted", "given"), [(None, 512 * MB), (0, 0), (1, 6 * MB), (64 * MB, 64 * MB)])
def test_the_runners_limit_is_half_of_the_machine_unless_set_and_nothing_is_none(
    wanted: int | None, given: int
) -> None:
    assert default_memory(wanted, 1024 * MB) == given


@pytest.mark.parametrize(
    ("have", "want", "can"),
    [
        (Bounds(), Bounds(), True),
        (Bounds(), Bounds(memory_bytes=64 * MB, nano_cpus=10**9, pids=9), True),
        (Bounds(memory_bytes=64 * MB), Bounds(memory_bytes=128 * MB), True),
        (Bounds(memory_bytes=128 * MB), Bounds(memory_bytes=64 * MB), True),
        (Bounds(), Bounds(memory_bytes=16 * MB), False),
        (Bounds(memory_bytes=64 * MB), Bounds(), False),
        (Bounds(nano_cpus=10**9), Bounds(), False),
        (Bounds(memory_bytes=16 * MB), Bounds(memory_bytes=16 * MB, pids=9), True),
    ],
)
def test_a_limit_can_be_changed_but_not_taken_away(have: Bounds, want: Bounds, can: bool) -> None:
    assert can_become(have, want) is can


@pytest.mark.parametrize(
    ("wanted", "machine", "given"), [(None, 8, 7.0), (None, 1, 1.0), (0, 8, 0.0), (2.5, 8, 2.5), (16.0, 8, 16.0)]
)
def test_one_processor_is_left_to_the_others_unless_set(wanted: float | None, machine: int, given: float) -> None:
    assert default_cpus(wanted, machine) == given
    nano = min(given, machine) * 10**9
    assert bounds_of(Limits(), Machine(cpus=machine, usual_cpus=given)).nano_cpus == nano
    assert bounds_of(Limits(cpus=0.5), Machine(cpus=machine, usual_cpus=given)).nano_cpus == 500_000_000
