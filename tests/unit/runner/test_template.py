import re

import pytest
from fastflow_events.errors import ContractError
from fastflow_runner.core.template import Slot, escape, fill, pattern
from hypothesis import given
from hypothesis import strategies as st

_NUMBER = Slot("number", "[1-9][0-9]{0,3}+")
_TWICE = ('{"a":', _NUMBER, ',"b":', _NUMBER, "}")


def test_what_is_filled_in_matches() -> None:
    assert re.fullmatch(pattern(_TWICE), fill(_TWICE, {"number": "17"}))


def test_the_same_slot_twice_is_the_same_value_twice() -> None:
    assert not re.fullmatch(pattern(_TWICE), '{"a":17,"b":18}')


@pytest.mark.parametrize("value", ["", "0", "12345", "1\n", '1,"c":2', " 1"])
def test_a_value_that_does_not_fit_its_slot_is_refused(value: str) -> None:
    with pytest.raises(ContractError):
        fill(_TWICE, {"number": value})


@given(st.text(alphabet=st.characters(codec="ascii"), max_size=40))
def test_an_escaped_text_matches_itself_and_nothing_shorter(text: str) -> None:
    assert re.fullmatch(escape(text), text)
    assert not text or not re.fullmatch(escape(text), text[:-1])
