"""`fastflow.json`: what a repository says for all of its pipelines; it lies beside their folders."""

from collections.abc import Mapping
from typing import Any

from fastflow_events.message import Statement
from msgspec import Struct

from fastflow_rules.definition.allowed import GroupRuns
from fastflow_rules.definition.fields import SHARED, fields
from fastflow_rules.definition.kinds import Field, Kind, either, integer, mapping, object_schema, table
from fastflow_rules.definition.problem import At, Problem, Report
from fastflow_rules.definition.reading import read_json

NAME = "fastflow.json"
_OWN = ("webhook_key", "schedule_cron", "schedule_interval_seconds", "schedule_start", "schedule_end", "encrypted_env")
_MORE = (
    "tags",
    "python_version",
    "isolation",
    "network",
    "secrets",
    "max_instances",
    "on_limit",
    "concurrency_group",
    "pool",
    "retry_on_lost",
)
MERGED = ("default_env",)
"""Objects of which a pipeline overrides single members."""


class RepositoryFile(Struct, frozen=True, kw_only=True):
    """What `fastflow.json` says."""

    defaults: dict[str, Any] = {}
    """Members of `pipeline.json` as they were written, for pipelines that do not have them."""
    groups: dict[str, int] | None = None
    """Concurrency group to limit; None says nothing about groups."""
    remarks: tuple[Statement, ...] = ()

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences for its author."""
        return tuple(map(str, self.remarks))


def _checked() -> Mapping[str, Field]:
    """The members of `pipeline.json` that a repository may say for all its pipelines."""
    return {
        **{key: field for key, field in SHARED.items() if key not in _OWN},
        **{key: field for key, field in fields({}).items() if key in _MORE},
    }


def _members() -> Mapping[str, Field]:
    limit = integer(minimum=1)
    group: Kind[int] = either(
        limit,
        lambda found: found,
        table(
            {"limit": Field(limit, "limit", str(GroupRuns()), required=GroupRuns())},
            lambda found, _: int(found["limit"]),
        ),
    )
    return {
        "defaults": Field(table(_checked(), lambda found, _: found), "checked", "What holds where a pipeline is mute."),
        "concurrency_groups": Field(mapping(group, max_items=200), "groups", "Group to limit of runs at once."),
    }


def parse_repository(raw: bytes) -> RepositoryFile | list[Problem]:
    """Read `fastflow.json`; the list is never empty. Never raises."""
    report = Report()
    value = read_json(raw, report)
    if isinstance(value, Problem):
        return [value]

    def build(found: dict[str, Any], _: At) -> RepositoryFile:
        written = value.get("defaults") if isinstance(value, dict) else None
        known = {key: member for key, member in (written or {}).items() if key in _checked() and member is not None}
        return RepositoryFile(defaults=known, groups=found.get("groups"))

    read = table(_members(), build).read(value, At(report))
    if report.problems or isinstance(read, Problem):
        return report.problems
    return RepositoryFile(defaults=read.defaults, groups=read.groups, remarks=tuple(report.warnings))


def inherit(value: object, repository: RepositoryFile) -> object:
    """Lay what a pipeline says over what its repository says."""
    if not isinstance(value, dict):
        return value
    members = {key: member for key, member in value.items() if member is not None}
    merged = {
        key: {**repository.defaults[key], **members[key]}
        for key in MERGED
        if isinstance(repository.defaults.get(key), dict) and isinstance(members.get(key), dict)
    }
    return {**repository.defaults, **members, **merged}


def repository_schema() -> dict[str, object]:
    """Return the JSON Schema of the file."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:fastflow:fastflow.schema.json",
        "title": NAME,
        "description": "What a repository says for all of its pipelines. Every member is optional.",
        **object_schema(_members()),
    }
