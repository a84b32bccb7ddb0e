"""From the bytes of `pipeline.json` to a definition, or to every reason why there is none."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from fastflow_rules.definition.fields import fields
from fastflow_rules.definition.kinds import table
from fastflow_rules.definition.model import Definition, Schedule, to_fact, webhook_hash
from fastflow_rules.definition.problem import At, Problem, Report
from fastflow_rules.definition.timing import check_times
from fastflow_rules.definition.values import PROTECTED, is_variable_name, repeated

MAX_BYTES = 256 * 1024
"""A longer file is not even read."""
MAX_FACT_BYTES = 24 * 1024
"""What a definition may take in a fact."""
SHORT_KEY = 16
_BOM = b"\xef\xbb\xbf"


def parse(raw: bytes, *, folder: str) -> Definition | list[Problem]:
    """Read `pipeline.json` of the pipeline `folder`; the list is never empty. Never raises."""
    if len(raw) > MAX_BYTES:
        return [Problem(path="$", found=f"a file of {len(raw)} bytes", allowed=f"at most {MAX_BYTES} bytes")]
    report = Report()
    root = At(report)
    keys: dict[str, str] = {}
    try:
        value = msgspec.json.decode(raw.removeprefix(_BOM))
    except (msgspec.MsgspecError, UnicodeDecodeError, ValueError) as exc:
        return [Problem(path="$", found=f"no JSON: {exc}", allowed="a JSON object")]
    except RecursionError:
        return [Problem(path="$", found="objects nested too deeply", allowed="a JSON object as the schema has it")]

    def build(found: dict[str, Any], at: At) -> Definition:
        return _definition(found, at, folder, keys)

    definition = table(fields(keys), build).read(value, root)
    if report.problems or isinstance(definition, Problem):
        return report.problems
    definition = replace(definition, warnings=tuple(report.warnings))
    size = len(msgspec.json.encode(to_fact(definition)))
    if size > MAX_FACT_BYTES:
        return [Problem(path="$", found=f"a definition of {size} bytes", allowed=f"at most {MAX_FACT_BYTES} bytes")]
    return definition


def _definition(found: dict[str, Any], at: At, folder: str, keys: dict[str, str]) -> Definition:
    own_key = found.pop("webhook_key", None)
    schedules: Sequence[Schedule] = found.get("schedules", ())
    _check_schedules(found, schedules, at)
    _check_keys([*([own_key] if own_key else []), *keys.values()], at)
    _check_env(found, at)
    found["schedules"] = tuple(
        replace(schedule, webhook_hash=webhook_hash(folder, keys[schedule.id])) if schedule.id in keys else schedule
        for schedule in schedules
    )
    for name in sorted(repeated(param.name for param in found.get("params", ()))):
        at.key("params").refuse(f'the name "{name}" twice', "a different name for each parameter")
    if group := found.pop("group", None):
        found.update(concurrency_group=group["name"], concurrency_limit=group.get("limit", 1))
    found["secrets"] = tuple(dict.fromkeys(found.get("secrets", ())))
    return Definition(**found, webhook_hash=webhook_hash(folder, own_key) if own_key else None)


def _check_schedules(found: dict[str, Any], schedules: Sequence[Schedule], at: At) -> None:
    check_times(found, at)
    for id in sorted(repeated(schedule.id for schedule in schedules)):
        at.key("schedules").refuse(f'the id "{id}" twice', "a different id for each schedule")
    if schedules and (lost := [key for key in ("cron", "interval_s", "start", "end") if found.pop(key, None)]):
        at.warn(f"schedules is there, so the file's own {', '.join(lost)} do not count")


def _check_keys(keys: Sequence[str], at: At) -> None:
    if repeated(keys):
        at.key("webhook_key").refuse_secret("a different key for the pipeline and each of its schedules")
    if any(len(key) < SHORT_KEY for key in keys):
        at.warn(f"a webhook key of less than {SHORT_KEY} characters can be guessed")


def _check_env(found: dict[str, Any], at: At) -> None:
    configs: list[tuple[At, dict[str, str]]] = [(at, {**found.get("env", {}), **found.get("sealed_env", {})})]
    configs += [
        (at.key("schedules").item(n), {**s.env, **s.sealed_env}) for n, s in enumerate(found.get("schedules", ()))
    ]
    for place, env in configs:
        for name in sorted(PROTECTED & env.keys()):
            place.warn(f"{name} is set for every run and cannot be changed")
    for n, name in enumerate(found.get("secrets", ())):
        if not is_variable_name(name):
            at.key("secrets").item(n).refuse(name, "the name of a secret, without =")
