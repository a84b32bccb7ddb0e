"""The page of ends names tests that exist, and quotes sentences that those tests expect."""

import ast
import re
from functools import cache
from pathlib import Path
from typing import get_args

import pytest
from fastflow_events.types import Outcome

PAGE = Path(__file__).resolve().parents[2] / "docs" / "ends.md"
ROW = re.compile(r"^\| .* \|$", re.MULTILINE)
TEST = re.compile(r"\[(test_\w+)\]\(([^)]+)\)")
ROWS = [row for row in ROW.findall(PAGE.read_text()) if "](" in row]


@cache
def tree_of(path: Path) -> ast.Module:
    """A test file, parsed."""
    return ast.parse(path.read_text())


def words_of(path: Path) -> str:
    """Every string in it."""
    return "\0".join(
        node.value for node in ast.walk(tree_of(path)) if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


def test_there_are_rows() -> None:
    assert len(ROWS) > 30
    assert not [row for row in ROW.findall(PAGE.read_text()) if "](" not in row and row.split(" | ")[-1] != "test |"]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[2:60])
def test_a_row_names_a_test_that_expects_what_the_row_says(row: str) -> None:
    [(name, link)] = TEST.findall(row)
    path = (PAGE.parent / link).resolve()
    functions = [node for node in ast.walk(tree_of(path)) if isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef)]
    assert name in [function.name for function in functions]
    words = words_of(path)
    for sentence in re.findall(r'"([^"]+)"', row):
        for part in filter(None, (piece.strip() for piece in sentence.split("…"))):
            assert part in words, f"{name} does not expect: {part}"
    for outcome in re.findall(r"\| `(\w+)` \|", row):
        assert outcome in get_args(Outcome)
        assert outcome in words
