import json

import pytest
from fastflow_events.envelope import MAX_FACT_BYTES, body_of
from fastflow_events.message import Verbatim
from fastflow_events.testing.builders import NOON, attempt_finished
from fastflow_runner.core.endings import Several, ToldToEnd
from fastflow_runner.core.outcome import (
    DETAIL_CHARS,
    Ending,
    finished,
    in_fewer_words,
    is_disk_full,
    never_ran,
    of_exit,
    result_of,
    why_not,
)
from fastflow_runner.ports import AttemptRef, Exit
from hypothesis import given
from hypothesis import strategies as st

REF = AttemptRef(run_id="r1", attempt=2)


@pytest.mark.parametrize(
    ("exit", "outcome", "code"),
    [
        (Exit(exit_code=0, marker_code=0), "succeeded", 0),
        (Exit(exit_code=None, marker_code=0), "succeeded", 0),
        (Exit(exit_code=0, marker_code=0, oom_killed=True), "succeeded", 0),
        (Exit(exit_code=0), "infrastructure_error", None),
        (Exit(exit_code=None), "infrastructure_error", None),
        (Exit(exit_code=137), "infrastructure_error", 137),
        (Exit(exit_code=255), "infrastructure_error", 255),
        (Exit(exit_code=137, marker_code=0), "infrastructure_error", 137),
        (Exit(exit_code=125, never_started=True), "infrastructure_error", None),
        (Exit(exit_code=3, marker_code=3), "failed", 3),
        (Exit(exit_code=125, marker_code=125), "failed", 125),
        (Exit(exit_code=137, marker_code=137, signal=9), "failed", 137),
        (Exit(exit_code=137, oom_killed=True), "out_of_memory", 137),
        (Exit(exit_code=137, marker_code=137, signal=9, held_bytes=1), "out_of_disk", 137),
        (Exit(exit_code=137, marker_code=137, signal=9, held_bytes=1, disk_full=True), "out_of_disk", 137),
        (Exit(exit_code=0, marker_code=0, held_bytes=1), "succeeded", 0),
        (Exit(exit_code=1, marker_code=1, processes_refused=True), "failed", 1),
        (Exit(exit_code=1, marker_code=1, oom_killed=True), "out_of_memory", 1),
        (Exit(exit_code=143, marker_code=143, signal=15, timed_out=True, told_to_end=True), "timed_out", 143),
        (Exit(exit_code=143, marker_code=143, signal=15), "failed", 143),
        (Exit(exit_code=143, marker_code=143, signal=15, ended_itself=True), "failed", 143),
        (Exit(exit_code=143, marker_code=143, signal=15, told_to_end=True), "infrastructure_error", 143),
    ],
)
def test_what_was_observed_decides_the_outcome(exit: Exit, outcome: str, code: int | None) -> None:
    ending = of_exit(exit)
    assert (ending.outcome, ending.exit_code) == (outcome, code)
    assert bool(ending.detail) == (outcome != "succeeded" or exit.oom_killed)


def test_an_attempt_the_runner_had_to_end_itself_timed_out() -> None:
    ending = of_exit(Exit(exit_code=137), timeout_s=60, overdue=True)
    assert (ending.outcome, ending.detail) == ("timed_out", "it ran longer than 60 s and was ended")


def test_who_held_too_much_of_the_disk_is_told_how_much_it_might() -> None:
    ended = Exit(exit_code=137, marker_code=137, signal=9, held_bytes=11 << 30)
    assert of_exit(ended, disk_bytes=10 << 30).detail == "it wrote more to the disk than it may keep there (10 GiB)"
    assert of_exit(ended).detail == "it wrote more to the disk than it may keep there"


def test_a_signal_is_called_by_its_name() -> None:
    ending = of_exit(Exit(exit_code=139, marker_code=139, signal=11))
    assert (ending.signal, ending.detail) == (11, "the script was ended by signal 11 (SIGSEGV)")
    ending = of_exit(Exit(exit_code=163, marker_code=163, signal=35))
    assert ending.detail.startswith("the script was ended by signal 35")


def test_the_fact_carries_what_the_marker_knew() -> None:
    exit = Exit(exit_code=0, marker_code=0, peak_memory_bytes=5, cpu_s=0.5, route="left", finished_at=NOON)
    fact = finished(of_exit(exit), REF, runner="r", lines=3, size_bytes=9, now=NOON)
    assert (fact.attempt, fact.route, fact.peak_memory_bytes, fact.cpu_s) == (2, "left", 5, 0.5)
    assert (fact.output_lines, fact.output_bytes, fact.finished_at) == (3, 9, NOON)


@pytest.mark.parametrize(
    ("exit", "words"),
    [
        (Exit(exit_code=137, marker_code=137, signal=9, oom_killed=True), "more memory than it may use (64 MiB)"),
        (Exit(exit_code=137), "killed (exit code 137), not for memory: from outside, or by a process of the script"),
        (Exit(exit_code=1), "what watches over the script ended with exit code 1 and did not say"),
        (Exit(exit_code=255), "the engine lost hold of the script"),
        (Exit(exit_code=0), "nothing says that the script was completed"),
        (Exit(exit_code=None), "somebody removed it while it ran"),
        (Exit(exit_code=1, marker_code=1, disk_full=True), "no room was left on the disk"),
        (Exit(exit_code=143, marker_code=143, signal=15, told_to_end=True), "what runs the script was told to end"),
        (
            Exit(exit_code=0, marker_code=0, told_to_end=True),
            "was told to end (SIGTERM), and it ended with exit code 0",
        ),
        (Exit(exit_code=0, marker_code=0, oom_killed=True), "a process that it started was killed"),
        (
            Exit(exit_code=143, marker_code=143, signal=15, ended_itself=True),
            "the script was ended by signal 15 (SIGTERM); it had told what runs it to end (SIGTERM)",
        ),
        (Exit(exit_code=0, marker_code=0, ended_itself=True), "it told what runs it to end (SIGTERM), and ended with"),
        (Exit(exit_code=135, marker_code=135, signal=7), "ended by signal 7 (SIGBUS): a mapped file or shared memory"),
        (
            Exit(exit_code=137, marker_code=137, signal=9, oom_killed=True, machine_full=True),
            "the machine had no memory left, and the kernel chose it to make room; it was within its limit (64 MiB)",
        ),
        (
            Exit(exit_code=0, marker_code=0, oom_killed=True, machine_full=True),
            "a process that it started was killed because the machine had no memory left",
        ),
    ],
)
def test_each_end_has_a_sentence_of_its_own(exit: Exit, words: str) -> None:
    assert words in of_exit(exit, memory_bytes=64 << 20).detail


def test_a_script_without_a_limit_that_a_full_machine_kills_did_not_need_too_much() -> None:
    exit = Exit(exit_code=137, marker_code=137, signal=9, oom_killed=True, machine_full=True)
    assert of_exit(exit).detail.endswith("the kernel chose it to make room; it has no limit")
    assert of_exit(exit).outcome == "out_of_memory"


def test_who_was_asked_to_end_by_us_is_not_said_to_have_been_stopped_by_somebody_else() -> None:
    exit = Exit(exit_code=143, marker_code=143, signal=15, told_to_end=True)
    ending = of_exit(exit, cancelled=True)
    assert (ending.outcome, ending.detail) == ("failed", "the script was ended by signal 15 (SIGTERM)")
    assert not of_exit(Exit(exit_code=0, marker_code=0, told_to_end=True), cancelled=True).detail
    assert "did not end when it was asked to" in of_exit(Exit(exit_code=137), cancelled=True).detail


@pytest.mark.parametrize(
    ("left", "result", "complaint"),
    [
        (Exit(exit_code=0), None, ""),
        (Exit(exit_code=0, result='{"rows": 3, "to": ["a"]}'), {"rows": 3, "to": ["a"]}, ""),
        (Exit(exit_code=0, result="[1]"), None, "no JSON object"),
        (Exit(exit_code=0, result="rows: 3"), None, "no JSON object"),
        (Exit(exit_code=0, result="[" * 20_000), None, "nested more than 64 deep"),
        (Exit(exit_code=0, result='{"a":' * 6_000), None, "nested more than 64 deep"),
        *(
            (Exit(exit_code=0, result='{"a":' * deep + "1" + "}" * deep), None, "nested more than 64 deep")
            for deep in (65, 970, 975, 980)
        ),
        (
            Exit(exit_code=0, result=json.dumps({"a": [1e9] * 6_000}).replace("1000000000.0", "1e9")),
            None,
            "written out",
        ),
        (Exit(exit_code=0, result='{"a": 1e999}'), None, "no JSON object"),
        (Exit(exit_code=0, result=f'{{"a": {2**64}}}'), None, "more than 64 bits"),
        (Exit(exit_code=0, result=f'{{"a": {"9" * 5_000}}}'), None, "out of range"),
        (Exit(exit_code=0, result=f'{{"a": {2**64 - 1}, "b": {-(2**63)}}}'), {"a": 2**64 - 1, "b": -(2**63)}, ""),
        (Exit(exit_code=0, result='{"a": NaN}'), None, "no JSON object"),
        (Exit(exit_code=0, result_error="it is not UTF-8"), None, "it is not UTF-8"),
    ],
)
def test_a_result_is_a_json_object_or_a_complaint(left: Exit, result: object, complaint: str) -> None:
    found, seen = result_of(left)
    assert found == result
    assert complaint in str(seen or "")
    assert (seen is not None) == bool(complaint)


def test_a_full_disk_is_told_apart_whoever_says_so() -> None:
    assert is_disk_full("the container engine refused: mkdir /x: no space left on device")
    assert is_disk_full("error: No space left on device (os error 28)")
    assert "make room" in str(why_not(Verbatim("write: no space left on device")))
    assert str(why_not(Verbatim("no such image"))) == "the script was not started: no such image"


def test_the_words_of_a_tool_are_cut_to_a_length_a_fact_can_hold() -> None:
    ending = never_ran("dependency_error", Verbatim("x" * 100_000))
    assert len(ending.detail) == 4000
    assert finished(ending, REF, runner="r", lines=0, size_bytes=0, now=NOON).exit_code is None


@given(
    result=st.one_of(
        st.none(), st.text(max_size=32_768), st.integers(0, 8_190).map(lambda n: '{"a":[' + "1e9," * n + "1]}")
    ),
    detail=st.text(alphabet=st.sampled_from("a\x01\u20ac\U0001f600\\"), max_size=DETAIL_CHARS),
    route=st.none() | st.text(max_size=341),
)
def test_whatever_a_script_leaves_its_end_fits_into_a_fact(result: str | None, detail: str, route: str | None) -> None:
    exit = Exit(exit_code=0, marker_code=0, result=result, route=route)
    why = ToldToEnd() if not detail else never_ran("failed", Several((ToldToEnd(), Verbatim(detail)))).why
    ending = Ending(outcome="failed", why=why, exit_code=1, observed=exit)
    fact = finished(ending, REF, runner="r" * 60, lines=1, size_bytes=1, now=NOON)
    assert len(body_of(fact)) <= MAX_FACT_BYTES


def test_an_end_that_cannot_be_written_is_said_in_fewer_words_once() -> None:
    fact = attempt_finished(result={"a": "x" * 90_000}, detail="y" * 5_000)
    fewer = in_fewer_words(fact)
    assert fewer is not None
    assert (fewer.outcome, fewer.result, fewer.result_error) == ("succeeded", None, "it could not be written down")
    assert len(body_of(fewer)) < 4_000
    assert in_fewer_words(fewer) is None
