import pytest
from fastflow_events.testing.builders import NOON
from fastflow_runner.outcome import finished, never_ran, of_exit
from fastflow_runner.ports import AttemptRef, Exit

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
        (Exit(exit_code=1, marker_code=1, oom_killed=True), "out_of_memory", 1),
        (Exit(exit_code=143, marker_code=143, signal=15, timed_out=True), "timed_out", 143),
    ],
)
def test_what_was_observed_decides_the_outcome(exit: Exit, outcome: str, code: int | None) -> None:
    ending = of_exit(exit, timeout_s=None)
    assert (ending.outcome, ending.exit_code) == (outcome, code)
    assert bool(ending.detail) == (outcome != "succeeded")


def test_an_attempt_the_runner_had_to_end_itself_timed_out() -> None:
    ending = of_exit(Exit(exit_code=137), timeout_s=60, overdue=True)
    assert (ending.outcome, ending.detail) == ("timed_out", "it ran longer than 60 s and was ended")


def test_a_signal_is_called_by_its_name() -> None:
    ending = of_exit(Exit(exit_code=139, marker_code=139, signal=11), timeout_s=None)
    assert (ending.signal, ending.detail) == (11, "the script was ended by signal 11 (SIGSEGV)")
    ending = of_exit(Exit(exit_code=163, marker_code=163, signal=35), timeout_s=None)
    assert ending.detail.startswith("the script was ended by signal 35")


def test_the_fact_carries_what_the_marker_knew() -> None:
    exit = Exit(exit_code=0, marker_code=0, peak_memory_bytes=5, cpu_s=0.5, route="left", finished_at=NOON)
    fact = finished(of_exit(exit, timeout_s=None), REF, runner="r", lines=3, size_bytes=9, now=NOON)
    assert (fact.attempt, fact.route, fact.peak_memory_bytes, fact.cpu_s) == (2, "left", 5, 0.5)
    assert (fact.output_lines, fact.output_bytes, fact.finished_at) == (3, 9, NOON)


def test_the_words_of_a_tool_are_cut_to_a_length_a_fact_can_hold() -> None:
    ending = never_ran("dependency_error", "x" * 100_000)
    assert len(ending.detail) == 4000
    assert finished(ending, REF, runner="r", lines=0, size_bytes=0, now=NOON).exit_code is None
