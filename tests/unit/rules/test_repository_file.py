"""`fastflow.json` says what holds for every pipeline of a repository that is mute about it."""

import json

import jsonschema
import pytest
from fastflow_rules.definition import Definition, RepositoryFile, parse, parse_repository
from fastflow_rules.definition.repository import repository_schema

FILE = {
    "$schema": "fastflow.schema.json",
    "defaults": {"timeout": 60, "default_env": {"REGION": "eu", "LEVEL": "info"}, "python_version": "3.12"},
    "concurrency_groups": {"db": 3, "api": {"limit": 2}},
}


def repository(value: object) -> RepositoryFile:
    found = parse_repository(json.dumps(value).encode())
    assert isinstance(found, RepositoryFile), found
    return found


def definition(value: object, file: object = FILE) -> Definition:
    found = parse(json.dumps(value).encode(), folder="sales", repository=repository(file))
    assert isinstance(found, Definition), found
    return found


def test_a_mute_pipeline_gets_the_defaults() -> None:
    found = definition({})
    assert (found.timeout_s, found.python) == (60.0, "3.12")
    assert found.env == {"REGION": "eu", "LEVEL": "info"}


def test_a_pipeline_says_otherwise_and_adds_to_the_environment() -> None:
    found = definition({"timeout": 0, "default_env": {"LEVEL": "debug", "X": "1"}, "python_version": None})
    assert (found.timeout_s, found.python) == (0.0, "3.12")
    assert found.env == {"REGION": "eu", "LEVEL": "debug", "X": "1"}


def test_the_limit_of_a_group_is_said_in_one_place() -> None:
    assert definition({"concurrency_group": "db"}).concurrency_limit == 3
    other = definition({"concurrency_group": {"name": "api", "limit": 9}})
    assert other.concurrency_limit == 2
    assert other.warnings == ("$.concurrency_group: fastflow.json says that the limit is 2, and that counts",)
    unknown = definition({"concurrency_group": "dbb"})
    assert unknown.concurrency_limit == 1
    assert unknown.warnings == ('$.concurrency_group: fastflow.json has no group "dbb"',)


def test_the_schema_allows_what_is_read() -> None:
    jsonschema.validate(FILE, repository_schema())


def test_an_unknown_member_is_a_warning() -> None:
    found = repository({"default": {}, "defaults": {"timout": 5}})
    assert found.warnings == (
        '$: "default" is not known and ignored; did you mean "defaults"?',
        '$.defaults: "timout" is not known and ignored; did you mean "timeout"?',
    )
    assert found.defaults == {}


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"{", "$: found no JSON"),
        (b"[]", "$: found a list of 0; allowed: an object"),
        (b'{"defaults": {"timeout": "soon"}}', '$.defaults.timeout: found "soon"'),
        (b'{"concurrency_groups": {"db": 0}}', "$.concurrency_groups.db: found 0"),
        (b'{"concurrency_groups": {"db": {}}}', "$.concurrency_groups.db.limit: found null"),
        (b" " * 300_000, "found a file of 300000 bytes"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(raw: bytes, words: str) -> None:
    found = parse_repository(raw)
    assert isinstance(found, list)
    assert words in str(found[0])


def test_what_belongs_to_one_pipeline_is_no_default() -> None:
    found = repository({"defaults": {"webhook_key": "0123456789abcdef", "schedule_cron": "0 0 * * *"}})
    assert found.defaults == {}
    assert len(found.warnings) == 2
