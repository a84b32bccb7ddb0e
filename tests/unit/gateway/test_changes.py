"""What differs between two runs: everything that does, and nothing that differs in every run."""

from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from fastflow_events.aggregates.run.manifest import Manifest
from fastflow_events.fact import Fact
from fastflow_events.recorded import Recorded
from fastflow_events.testing.builders import (
    CAUSE,
    NOON,
    attempt_finished,
    run_dispatched,
    run_requested,
    run_started,
    specification,
)
from fastflow_gateway.core.changes.differences import (
    Difference,
    Given,
    given_of,
    params_between,
    secrets_between,
    settings_between,
    variables_between,
)
from fastflow_gateway.core.changes.files import Content, files_between
from fastflow_gateway.core.changes.output import AROUND, Comparison
from fastflow_gateway.core.changes.verdict import verdict_of
from fastflow_gateway.core.line_shapes import shape_of
from fastflow_gateway.core.lines import Line
from fastflow_gateway.core.locked_packages import PackageChange, locked, packages_between
from hypothesis import given
from hypothesis import strategies as st

KEY = b"k" * 32


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2026-11-27 08:00:00,123 INFO batch 7", "2026-11-28 19:12:59,999 INFO batch 7"),
        ("[2026-11-27T08:00:00.1Z] hello", "[2026-11-28T23:59:59+02:00] hello"),
        ("done in 0.12s", "done in 12.7s"),
        ("took 3 ms", "took 4.5 ms"),
        ("<object at 0x7f3a2c1d>", "<object at 0x55e0aa01ff>"),
        ("run 018f3c2a-7b1c-7def-8abc-0123456789ab", "run 018f3c2b-0000-7def-8abc-ba9876543210"),
        ("wrote /tmp/tmpab12/x.csv", "wrote /tmp/tmpzz99/y.csv"),
        ("commit a1b2c3d4e5f6", "commit 99ee01aabbcc"),
        ("at 1764230400", "at 1764316800.25"),
        ("pid=17", "pid=4711"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("Fri, 27 Nov 2026", "Sat, 28 Nov 2026"),
    ],
)
def test_what_differs_in_every_run_is_no_difference(one: str, other: str) -> None:
    assert shape_of(one) == shape_of(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("batch 71 of 90", "batch 72 of 90"),
        ("KeyError: 'sku'", "KeyError: 'sku_id'"),
        ("1420 rows", "1421 rows"),
        ("", "x"),
    ],
)
def test_what_a_script_says_differently_is_a_difference(one: str, other: str) -> None:
    assert shape_of(one) != shape_of(other)


@given(st.text(max_size=80), st.datetimes(), st.datetimes(), st.uuids(), st.uuids())
def test_a_line_with_other_times_and_ids_has_the_same_shape(
    words: str, at: datetime, later: datetime, one: UUID, other: UUID
) -> None:
    assert shape_of(f"{words} | {at} {one}") == shape_of(f"{words} | {later} {other}")


@given(st.one_of(st.text(max_size=200), st.text("0123456789abf:-. msx/tp\x1b[<>", max_size=200)))
def test_any_line_has_a_shape_and_a_carriage_return_is_none_of_it(line: str) -> None:
    assert shape_of(f"{line}\r") == shape_of(line)


def lines_of(texts: list[str]) -> list[Line]:
    return [Line(n, "stdout", NOON, text) for n, text in enumerate(texts, 1)]


few = st.lists(st.sampled_from(["a", "b", "took 1 ms", "took 2 ms", "c"]), max_size=30)


@given(few, few, st.integers(1, 7))
def test_the_first_difference_is_the_first_however_outputs_are_read(
    before: list[str], after: list[str], size: int
) -> None:
    comparison, sides = Comparison(), [lines_of(before), lines_of(after)]
    at = [0, 0]
    while not comparison.is_done:
        for side in (0, 1):
            while comparison.wants(side):
                some = sides[side][at[side] : at[side] + size]
                at[side] += size
                comparison.feed(side, some) if some else comparison.end(side)
    shapes = [[shape_of(text) for text in texts] for texts in (before, after)]
    equal = next(
        (n for n, pair in enumerate(zip(*shapes, strict=False)) if pair[0] != pair[1]), min(len(before), len(after))
    )
    found = comparison.difference()
    assert comparison.equal == equal
    if equal == len(before) == len(after):
        assert found is None
        return
    assert found is not None
    assert found.before_line == (equal + 1 if equal < len(before) else None)
    assert found.after_line == (equal + 1 if equal < len(after) else None)
    for shown, texts in ((found.before, before), (found.after, after)):
        assert [line.line_text for line in shown] == texts[max(equal - AROUND, 0) : equal + AROUND + 1]


def recorded(*facts: Fact) -> list[Recorded]:
    return [
        Recorded(seq=n, aggregate="run", id="r", version=n, at=NOON, source="/fastflow/test/1", cause=CAUSE, fact=fact)
        for n, fact in enumerate(facts, 1)
    ]


def run(*, env: dict[str, str] | None = None, request: dict[str, Any] | None = None, **more: Any) -> Given:
    given = specification(env=env or {}, **more)
    manifest = Manifest(executor="process", container="c", image="i1", python="3.11.7")
    facts = (
        run_requested(**(request or {})),
        run_dispatched(specification=given),
        run_started(manifest=manifest),
        attempt_finished(finished_at=NOON),
    )
    found = given_of(recorded(*facts))
    assert found is not None
    return found


values = st.dictionaries(st.sampled_from(["A", "B", "C", "D"]), st.text(min_size=8, max_size=20), max_size=4)


@given(values, values, values, values)
def test_variables_are_named_when_they_differ_and_their_values_never(
    env: dict[str, str], others: dict[str, str], sealed: dict[str, str], others_sealed: dict[str, str]
) -> None:
    before, after = run(env=env, sealed_env=sealed), run(env=others, sealed_env=others_sealed)
    one, other = {**env, **sealed}, {**others, **others_sealed}
    changes = variables_between(before, after, KEY)
    wanted = {
        name
        for name in {*one, *other}
        if (one.get(name), name in sealed) != (other.get(name), name in others_sealed)
        or (name in one) != (name in other)
    }
    assert {change.name for change in changes} == wanted
    for change in changes:
        assert {change.was, change.now}.isdisjoint({*one.values(), *other.values()})
        if change.change == "changed" and one[change.name] != other[change.name]:
            assert change.was != change.now


def test_hashes_of_values_are_worth_nothing_without_their_key() -> None:
    [one] = variables_between(run(env={"A": "x"}), run(env={"A": "y"}), KEY)
    [same] = variables_between(run(env={"A": "x"}), run(env={"A": "y"}), KEY)
    [other] = variables_between(run(env={"A": "x"}), run(env={"A": "y"}), b"j" * 32)
    assert one == same
    assert (one.was, one.now) != (other.was, other.now)


def test_params_secrets_and_settings_are_named_with_both_values() -> None:
    before = run(request={"params": {"day": "1", "mode": "full"}}, secrets={"T": 1}, env={"day": "1"}, timeout_s=60)
    after = run(request={"params": {"day": "2", "mode": "full"}}, secrets={"T": 2, "U": 1}, env={"day": "2"})
    assert params_between(before, after) == [Difference(name="day", was="1", now="2")]
    assert [(each.name, each.was, each.now) for each in secrets_between(before, after)] == [
        ("T", 1, 2),
        ("U", None, 1),
    ]
    assert settings_between(before, after) == [Difference(name="timeout_s", was=60, now=None)]
    assert variables_between(before, after, KEY) == []  # params are variables too, and said once


def text(words: str) -> Content:
    return Content(kind="file", size=len(words), digest=words.encode(), text=words)


def test_files_are_compared_line_by_line_where_they_can_be() -> None:
    image = Content(kind="file", size=9, digest=b"1", text=None)
    before = {"main.py": text("a\nb\nc"), "same": text("x"), "gone": text("y"), "image": image}
    after = {
        "main.py": text("a\nB\nc\nd"),
        "same": text("x"),
        "new": text("z"),
        "image": Content(kind="file", size=9, digest=b"2", text=None),
    }
    found = {change.path: change for change in files_between(before, after)}
    assert {path: (each.change, each.added_lines, each.removed_lines) for path, each in found.items()} == {
        "gone": ("removed", 0, 1),
        "image": ("changed", None, None),
        "main.py": ("changed", 2, 1),
        "new": ("added", 1, 0),
    }
    assert "-b\n+B" in (found["main.py"].diff or "")


names = st.dictionaries(st.sampled_from(["a", "b.py", "é"]), st.text("xy\n", max_size=9).map(text), max_size=3)


@given(names, names)
def test_every_file_that_differs_is_named_once(before: dict[str, Content], after: dict[str, Content]) -> None:
    wanted = [path for path in sorted({*before, *after}) if before.get(path) != after.get(path)]
    assert [change.path for change in files_between(before, after)] == wanted


def test_packages_are_compared_by_name_and_version() -> None:
    before = locked("pandas==2.3.1 \\\n    --hash=sha256:ab\nNumPy==2.0\nmine @ https://me:secret@host/x.whl\n")
    toml = [("pandas", "2.3.2"), ("numpy", "2.0")]
    after = locked(
        'lock-version = "1.0"\n'
        + "".join(f'[[packages]]\nname = "{name}"\nversion = "{version}"\n' for name, version in toml)
    )
    assert before["mine"] == "https://host/x.whl"
    assert packages_between(before, after) == [
        PackageChange(name="mine", was="https://host/x.whl", now=None),
        PackageChange(name="pandas", was="2.3.1", now="2.3.2"),
    ]


def test_a_verdict_says_what_differs_and_that_nothing_does() -> None:
    some = verdict_of(files=1, packages=2, params=0, variables=0, secrets=0, settings=["python"])
    assert str(some) == "only this differs: 1 file of the code; 2 packages; python"
    nothing = verdict_of(files=0, packages=0, params=0, variables=0, secrets=0, settings=[])
    assert str(nothing) == "nothing differs in what the two runs were given"
