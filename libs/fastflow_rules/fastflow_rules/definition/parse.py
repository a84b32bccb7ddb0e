"""From the bytes of `pipeline.json` to a definition, or to every reason why there is none."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from fastflow_rules.definition import allowed, remarks
from fastflow_rules.definition.fields import fields
from fastflow_rules.definition.found import DefinitionOf, IdTwice, NameTwice, brief
from fastflow_rules.definition.kinds import table
from fastflow_rules.definition.model import Definition, Param, Schedule, to_fact, warned, webhook_hash
from fastflow_rules.definition.problem import At, Problem, Report
from fastflow_rules.definition.reading import MAX_BYTES, read_json
from fastflow_rules.definition.repository import RepositoryFile, inherit
from fastflow_rules.definition.reserved import PROTECTED
from fastflow_rules.definition.timing import check_times
from fastflow_rules.definition.values import is_variable_name, repeated

MAX_FACT_BYTES = 24 * 1024
"""What a definition may take in a fact."""
__all__ = ["MAX_BYTES", "MAX_FACT_BYTES", "parse"]
SHORT_KEY = 16


def parse(raw: bytes, *, folder: str, repository: RepositoryFile | None = None) -> Definition | list[Problem]:
    """Read `pipeline.json` of the pipeline `folder`; the list is never empty. Never raises.

    What the repository's `fastflow.json` says holds where the pipeline is mute.
    """
    report = Report()
    keys: dict[str, str] = {}
    value = read_json(raw, report)
    if isinstance(value, Problem):
        return [value]
    inherited = repository or RepositoryFile()

    def build(found: dict[str, Any], at: At) -> Definition:
        return _definition(found, at, folder, keys, inherited.groups)

    definition = table(fields(keys), build).read(inherit(value, inherited), At(report))
    if report.problems or isinstance(definition, Problem):
        return report.problems
    definition = warned(definition, report.warnings)
    size = len(msgspec.json.encode(to_fact(replace(definition, warnings_messages=()))))
    if size > MAX_FACT_BYTES:
        return [Problem(path="$", found=DefinitionOf(size), allowed=allowed.BytesUpTo(MAX_FACT_BYTES))]
    return definition


def _definition(
    found: dict[str, Any], at: At, folder: str, keys: dict[str, str], groups: dict[str, int] | None
) -> Definition:
    own_key = found.pop("webhook_key", None)
    schedules: Sequence[Schedule] = found.get("schedules", ())
    _check_schedules(found, schedules, at)
    _check_keys([*([own_key] if own_key else []), *keys.values()], at)
    _check_env(found, at)
    found["schedules"] = tuple(
        replace(schedule, webhook_hash=webhook_hash(folder, keys[schedule.id])) if schedule.id in keys else schedule
        for schedule in schedules
    )
    _check_params(found, at)
    if group := found.pop("group", None):
        found.update(concurrency_group=group["name"], concurrency_limit=_limit(group, groups, at))
    found["secrets"] = tuple(dict.fromkeys(found.get("secrets", ())))
    return Definition(**found, webhook_hash=webhook_hash(folder, own_key) if own_key else None)


def _limit(group: dict[str, Any], groups: dict[str, int] | None, at: At) -> int:
    """The limit of a group: what `fastflow.json` says, else the pipeline itself, else 1."""
    name, own = group["name"], group.get("limit")
    if groups is not None and name not in groups:
        at.key("concurrency_group").warn(remarks.NoGroup(brief(name)))
    shared = (groups or {}).get(name)
    if shared is not None and own not in (None, shared):
        at.key("concurrency_group").warn(remarks.GroupLimitIs(shared))
    return int(shared or own or 1)


def _check_params(found: dict[str, Any], at: At) -> None:
    params: Sequence[Param] = found.get("params", ())
    for name in sorted(repeated(param.name for param in params)):
        at.key("params").refuse_as(NameTwice(brief(name)), allowed.OtherNames())
    timed = [found, *(msgspec.structs.asdict(schedule) for schedule in found.get("schedules", ()))]
    by_itself = any(each.get("cron") or each.get("interval_s") for each in timed) or found.get("run_once_at")
    for param in params:
        set_by = any(param.name in config.get("env", {}) for config in timed)
        if by_itself and param.required and param.default is None and not set_by:
            at.key("params").warn(remarks.ParamUnset(param.name))


def _check_schedules(found: dict[str, Any], schedules: Sequence[Schedule], at: At) -> None:
    check_times(found, at)
    for id in sorted(repeated(schedule.id for schedule in schedules)):
        at.key("schedules").refuse_as(IdTwice(brief(id)), allowed.OtherIds())
    if schedules and (lost := [key for key in ("cron", "interval_s", "start", "end") if found.pop(key, None)]):
        at.warn(remarks.OwnTimesUnused(tuple(lost)))


def _check_keys(keys: Sequence[str], at: At) -> None:
    if repeated(keys):
        at.key("webhook_key").refuse_secret(allowed.OtherKeys())
    if any(len(key) < SHORT_KEY for key in keys):
        at.warn(remarks.KeyGuessable(SHORT_KEY))


def _check_env(found: dict[str, Any], at: At) -> None:
    configs: list[tuple[At, dict[str, str]]] = [(at, {**found.get("env", {}), **found.get("sealed_env", {})})]
    configs += [
        (at.key("schedules").item(n), {**s.env, **s.sealed_env}) for n, s in enumerate(found.get("schedules", ()))
    ]
    for place, env in configs:
        for name in sorted(PROTECTED & env.keys()):
            place.warn(remarks.VariableFixed(name))
    for n, name in enumerate(found.get("secrets", ())):
        if not is_variable_name(name):
            at.key("secrets").item(n).refuse(name, allowed.SecretName())
