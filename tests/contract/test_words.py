"""One word for each thing, the field's own: what once was called otherwise is so called nowhere any more."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted(
    path for folder in ("libs", "services", "scripts", "benchmarks") for path in (ROOT / folder).rglob("*.py")
)
TESTS = sorted((ROOT / "tests").rglob("*.py"))
RETIRED = {
    "wish": "body, options, pending run",
    "book": "state",
    "shelf": "dirty table",
    "seat": "slot",
    "glance": "queue snapshot",
    "steering": "queue control",
    "leavings": "artifacts",
    "leash": "die with parent",
    "hopeless": "permanent",
    "patience": "retry",
    "insist": "retry",
    "pursue": "run attempt",
    "watcher": "work loop, heartbeat monitor, repository supervisor",
    "presented": "responses",
    "again_of": "rerun_of",
    "again_after": "rerun_after",
    "run_again": "rerun",
    "left_alone": "awaits",
    "acted": "own writes",
}
"""A word, or several in a row, to what replaces it; as a part of a name it is found, too."""
LOCALS = {"said", "told", "chance"}
"""Names that say nothing of what they hold: as a member of something they may tell enough."""


def words_of(name: str) -> str:
    """`RunWish` and `run_wish` as `_run_wish_`."""
    return f"_{re.sub(r'(?<=[a-z0-9])(?=[A-Z])', '_', name).lower().strip('_')}_"


def retired(name: str) -> str | None:
    """What the name should say instead."""
    return next((better for word, better in RETIRED.items() if f"_{word}_" in words_of(name)), None)


def names_in(module: Path) -> Iterator[tuple[int, str]]:
    """Every name that a module gives to something, with its line."""
    for node in ast.walk(ast.parse(module.read_bytes())):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                # A test is called a sentence, which may have any word of the language.
                yield from [] if name.startswith("test_") else [(node.lineno, name)]
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield node.lineno, name
            case _:
                pass


def keys_of(value: object) -> Iterator[str]:
    """Every member's name in a contract."""
    if isinstance(value, dict):
        for key, member in value.items():
            yield str(key)
            yield from keys_of(member)
    elif isinstance(value, list):
        for member in value:
            yield from keys_of(member)


def test_no_name_in_the_code_is_a_retired_word() -> None:
    found = [
        f"{module.relative_to(ROOT)}:{line}: {name}, say {better}"
        for module in (*SOURCES, *TESTS)
        if module != Path(__file__)
        for line, name in names_in(module)
        if (better := retired(name)) is not None
    ]
    assert found == []


def test_a_local_is_named_for_what_it_holds() -> None:
    found = [
        f"{module.relative_to(ROOT)}:{node.lineno}"
        for module in SOURCES
        for function in ast.walk(ast.parse(module.read_bytes()))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
        if (isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id in LOCALS)
        or (isinstance(node, ast.arg) and node.arg in LOCALS)
    ]
    assert found == []


def test_no_file_is_called_by_a_retired_word() -> None:
    files = [
        path
        for folder in ("libs", "services", "scripts", "benchmarks", "tests", "docs")
        for path in (ROOT / folder).rglob("*")
    ]
    assert [
        str(path)
        for path in files
        if retired(path.stem) and "adr" not in path.parts and "node_modules" not in path.parts
    ] == []


@pytest.mark.parametrize("contract", sorted((ROOT / "proto").rglob("*.json")), ids=lambda path: path.name)
def test_no_wire_name_or_route_is_a_retired_word(contract: Path) -> None:
    assert [key for key in keys_of(json.loads(contract.read_text())) if retired(key.replace("/", "_"))] == []


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("RunWish", "body, options, pending run"),
        ("_left_alone", "awaits"),
        ("notebook", None),
        ("_PATIENCE_S", "retry"),
    ],
)
def test_a_retired_word_is_found_as_a_part_of_a_name(name: str, word: str | None) -> None:
    assert retired(name) == word
