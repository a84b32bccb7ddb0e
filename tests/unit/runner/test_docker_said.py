"""Whoever waited for a tool that failed is told why, also when somebody else has cleaned up after it."""

from fastflow_runner.adapters.docker.failures import Said


def test_the_second_who_asks_is_told_what_the_first_one_read() -> None:
    found = Said()
    assert found.of("one", "no such package") == "no such package"
    assert found.of("one", "") == "no such package"
    assert found.of("one", "no su") == "no such package", "cut off while it was removed"
    assert found.of("another", "") == ""


def test_it_does_not_grow_for_ever() -> None:
    found = Said()
    for number in range(1000):
        found.of(str(number), "words")
    assert (found.of("999", ""), found.of("0", "")) == ("words", "")
