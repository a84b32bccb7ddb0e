"""Every member of `pipeline.json` beyond the oldest ones: what it becomes, and what is refused with which words."""

import json

import jsonschema
import pytest
from fastflow_rules.definition import Catchup, Definition, Param, Upstream, from_fact, parse, to_fact
from fastflow_rules.definition.schema import pipeline_schema

NEW = {
    "isolation": "jit",
    "max_instances": 3,
    "on_limit": "skip",
    "concurrency_group": {"name": "db", "limit": 4},
    "priority": 7,
    "pool": "gpu_1",
    "artifacts": ["report.html", "out/**/*.csv"],
    "timezone": "Europe/Berlin",
    "schedule_cron": "0 3 * * *",
    "catchup": "all",
    "jitter": 30,
    "retry_attempts": 2,
    "retry_strategy": {"type": "fixed_delay", "delay": 10, "jitter": 0.25},
    "upstream": {"all": ["a", "b", "a"], "params": {"DAY": "$params.a.DAY"}},
    "downstream_triggers": [{"pipeline": "c", "params": {"ROWS": "$result.rows", "PRICE": "$$5"}}],
    "params": [
        {"name": "DAY", "type": "date", "default": "2026-02-03", "description": "The day to load."},
        {"name": "SIZE", "type": "integer", "choices": [1, 10, 100], "default": 10},
        {"name": "FULL", "type": "boolean", "default": False},
        {"name": "TARGET", "required": True},
    ],
}


def parsed(value: object) -> Definition:
    found = parse(json.dumps(value).encode(), folder="sales")
    assert isinstance(found, Definition), found
    return found


def refused(value: object) -> list[str]:
    found = parse(json.dumps(value).encode(), folder="sales")
    assert isinstance(found, list), found
    return [str(problem) for problem in found]


def test_every_newer_member_is_read() -> None:
    found = parsed(NEW)
    assert (found.isolation, found.max_instances, found.on_limit, found.priority) == ("jit", 3, "skip", 7)
    assert (found.concurrency_group, found.concurrency_limit, found.pool) == ("db", 4, "gpu_1")
    assert found.artifacts == ("report.html", "out/**/*.csv")
    assert (found.timezone, found.catchup, found.jitter_s) == ("Europe/Berlin", Catchup(policy="all"), 30.0)
    assert found.retry_strategy is not None
    assert found.retry_strategy.jitter == 0.25
    assert found.upstream == Upstream(all=("a", "b"), params={"DAY": "$params.a.DAY"})
    assert found.downstream[0].params == {"ROWS": "$result.rows", "PRICE": "$$5"}
    assert found.params == (
        Param(name="DAY", type="date", default="2026-02-03", description="The day to load."),
        Param(name="SIZE", type="integer", choices=("1", "10", "100"), default="10"),
        Param(name="FULL", type="boolean", default="false"),
        Param(name="TARGET", required=True),
    )


def test_what_was_read_survives_its_fact() -> None:
    assert from_fact(json.loads(json.dumps(to_fact(parsed(NEW))))) == parsed(NEW)


def test_the_schema_allows_what_is_read() -> None:
    jsonschema.validate(NEW, pipeline_schema())


def test_a_schema_key_is_no_unknown_member() -> None:
    assert parsed({"$schema": "https://example.org/pipeline.schema.json"}).warnings == ()


def test_an_unknown_member_is_a_warning_that_names_the_closest_one() -> None:
    found = parsed({"time_out": 5, "schedules": [{"id": "a", "schedule_crom": "0 0 * * *"}], "qwertz": 1})
    assert found.timeout_s is None
    assert [w for w in found.warnings if "known" in w] == [
        '$: "time_out" is not known and ignored; did you mean "timeout"?',
        '$.schedules[0]: "schedule_crom" is not known and ignored; did you mean "schedule_cron"?',
        '$: "qwertz" is not known and ignored',
    ]


def test_the_older_word_for_queueing_is_understood() -> None:
    found = parsed({"on_limit": "wait"})
    assert found.on_limit == "queue"
    assert found.warnings == ('$.on_limit: "wait" is called "queue" now',)
    assert to_fact(parsed({})).get("on_limit") is None


def test_a_group_without_a_limit_runs_one_at_a_time() -> None:
    assert parsed({"concurrency_group": "db"}).concurrency_limit == 1


def test_catching_up_has_bounds() -> None:
    value = {"catchup": {"policy": "all", "within_seconds": 60, "max_runs": 5}}
    assert parsed(value).catchup == Catchup(policy="all", within_s=60.0, max_runs=5)


def test_a_schedule_says_otherwise() -> None:
    schedule = {"id": "n", "schedule_cron": "0 0 * * *", "priority": -5, "catchup": "skip", "jitter": 1}
    [found] = parsed({"priority": 1, "schedules": [schedule]}).schedules
    assert (found.priority, found.catchup, found.jitter_s) == (-5, Catchup(policy="skip"), 1.0)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"on_limit": "drop"}, '$.on_limit: found "drop"; allowed: "queue" or "skip" or "reject"'),
        ({"concurrency_group": {"limit": 2}}, "$.concurrency_group.name: found null; allowed: the name of the group"),
        ({"concurrency_group": {"name": "a", "limit": 0}}, "$.concurrency_group.limit: found 0"),
        ({"pool": "a b"}, '$.pool: found "a b"; allowed: 1 to 64 letters, digits, _ and -'),
        ({"priority": 1.5}, "$.priority: found 1.5; allowed: a whole number from -1000 to 1000"),
        ({"artifacts": ["../secrets"]}, '$.artifacts[0]: found "../secrets"'),
        ({"artifacts": ["/etc/passwd"]}, '$.artifacts[0]: found "/etc/passwd"'),
        ({"catchup": "yes"}, '$.catchup: found "yes"; allowed: "skip" or "latest" or "all"'),
        ({"jitter": -1}, "$.jitter: found -1; allowed: a number from 0 to 86400"),
        ({"timezone": "Europe/Berlyn"}, '$.timezone: found "Europe/Berlyn"'),
        ({"retry_strategy": {"jitter": 2}}, "$.retry_strategy.jitter: found 2; allowed: a number from 0 to 1"),
        ({"upstream": {"all": []}}, "$.upstream.all: found a list of 0; allowed: at least one pipeline"),
        ({"upstream": ["a"]}, "$.upstream: found a list of 1; allowed: an object"),
        ({"params": [{"name": "A=B"}]}, '$.params[0].name: found "A=B"'),
        ({"params": [{"name": "FASTFLOW_RUN_ID"}]}, '$.params[0].name: found "FASTFLOW_RUN_ID"'),
        ({"params": [{"name": "A", "type": "integer", "default": "x"}]}, '$.params[0].default: found "x"'),
        ({"params": [{"name": "A", "choices": ["a"], "default": "b"}]}, 'allowed: one of "a"'),
        ({"params": [{"name": "A", "type": "date", "choices": ["soon"]}]}, '$.params[0].choices[0]: found "soon"'),
        ({"params": [{"name": "A"}, {"name": "A"}]}, '$.params: found the name "A" twice'),
        ({"isolation": "none"}, '$.isolation: found "none"; allowed: "prepared" or "jit"'),
    ],
)
def test_what_does_not_fit_is_named_with_its_place_and_what_is_allowed(value: object, words: str) -> None:
    [reason] = refused(value)
    assert words in reason


def test_a_required_param_that_no_schedule_can_give_is_warned_of() -> None:
    value = {"schedule_cron": "0 0 * * *", "params": [{"name": "A", "required": True}]}
    assert parsed(value).warnings == ("$.params: A is required, and no schedule can give it",)
    assert parsed({**value, "default_env": {"A": "x"}}).warnings == ()
