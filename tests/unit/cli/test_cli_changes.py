"""What differs between two runs, on the command line: the verdict first, readable at 80 columns."""

from typing import Any

from fastflow_cli.commands.changes import lines_of
from hypothesis import given
from hypothesis import strategies as st


def answer(**more: Any) -> dict[str, Any]:
    nothing: dict[str, Any] = {
        name: [] for name in ("commits", "files", "packages", "params", "variables", "secrets", "settings", "numbers")
    }
    run = {"id": "good", "status": "succeeded", "requested_at": "2026-11-27T08:00:00Z"}
    rest = {"against": run, "verdict": "nothing differs", "output": None, "equal_lines": 0, "output_compared": True}
    return {**nothing, **rest, **more}


def test_the_verdict_comes_first_and_then_only_what_differs() -> None:
    near = [{"n": 16, "line_text": "batch 15"}]
    found = answer(
        verdict="only this differs: 1 package",
        commits=[{"commit": "b" * 40, "subject": "Rename column"}],
        files=[{"path": "main.py", "change": "changed", "added_lines": 3, "removed_lines": 1, "diff": "-a\n+b"}],
        packages=[{"name": "pandas", "was": "2.3.1", "now": "2.3.2"}],
        variables=[{"name": "MODE", "change": "changed"}],
        secrets=[{"name": "TOKEN", "was": None, "now": 2}],
        numbers=[{"name": "duration_s", "was": 48.0, "now": 47.0}, {"name": "cpu_s", "was": None, "now": None}],
        output={"before_line": 16, "after_line": None, "before": near, "after": []},
        equal_lines=15,
    )
    assert [*lines_of(found, diff=True)] == [
        "against good, succeeded, 2026-11-27 08:00:00Z",
        "only this differs: 1 package",
        "commit      bbbbbbbb Rename column",
        "file        main.py changed +3 -1",
        "  -a",
        "  +b",
        "package     pandas 2.3.1 -> 2.3.2",
        "secret      TOKEN nothing -> 2",
        "variable    MODE changed",
        "took        duration_s 48.0 | 47.0",
        "output      differs behind 15 lines that say the same:",
        "- 16: batch 15",
        "+ nothing more",
    ]


def test_without_an_earlier_success_that_is_all_there_is_to_say() -> None:
    assert [*lines_of(answer(against=None, verdict="there is none"))] == ["there is none"]


@given(st.lists(st.fixed_dictionaries({"name": st.text(max_size=200), "was": st.text(), "now": st.text()})))
def test_no_row_is_wider_than_a_terminal(params: list[dict[str, str]]) -> None:
    rows = [*lines_of(answer(params=params))]
    assert len(rows) == 3 + len(params)
    assert all(len(row) <= 80 for row in rows)
