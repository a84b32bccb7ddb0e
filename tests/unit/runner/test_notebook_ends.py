"""What is said of a notebook once it is over: its cells, once each, and why it went no further."""

import pytest
from fastflow_events.aggregates.run.commands import ReportAttempt
from fastflow_events.aggregates.run.events import RunCellFinished
from fastflow_events.errors import FencedError
from fastflow_events.testing.builders import holder, run_claimed, run_dispatched, run_requested, run_started
from fastflow_events.testing.scenario import when
from fastflow_runner.core.marks import progress
from fastflow_runner.core.masking import Masker
from fastflow_runner.core.outcome import of_exit
from fastflow_runner.phases.stream import masked
from fastflow_runner.ports import CellEnd, Exit, Progress

STARTED = [run_requested(), run_dispatched(), run_claimed(), run_started()]
HERE = Progress(where="cell 2 of 3, try 1 of 4")


def cell(number: int, attempt: int = 1) -> RunCellFinished:
    return RunCellFinished(attempt=attempt, runner="runner-1", cell=number, succeeded=True, tries=1)


def test_cells_are_told_together_and_each_of_them_once() -> None:
    report = ReportAttempt(holder=holder(), report=cell(1), more=(cell(2), cell(3)))
    assert when(report, given=STARTED) == [cell(1), cell(2), cell(3)]
    assert when(report, given=[*STARTED, cell(1), cell(2)]) == [cell(3)]


def test_cells_of_another_attempt_are_not_told() -> None:
    with pytest.raises(FencedError):
        when(ReportAttempt(holder=holder(), report=cell(1), more=(cell(2, attempt=2),)), given=STARTED)


def test_why_a_notebook_failed_is_told_in_its_own_words() -> None:
    failed = Exit(exit_code=1, marker_code=1, notebook=Progress(where="cell 2 of 3", why="cell 2 of 3 failed: E: no"))
    assert of_exit(failed).detail == "cell 2 of 3 failed: E: no"
    died = Exit(exit_code=1, marker_code=1, notebook=HERE)
    assert of_exit(died).detail == "the script ended with exit code 1, in cell 2 of 3, try 1 of 4"


def test_where_a_notebook_was_ended_is_told() -> None:
    slow = Exit(exit_code=143, marker_code=143, timed_out=True, notebook=HERE)
    assert of_exit(slow, timeout_s=5).detail == "it ran longer than 5 s and was ended, in cell 2 of 3, try 1 of 4"
    large = Exit(exit_code=137, marker_code=137, oom_killed=True, notebook=HERE)
    assert of_exit(large).detail == "it needed more memory than it may use, in cell 2 of 3, try 1 of 4"
    assert of_exit(Exit(exit_code=0, marker_code=0, notebook=Progress())).detail == ""


def test_how_far_a_notebook_came_is_read_and_nonsense_is_not() -> None:
    found = '{"cells": [[1, 1, 1], [2, 0, 3]], "where": "cell 2 of 3", "why": "no"}'
    assert progress(found) == Progress(
        cells=(CellEnd(cell=1, succeeded=True, tries=1), CellEnd(cell=2, succeeded=False, tries=3)),
        where="cell 2 of 3",
        why="no",
    )
    many = ", ".join(["[1, 1, 1]"] * 501)
    large = found.replace("[2, 0, 3]", f"[{1 << 70}, 0, 3]")
    for nonsense in (large, f'{{"cells": [{many}], "where": "", "why": ""}}'):
        assert progress(nonsense) is None
    for nonsense in ("", "{", "[]", '{"cells": [[1]], "where": "", "why": ""}', found.replace("no", "x" * 5000)):
        assert progress(nonsense) is None


def test_values_of_secrets_are_not_in_the_words_of_a_notebook() -> None:
    failed = Exit(exit_code=1, marker_code=1, notebook=Progress(why="ValueError: hunter2secret"))
    hidden = masked(failed, Masker(["hunter2secret"])).notebook
    assert hidden is not None
    assert hidden.why == "ValueError: ***"
