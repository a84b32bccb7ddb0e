"""`$` in a regular expression of Python also matches before a last line feed, so nothing is judged by it."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted(path for folder in ("libs", "services", "scripts") for path in (ROOT / folder).rglob("*.py"))
CONTRACTS = sorted((ROOT / "proto").rglob("*.json"))
_ENDS = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]|(?P<end>\$(?!\(\?!\\n\)))", re.DOTALL)


def is_lax(pattern: str) -> bool:
    """Whether a dollar sign stands for the end, and nothing keeps it from meaning "before a line feed"."""
    by_lines = pattern.startswith("(?m)")
    return not by_lines and any(found["end"] for found in _ENDS.finditer(pattern))


@pytest.mark.parametrize("pattern", ["^a$", r"(a|$)", r"\\$", "a$|b"])
def test_a_lax_end_is_found(pattern: str) -> None:
    assert is_lax(pattern)


@pytest.mark.parametrize("pattern", [r"^a$(?!\n)", r"a\Z", r"\$", "[$]", r"[\]$]", "a", "(?m)a$"])
def test_a_strict_one_is_not(pattern: str) -> None:
    assert not is_lax(pattern)


def patterns_of(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Whatever looks like a regular expression: first arguments of `re`, `pattern=` and members called so."""
    for node in ast.walk(tree):
        given: list[ast.expr] = []
        if isinstance(node, ast.Call):
            is_about_patterns = ast.unparse(node.func).startswith("re.")
            given += node.args[:1] if is_about_patterns else []
            given += [word.value for word in node.keywords if word.arg == "pattern"]
        elif isinstance(node, ast.Dict):
            pairs = zip(node.keys, node.values, strict=True)
            given += [value for key, value in pairs if isinstance(key, ast.Constant) and key.value == "pattern"]
        for expression in given:
            parts = expression.values if isinstance(expression, ast.JoinedStr) else [expression]
            text = "".join(str(part.value) for part in parts if isinstance(part, ast.Constant))
            yield expression.lineno, text


def test_no_pattern_in_the_code_takes_a_trailing_line_feed() -> None:
    assert len(SOURCES) > 300
    found = [(path, line, text) for path in SOURCES for line, text in patterns_of(ast.parse(path.read_bytes()))]
    assert len(found) > 50
    assert [f"{path.relative_to(ROOT)}:{line}: {text}" for path, line, text in found if is_lax(text)] == []


def patterns_in(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("pattern"), str):
            yield value["pattern"]
        for member in value.values():
            yield from patterns_in(member)
    elif isinstance(value, list):
        for member in value:
            yield from patterns_in(member)


def test_no_pattern_of_the_contract_takes_one_either() -> None:
    found = [(path, pattern) for path in CONTRACTS for pattern in patterns_in(json.loads(path.read_bytes()))]
    assert len(found) > 10
    assert [f"{path.relative_to(ROOT)}: {pattern}" for path, pattern in found if is_lax(pattern)] == []
