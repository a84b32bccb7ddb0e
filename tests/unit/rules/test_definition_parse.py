"""`pipeline.json` is read strictly: every wrong value is named with its place, and nothing is guessed."""

import json
from datetime import UTC, datetime

import jsonschema
import pytest
from fastflow_rules.definition import (
    MAX_BYTES,
    Definition,
    Problem,
    from_fact,
    parse,
    to_fact,
    webhook_config,
    webhook_hash,
)
from fastflow_rules.definition.schema import pipeline_schema
from hypothesis import given, settings
from hypothesis import strategies as st

FULL = {
    "$schema": "pipeline.schema.json",
    "description": " Loads the sales ",
    "tags": ["sales", "daily"],
    "type": "Script",
    "python_version": "3.12",
    "cpu_hard_limit": 1.5,
    "mem_hard_limit": "1.5g",
    "cpu_soft_limit": 1,
    "mem_soft_limit": "512MB",
    "timeout": 0,
    "retry_attempts": 3,
    "retry_strategy": {"type": "exponential_backoff", "initial_delay": 5, "multiplier": 3, "max_delay": 90},
    "enabled": True,
    "default_env": {"LEVEL": "info"},
    "encrypted_env": {"PASSWORD": "gAAAA"},
    "secrets": ["API_KEY", "API_KEY"],
    "webhook_key": "0123456789abcdef-top",
    "max_instances": 2,
    "restart_on_crash": True,
    "restart_cooldown": 0,
    "restart_interval": 3600,
    "run_once_at": "2030-01-01T12:00:00+02:00",
    "downstream_triggers": [{"pipeline": "report", "on_route": "big"}, {"pipeline": "alarm", "on_failure": True}],
    "schedules": [
        {
            "id": "nightly",
            "schedule_cron": "0  3 * * 7",
            "timezone": "Europe/Berlin",
            "timeout": 60,
            "webhook_key": "0123456789abcdef-nightly",
            "default_env": {"LEVEL": "debug"},
            "schedule_start": "2026-01-01",
            "schedule_end": "2026-12-31",
        }
    ],
    "cells": [{"retries": 2, "delay_seconds": 0.5}, {}],
}


def read(value: object, folder: str = "sales") -> Definition:
    found = parse(json.dumps(value).encode(), folder=folder)
    assert isinstance(found, Definition), found
    return found


def problems(value: object) -> list[Problem]:
    found = parse(value if isinstance(value, bytes) else json.dumps(value).encode(), folder="sales")
    assert isinstance(found, list)
    return found


def test_every_member_is_read_with_its_intended_meaning() -> None:
    definition = read(FULL)
    assert definition.warnings == ()
    assert definition.description == "Loads the sales"
    assert definition.memory_bytes == 1.5 * 1024**3
    assert definition.soft_memory_bytes == 512 * 1024**2
    assert definition.timeout_s == 0
    assert definition.retry_strategy is not None
    assert definition.retry_strategy.delay_s == 5
    assert definition.secrets == ("API_KEY",)
    assert definition.restart_cooldown_s == 0
    assert definition.restart_interval == "3600"
    assert definition.run_once_at == datetime(2030, 1, 1, 10, tzinfo=UTC)
    assert definition.downstream[0].on_route == "big"
    assert definition.downstream[1].on_failure
    [nightly] = definition.schedules
    assert nightly.cron == "0 3 * * 7"
    assert nightly.end == datetime(2026, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
    assert [cell.retries for cell in definition.cells] == [2, 0]


def test_a_fact_carries_the_whole_definition_and_no_webhook_key() -> None:
    definition = read(FULL)
    carried = to_fact(definition)
    assert from_fact(json.loads(json.dumps(carried))) == definition
    assert "0123456789abcdef" not in json.dumps(carried)


def test_a_webhook_key_opens_its_own_configuration_of_its_own_pipeline_only() -> None:
    definition = read(FULL)
    assert webhook_config(definition, "sales", "0123456789abcdef-top") == (True, None)
    assert webhook_config(definition, "sales", "0123456789abcdef-nightly") == (True, "nightly")
    assert webhook_config(definition, "sales", "ü") == (False, None)
    assert webhook_config(definition, "other", "0123456789abcdef-top") == (False, None)
    assert definition.webhook_hash == webhook_hash("sales", "0123456789abcdef-top")


def test_an_empty_object_is_a_pipeline_with_defaults_and_null_is_nothing_said() -> None:
    assert read({}) == Definition() == read({"timeout": None, "tags": None, "schedules": None})


def test_a_file_with_a_byte_order_mark_is_read() -> None:
    assert parse(b'\xef\xbb\xbf{"enabled": false}', folder="x") == Definition(enabled=False)


@pytest.mark.parametrize(
    ("member", "value", "path"),
    [
        ("default_env", {"PORT": 5432}, "$.default_env.PORT"),
        ("default_env", {"": "x"}, '$.default_env[""]'),
        ("default_env", {"A=B": "x"}, '$.default_env["A=B"]'),
        ("default_env", [], "$.default_env"),
        ("mem_hard_limit", "lots", "$.mem_hard_limit"),
        ("mem_hard_limit", "1k", "$.mem_hard_limit"),
        ("mem_hard_limit", True, "$.mem_hard_limit"),
        ("cpu_hard_limit", "2", "$.cpu_hard_limit"),
        ("cpu_hard_limit", 0, "$.cpu_hard_limit"),
        ("timeout", -1, "$.timeout"),
        ("timeout", "60", "$.timeout"),
        ("enabled", "false", "$.enabled"),
        ("type", "shell", "$.type"),
        ("python_version", 3.1, "$.python_version"),
        ("python_version", "3.11 --with evil", "$.python_version"),
        ("tags", "sales", "$.tags"),
        ("tags", ["a", 1], "$.tags[1]"),
        ("schedule_cron", "61 * * * *", "$.schedule_cron"),
        ("schedule_cron", "* * * *", "$.schedule_cron"),
        ("schedule_interval_seconds", 0, "$.schedule_interval_seconds"),
        ("schedule_start", "tomorrow", "$.schedule_start"),
        ("schedules", [{"schedule_cron": "@daily"}], "$.schedules[0].id"),
        ("schedules", [{"id": "a", "timezone": "Mars/Base"}], "$.schedules[0].timezone"),
        ("downstream_triggers", [{"on_success": True}], "$.downstream_triggers[0].pipeline"),
        ("downstream_triggers", [{"pipeline": "a", "on_route": " "}], "$.downstream_triggers[0].on_route"),
        ("retry_strategy", {"type": "hope"}, "$.retry_strategy.type"),
        ("retry_attempts", 1.5, "$.retry_attempts"),
        ("max_instances", 0, "$.max_instances"),
        ("restart_interval", "often", "$.restart_interval"),
        ("secrets", ["A=B"], "$.secrets[0]"),
        ("cells", [{"retries": -1}], "$.cells[0].retries"),
    ],
)
def test_a_wrong_value_is_named_with_its_place(member: str, value: object, path: str) -> None:
    [problem] = problems({member: value})
    assert problem.path == path
    assert problem.found
    assert problem.allowed


def test_all_problems_are_told_at_once_in_the_order_of_the_file() -> None:
    found = problems({"timeout": "x", "enabled": 1, "max_instances": 0})
    assert [p.path for p in found] == ["$.timeout", "$.enabled", "$.max_instances"]
    assert str(found[1]) == "$.enabled: found 1; allowed: true or false"


def test_a_wrong_secret_value_is_not_repeated() -> None:
    [problem] = problems({"encrypted_env": {"TOKEN": 12345678}})
    assert "12345678" not in str(problem)


def test_the_same_webhook_key_or_schedule_id_twice_is_refused() -> None:
    key = "k" * 20
    twice = [{"id": "a", "webhook_key": key}, {"id": "b", "webhook_key": key}]
    assert [p.path for p in problems({"schedules": twice})] == ["$.webhook_key"]
    assert key not in str(problems({"schedules": twice}))
    assert [p.path for p in problems({"schedules": [{"id": "a"}, {"id": "a"}]})] == ["$.schedules"]


def test_a_window_that_never_opens_is_refused() -> None:
    [problem] = problems({"schedule_start": "2026-02-01", "schedule_end": "2026-01-31"})
    assert problem.path == "$.schedule_end"


def test_an_unknown_member_is_a_warning_that_names_the_closest_one() -> None:
    [warning] = read({"time_out": 5}).warnings
    assert warning == '$: "time_out" is not known and ignored; did you mean "timeout"?'


def test_times_of_the_file_do_not_count_beside_schedules() -> None:
    definition = read({"schedule_cron": "@daily", "schedules": [{"id": "a", "schedule_interval_seconds": 60}]})
    assert definition.cron is None
    assert len(definition.warnings) == 1


def test_a_protected_variable_is_a_warning() -> None:
    [warning] = read({"default_env": {"FASTFLOW_RUN_ID": "x"}}).warnings
    assert "FASTFLOW_RUN_ID" in warning


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"a": NaN}', b"[" * 100_000, b'{"a":' * 50_000, b'"\\ud800"', b"1e999"],
)
def test_what_is_no_object_is_refused_with_a_reason(raw: bytes) -> None:
    [problem] = problems(raw)
    assert problem.path == "$"


def test_a_huge_file_is_not_read_and_a_definition_too_large_for_a_fact_is_refused() -> None:
    [huge] = problems(b'{"description": "' + b"x" * MAX_BYTES + b'"}')
    assert str(MAX_BYTES) in str(huge.allowed)
    [large] = problems({"default_env": {f"V{n}": "x" * 1000 for n in range(60)}})
    assert "definition" in str(large.found)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
known_members = st.dictionaries(st.sampled_from(sorted(FULL)), json_values)


@settings(max_examples=40)
@given(known_members)
def test_whatever_the_members_hold_reading_ends_in_a_definition_or_in_reasons(value: dict[str, object]) -> None:
    found = parse(json.dumps(value).encode(), folder="sales")
    if isinstance(found, Definition):
        assert from_fact(json.loads(json.dumps(to_fact(found)))) == found
    else:
        assert found
        assert all(str(problem) for problem in found)


@given(st.binary())
def test_whatever_the_bytes_are_reading_never_raises(raw: bytes) -> None:
    assert isinstance(parse(raw, folder="sales"), Definition | list)


@settings(max_examples=60)
@given(st.sampled_from(sorted(FULL)), json_values)
def test_what_the_reader_accepts_the_schema_accepts(member: str, value: object) -> None:
    raw = json.dumps({member: value})
    if isinstance(parse(raw.encode(), folder="sales"), Definition):
        jsonschema.validate(json.loads(raw), pipeline_schema())


def test_the_schema_is_a_schema_and_accepts_the_full_example() -> None:
    jsonschema.Draft202012Validator.check_schema(pipeline_schema())
    jsonschema.validate({**FULL, "type": "script"}, pipeline_schema())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"timeout": "x"}, pipeline_schema())
