"""What shall be different of a run that is wanted once more; the rest is as it was."""

import json

import pytest
from fastflow_events.testing.builders import run_requested
from fastflow_gateway.core.errors import InvalidFieldError
from fastflow_gateway.core.rerun_request import RerunBody, options_of, read_changes
from hypothesis import given
from hypothesis import strategies as st

FIRST = run_requested(env={"TOKEN": "s3cret", "A": "1"}, params={"day": "1"}, run_config_id="nightly")
NAMES = st.sampled_from(["A", "TOKEN", "day", "new", "other"])


def test_what_is_not_named_is_kept() -> None:
    assert options_of(FIRST, read_changes(b"")).env == {"TOKEN": "s3cret", "A": "1"}
    changes = read_changes(b'{"params": {"day": 2}, "env": {"B": "3"}, "unset": ["A"], "priority": 7}')
    options = options_of(FIRST, changes)
    assert (options.env, options.params) == ({"TOKEN": "s3cret", "B": "3"}, {"day": "2"})
    assert (options.run_config_id, options.commit, options.priority) == ("nightly", None, 7)
    assert options_of(FIRST, RerunBody(same_commit=True)).commit == FIRST.commit


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"env": {"A": "1"}, "unset": ["B", "A"]}, "/unset/1"),
        ({"params": {"A": 1}, "unset": ["A"]}, "/unset/0"),
        ({"same_commit": "yes"}, "/same_commit"),
        ({"priority": 1001}, "/priority"),
        ({"commit": "c" * 40}, "/commit"),
    ],
)
def test_what_cannot_be_is_pointed_at(body: dict[str, object], pointer: str) -> None:
    with pytest.raises(InvalidFieldError) as refused:
        read_changes(json.dumps(body).encode())
    assert refused.value.finding.pointer == pointer


def test_a_name_that_the_run_did_not_have_cannot_go() -> None:
    with pytest.raises(InvalidFieldError) as refused:
        options_of(FIRST, RerunBody(unset=["A", "a"]))
    assert refused.value.finding.pointer == "/unset/1"


@given(
    env=st.dictionaries(NAMES, st.text(max_size=3)),
    params=st.dictionaries(NAMES, st.text(max_size=3)),
    unset=st.lists(st.sampled_from(["A", "TOKEN", "day"]), unique=True),
)
def test_every_name_is_what_was_said_of_it_or_what_it_was(
    env: dict[str, str], params: dict[str, str], unset: list[str]
) -> None:
    unset = [name for name in unset if name not in env and name not in params]
    options = options_of(FIRST, RerunBody(env=env, params=dict(params), unset=unset))
    for found, before, given_ in ((options.env, FIRST.env, env), (options.params, FIRST.params, params)):
        assert found == {name: value for name, value in {**before, **given_}.items() if name not in unset}
