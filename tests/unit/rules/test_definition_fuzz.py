"""Whatever bytes somebody calls `pipeline.json`: never a crash, always a definition or reasons."""

import json
from typing import Any

import msgspec
from fastflow_events.aggregates.run.specification import Requirements
from fastflow_rules.definition import (
    Definition,
    Problem,
    RepositoryFile,
    from_fact,
    parse,
    parse_repository,
    specification,
    to_fact,
)
from fastflow_rules.definition.fields import fields
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

KEYS = [*fields({}), "id", "pipeline", "name", "limit", "default", "choices", "all", "policy", "jitter", "$schema"]
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.sampled_from(["0 3 * * *", "@daily", "512m", "1.5g", "UTC", "Europe/Berlin", "2026-01-31", "all", "queue", "A"]),
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS) | st.text(), inner, max_size=6),
    max_leaves=30,
)
TABLES = st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=10), JSON, max_size=12)
MANY = settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def check(found: Definition | list[Problem]) -> None:
    if isinstance(found, Definition):
        assert from_fact(json.loads(msgspec.json.encode(to_fact(found)))) == found
        for config in (None, *(schedule.id for schedule in found.schedules)):
            specification(
                found,
                repository="main",
                pipeline="p",
                commit="a" * 40,
                tree="b" * 40,
                requirements=Requirements(),
                run_config_id=config,
            )
        return
    assert found
    for problem in found:
        assert problem.path.startswith("$")
        assert problem.allowed
        assert str(problem).isprintable()
        assert len(str(problem)) < 20_000


@MANY
@given(st.binary(max_size=300))
def test_any_bytes(raw: bytes) -> None:
    check(parse(raw, folder="p"))
    assert isinstance(parse_repository(raw), RepositoryFile | list)


@MANY
@given(JSON, st.text(min_size=1, max_size=50))
def test_any_json_in_any_folder(value: object, folder: str) -> None:
    check(parse(json.dumps(value).encode(), folder=folder))


@MANY
@given(TABLES)
def test_known_members_with_any_values(value: dict[str, Any]) -> None:
    check(parse(json.dumps(value).encode(), folder="p"))


@MANY
@given(TABLES, TABLES, st.dictionaries(st.text(max_size=5), JSON, max_size=3))
def test_any_pipeline_under_any_repository_file(
    value: dict[str, Any], defaults: dict[str, Any], groups: dict[str, Any]
) -> None:
    inherited = parse_repository(json.dumps({"defaults": defaults, "concurrency_groups": groups}).encode())
    if isinstance(inherited, RepositoryFile):
        check(parse(json.dumps(value).encode(), folder="p", repository=inherited))


def test_what_is_nested_ten_thousand_deep_is_refused() -> None:
    for opening, closing in (("[", "]"), ('{"a":', "}")):
        check(parse((opening * 10_000 + "1" + closing * 10_000).encode(), folder="p"))


def test_a_hundred_megabytes_are_not_read() -> None:
    [problem] = parse(b" " * 100_000_000, folder="p")  # type: ignore[misc]  # a list: it is too long
    assert "at most" in str(problem.allowed)
