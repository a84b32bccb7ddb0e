"""What is started for a notebook, and what is prepared for it ahead of its first run."""

import json
from typing import Any

from fastflow_events.aggregates.run.specification import NOTEBOOK_PACKAGES, Cell, Specification
from fastflow_events.testing.builders import version_stored
from fastflow_runner.core.attempt_paths import AttemptPaths
from fastflow_runner.core.program import argv_of
from fastflow_runner.entry.wanted import unnamed
from fastflow_runner.loops.preheating import ahead
from fastflow_runner.ports import Prepared
from fastflow_runner.testing.builders import a_launch, a_specification
from fastflow_runner.testing.environment_contract import from_source
from msgspec.structs import replace

PLACES = AttemptPaths(code="/code", app="/app", state="/app/.fastflow", home="/tmp", entry="/entry", contained=True)
PREPARED = Prepared(environment="e", interpreter="/env/bin/python", python="3.11", uv="1")
OURS = ["--with", NOTEBOOK_PACKAGES[0], "--with", NOTEBOOK_PACKAGES[1]]
BLOCK = '# /// script\n# dependencies = ["pandas>2", "ipykernel==6.20"]\n# ///\n'


def argv(specification: Specification) -> list[str]:
    return argv_of(a_launch(specification, PREPARED), PLACES, 10.0)


def notebook(**more: Any) -> Specification:
    return replace(a_specification("0" * 40, cells=()), **more)


def jit(source: Any, text: str) -> list[str]:
    specification = from_source("0" * 40, source, text)
    return argv(replace(specification, kind="notebook", entry_point="main.ipynb", isolation="jit"))


def test_a_notebook_is_executed_by_the_driver_with_the_environments_interpreter() -> None:
    cells = (Cell(retries=2, delay_s=0.5), Cell())
    *command, order = argv(notebook(cells=cells, sealed_env={"B": "sealed"}, secrets={"A": 1}, env={"C": "c"}))
    assert command == ["/env/bin/python", "-I", "-u", "/entry", "notebook"]
    assert json.loads(order) == {
        "notebook": "main.ipynb",
        "executed": "/app/.fastflow/artifacts/main.executed.ipynb",
        "progress": "/app/.fastflow/progress",
        "scratch": "/tmp",
        "cells": [[2, 0.5], [0, 1.0]],
        "secret": ["A", "B"],
        "grace_s": 10.0,
    }


def test_a_script_is_executed_as_ever() -> None:
    assert argv(a_specification("0" * 40)) == ["/env/bin/python", "-u", "main.py"]


def test_a_notebook_that_installs_for_itself_gets_what_executes_it_from_uv() -> None:
    begin, end = ["/env/bin/python", "run", "--python", "3.11"], ["--", "python", "-I", "-u", "/entry", "notebook"]
    assert jit("none", "")[:-1] == [*begin, *OURS, *end]
    named = ["--with-requirements", "requirements.txt"]
    assert jit("requirements", "pandas\n")[:-1] == [*begin, *named, *OURS, *end]
    assert jit("requirements", "ipykernel\nnbclient<1\n")[:-1] == [*begin, *named, *end]
    own = ["--with", "pandas>2", "--with", "ipykernel==6.20"]
    assert jit("pep723", BLOCK)[:-1] == [*begin, *own, *OURS[:2], *end]


def test_a_package_is_named_however_it_is_written() -> None:
    assert unnamed(["a-b>=1", "c"], ["A_b[x]<2 ; python_version > '3'", "  # c", "--index-url https://c"]) == ["c"]
    assert unnamed(["a-b>=1", "c"], ["a-bc==1", "c @ https://example.com/c.whl"]) == ["a-b>=1"]


def test_the_environment_of_a_notebook_is_made_ahead_as_it_will_be_asked_for() -> None:
    found = ahead(version_stored(definition={"kind": "notebook"}), "report", "3.11")
    assert found is not None
    assert (found.kind, found.entry_point) == ("notebook", "main.ipynb")
    script = ahead(version_stored(definition={}), "report", "3.11")
    assert script is not None
    assert (script.kind, script.entry_point) == ("script", "main.py")
