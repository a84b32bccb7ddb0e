"""Whoever waited for a tool that failed is told why, also when somebody else has cleaned up after it."""

from fastflow_runner.adapters.docker.failures import Said


def test_the_second_who_asks_is_told_what_the_first_one_read() -> None:
    said = Said()
    assert said.of("one", "no such package") == "no such package"
    assert said.of("one", "") == "no such package"
    assert said.of("one", "no su") == "no such package", "cut off while it was removed"
    assert said.of("another", "") == ""


def test_it_does_not_grow_for_ever() -> None:
    said = Said()
    for number in range(1000):
        said.of(str(number), "words")
    assert (said.of("999", ""), said.of("0", "")) == ("words", "")
