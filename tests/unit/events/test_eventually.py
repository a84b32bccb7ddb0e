"""Whoever waits for something may ask for it as if it were there."""

import json
from collections.abc import Callable

import pytest
from fastflow_events.testing.eventually import eventually

COMES_AT = 3


def unpacked(items: list[str]) -> str:
    [only] = items
    return only


def asserted(items: list[str]) -> str:
    assert items == ["a"]
    return "a"


PROBES: dict[str, Callable[[list[str]], str]] = {
    "the only one": unpacked,
    "the first": lambda items: items[0],
    "by its name": lambda items: {item: item for item in items}["a"],
    "the largest": max,
    "its place": lambda items: "a" if items.index("a") == 0 else "",
    "read": lambda items: str(json.loads("".join(f'"{item}"' for item in items))),
    "asserted": asserted,
}


@pytest.mark.parametrize("probe", PROBES.values(), ids=PROBES)
async def test_what_is_picked_before_it_is_there_is_waited_for(probe: Callable[[list[str]], str]) -> None:
    asked = 0

    async def look() -> str:
        nonlocal asked
        asked += 1
        return probe(["a"] if asked == COMES_AT else [])

    assert await eventually(look) == "a"
    assert asked == COMES_AT


async def test_what_never_comes_is_told_with_what_the_last_look_met() -> None:
    with pytest.raises(AssertionError, match="still not true") as failure:
        await eventually(lambda: unpacked([]), within_s=0)
    assert isinstance(failure.value.__cause__, ValueError)


async def test_a_mistake_of_the_probe_is_told_at_once() -> None:
    with pytest.raises(TypeError):
        await eventually(lambda: len(None))  # type: ignore[arg-type, return-value]
