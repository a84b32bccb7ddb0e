"""The subject grammar."""

import re
from collections.abc import Callable

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


BUILDERS: dict[str, Callable[[str], str]] = {
    "event": lambda name: subjects.event("run", name, "claimed"),
    "aggregate of an event": lambda name: subjects.event(name, "x", "claimed"),
    "fact": lambda name: subjects.event("run", "x", name),
    "scope": lambda name: subjects.event("run", "x", "claimed", name),
    "aggregate": lambda name: subjects.of_aggregate("run", name).removesuffix(".>"),
    "kind of aggregate": lambda name: subjects.of_aggregate(name, "x").removesuffix(".>"),
    "kind": lambda name: subjects.of_kind(name).removesuffix(".>"),
    "output": lambda name: subjects.output(name, 1, "runner-1"),
    "output of a run": lambda name: subjects.output_of_run(name).removesuffix(".>"),
    "bell of output": lambda name: subjects.output_bell(name).removesuffix(".>"),
    "sample": lambda name: subjects.sample(name, 1, "runner-1"),
    "samples of a run": lambda name: subjects.samples_of_run(name).removesuffix(".>"),
    "writer of output": lambda name: subjects.output("x", 1, name),
    "writer of samples": lambda name: subjects.sample("x", 1, name),
    "trigger": subjects.trigger,
    "request": subjects.request,
    "dead": subjects.dead,
    "git question": subjects.git_question,
    "size": subjects.size_of,
}


@pytest.mark.parametrize("build", BUILDERS.values(), ids=BUILDERS)
@given(name=st.one_of(st.text(max_size=12), st.sampled_from(["*", ">", ".", "", "x.>", "\ud800", "\x00", " ", "\n"])))
def test_whatever_a_name_is_it_stays_one_token_that_covers_nothing_else(build: Callable[[str], str], name: str) -> None:
    try:
        subject = build(name)
    except ContractError:
        assert not name or len(name) > 66 or any(0xD800 <= ord(letter) <= 0xDFFF for letter in name)
        return
    assert re.fullmatch(r"[A-Za-z0-9_=.-]+", subject)
    assert subject.count(".") == build("x").count(".")
    assert "" not in subject.split(".")
    assert name in {subjects.decode(part) for part in subject.split(".")}


def test_what_is_called_as_a_wildcard_is_written_is_a_name_like_any_other() -> None:
    assert subjects.event("pipeline", "*", "changed") == "fastflow.evt.pipeline.=2A.changed"
    assert subjects.event("pipeline", subjects.ANY, "changed") == "fastflow.evt.pipeline.*.changed"
    assert subjects.event("run", "x", "dispatched", "*") == "fastflow.evt.run.x.dispatched.=2A"


@pytest.mark.parametrize("name", ["", "x" * 201, "é" * 67, "\ud800"])
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
