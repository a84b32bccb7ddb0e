"""How large streams may become: derived from the disk, and never less than what is there."""

import pytest
from fastflow_events.nats import topology
from fastflow_events.nats.sizes import SHARES, NoRoomError, bounds, fitting, store_bytes
from hypothesis import given
from hypothesis import strategies as st

GB = 10**9
disks = st.integers(2 * GB, 10**14)
memories = st.integers(GB, 10**12)


def test_the_store_takes_three_quarters_of_its_disk_unless_told() -> None:
    assert store_bytes(100 * GB) == 75 * GB
    assert store_bytes(100 * GB, 90 * GB) == 90 * GB


@given(disks, memories)
def test_a_quarter_of_every_store_is_left_for_streams_to_come(disk: int, memory: int) -> None:
    store = store_bytes(disk)
    found = bounds(store, memory_bytes=memory)
    assert found.keys() == SHARES.keys()
    assert all(bound > 0 for bound in found.values())
    assert sum(found.values()) <= 0.75 * store
    assert fitting({}, found, store=store) == found


@given(disks, memories)
def test_the_log_never_becomes_larger_than_memory_can_hold(disk: int, memory: int) -> None:
    assert bounds(store_bytes(disk), memory_bytes=memory)[topology.EVENTS] <= memory / 2


def test_a_larger_disk_holds_more_runs_and_a_chosen_bound_stands() -> None:
    small, large = bounds(store_bytes(50 * GB)), bounds(store_bytes(500 * GB))
    assert small[topology.EVENTS] == int(7.5 * GB)
    assert large[topology.EVENTS] == 75 * GB
    assert bounds(75 * GB, memory_bytes=GB, chosen={topology.EVENTS: 9 * GB})[topology.EVENTS] == 9 * GB


@given(
    st.dictionaries(st.sampled_from([*SHARES, "SOMEBODY_ELSES"]), st.integers(-1, 10**13)),
    st.dictionaries(st.sampled_from(sorted(SHARES)), st.integers(10**6, 10**13)),
    disks,
)
def test_what_is_there_stays_whatever_fits_or_does_not(
    existing: dict[str, int], chosen: dict[str, int], disk: int
) -> None:
    store = store_bytes(disk)
    try:
        found = fitting(existing, bounds(store, chosen=chosen), store=store, chosen=chosen)
    except NoRoomError:
        return
    for name, bound in found.items():
        if existing.get(name, 1) <= 0:
            assert bound <= 0, "a stream without a bound gets none"
        else:
            assert bound >= existing.get(name, 0)
            assert name not in chosen or bound >= chosen[name]
    after = {**existing, **found}
    taken = sum(bound for bound in existing.values() if bound > 0)
    assert sum(bound for bound in after.values() if bound > 0) <= max(store, taken)
    assert fitting(after, bounds(store, chosen=chosen), store=store, chosen=chosen) == found


def test_a_bound_that_does_not_fit_is_refused_with_what_to_do() -> None:
    with pytest.raises(NoRoomError, match="FASTFLOW_STORE_BYTES"):
        fitting({}, bounds(chosen={topology.EVENTS: 60 * GB}), store=32 * GB, chosen={topology.EVENTS})


def test_a_store_that_others_fill_is_refused_with_what_to_do() -> None:
    with pytest.raises(NoRoomError, match="FASTFLOW_STORE_BYTES"):
        fitting({"SOMEBODY_ELSES": 32 * GB}, bounds(), store=32 * GB)
