"""Which folders a runner deletes follows from the facts of all environments."""

from fastflow_events.aggregates.environment.decider import Environment
from fastflow_runner.loops.environment_gc import due

MINE = "daemon/key"


def an_environment(*folders: tuple[str, str], retired: str = "") -> Environment:
    return Environment(lock="x", folders=frozenset(folders), retired=frozenset(retired.split()))


def test_a_folder_is_deleted_where_it_lies_once_it_is_retired() -> None:
    known = {"a": an_environment((MINE, "h1"), (MINE, "h2"), ("other/one", "h3"), retired="h1 h3")}
    assert due(known, MINE) == {"h1"}


def test_a_folder_that_another_input_shares_stays_until_that_is_retired_too() -> None:
    known = {"a": an_environment((MINE, "h1"), retired="h1"), "b": an_environment((MINE, "h1"))}
    assert due(known, MINE) == set()
    known["b"] = an_environment((MINE, "h1"), retired="h1")
    assert due(known, MINE) == {"h1"}


def test_what_was_made_before_the_machine_started_anew_is_known_by_the_key() -> None:
    known = {"a": an_environment(("an earlier boot/key", "h1"), retired="h1")}
    assert due(known, MINE) == {"h1"}
    assert due(known, "daemon/another key") == set()
