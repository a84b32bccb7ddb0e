"""Each line of docs/security.md is shown by a test that is there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
NAMED = re.compile(r"`(tests/[a-z0-9_/]+\.py)(?:::(test_[a-z0-9_]+))?`")


def named() -> list[tuple[str, str]]:
    return NAMED.findall((ROOT / "docs" / "security.md").read_text())


def test_the_page_names_its_tests() -> None:
    assert len(named()) > 20


def test_every_test_that_the_page_names_is_there() -> None:
    lost = [
        f"{file}::{test}"
        for file, test in named()
        if not (ROOT / file).is_file() or (test and f"def {test}(" not in (ROOT / file).read_text())
    ]
    assert not lost


def test_every_attack_in_a_table_has_a_test_or_says_where_else_it_is_described() -> None:
    page = (ROOT / "docs" / "security.md").read_text()
    tables = [
        [line for line in block.splitlines() if line.startswith("|")]
        for block in page.split("\n\n")
        if block.startswith("|")
    ]
    assert len(tables) >= 5
    bare = [row for rows in tables for row in rows[2:] if not NAMED.search(row) and "](" not in row]
    assert not bare
