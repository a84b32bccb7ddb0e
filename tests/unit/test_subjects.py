"""The subject grammar."""

import pytest
from fastflow_events import subjects
from fastflow_events.errors import ContractError
from hypothesis import given
from hypothesis import strategies as st


def test_a_name_becomes_one_token() -> None:
    assert subjects.encode("é.x") == "=C3=A9=2Ex"
    assert subjects.encode("my-pipeline_2") == "my-pipeline_2"
    assert subjects.encode("a b>*") == "a=20b=3E=2A"


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=15))
def test_every_name_survives_the_journey(name: str) -> None:
    token = subjects.encode(name)
    assert "." not in token
    assert "*" not in token
    assert " " not in token
    assert subjects.decode(token) == name


@pytest.mark.parametrize("name", ["", "x" * 201, "é" * 67])
def test_an_empty_or_too_long_name_is_refused(name: str) -> None:
    with pytest.raises(ContractError):
        subjects.encode(name)


@pytest.mark.parametrize("token", ["", "a.b", "=c3", "=C3", "=41", "a b", "a\n", ">", "*"])
def test_what_encode_never_writes_is_not_decoded(token: str) -> None:
    with pytest.raises(ContractError):
        subjects.decode(token)


def test_the_subject_of_a_fact_is_taken_apart_as_it_was_built() -> None:
    subject = subjects.event("run", "r 1", "claimed", "runner.1")
    assert subject == "fastflow.evt.run.r=201.claimed.runner=2E1"
    assert subjects.parse_event(subject) == ("run", "r 1", "claimed", "runner.1")
    assert subjects.parse_event(subjects.event("pipeline", "p", "changed")).scope is None
    with pytest.raises(ContractError):
        subjects.parse_event("fastflow.out.r1.1")


def test_the_bell_of_a_subject_rings_beside_it() -> None:
    assert subjects.bell_of(subjects.event("run", fact="requested")) == "fastflow.feed.run.*.requested"
    assert subjects.bell_of(subjects.EVENTS) == subjects.FEED


def test_the_pipeline_of_a_trigger_is_decoded() -> None:
    assert subjects.pipeline_of(subjects.trigger("täglich 2.0")) == "täglich 2.0"
