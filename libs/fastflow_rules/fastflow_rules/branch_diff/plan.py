"""From a branch and what is there now to what would change: pipelines, times, chains, environments, secrets. Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

from fastflow_events.message import all_retold
from msgspec import Struct
from msgspec.structs import replace

from fastflow_rules.branch_diff.branch import BranchAnswer, FolderAt
from fastflow_rules.branch_diff.changes import (
    ChainChange,
    Fires,
    MemberChange,
    MissingSecret,
    NewEnvironment,
    PipelineChange,
    Plan,
    ScheduleChange,
)
from fastflow_rules.chains import Edge, cycles, edges_of_file
from fastflow_rules.definition import Definition, from_fact, to_fact
from fastflow_rules.schedules.planned import plans_of_file
from fastflow_rules.schedules.timetable import count_fires, next_fires

HORIZON = timedelta(days=7)
MAX_SHOWN = 50
"""Fires of one schedule that are listed; the others are counted."""
MAX_COUNTED = 1_000_000


class Present(Struct, frozen=True, kw_only=True):
    """A pipeline at the head of some repository."""

    name: str
    repository: str
    definition: Definition | None = None
    """None while it is invalid."""


class Needed(NamedTuple):
    """Packages and a Python."""

    python: str | None
    """None is the default Python."""
    source: str
    sha256: str
    notebook: bool = False


class Around(Struct, frozen=True, kw_only=True):
    """What there is besides the branch."""

    present: Sequence[Present] = ()
    """Every pipeline of every repository."""
    chains: Sequence[Edge] = ()
    """Those that somebody set over the API."""
    secrets: Collection[str] = ()
    """Names of those that are set."""
    environments: Mapping[Needed, str | None] = {}
    """Those of the environments that the branch needs of which something is known: None when one is installed
    somewhere, else why it could not be."""


def needed(answer: BranchAnswer) -> dict[Needed, list[str]]:
    """The environments that the pipelines which change would run in, with their names."""
    found: dict[Needed, list[str]] = {}
    for at in sorted(answer.folders, key=lambda at: at.name):
        definition = at.definition
        if definition is None or definition.get("isolation") == "jit":
            continue
        notebook = definition.get("kind") == "notebook"
        if notebook or at.requirements_source != "none":
            key = Needed(definition.get("python"), at.requirements_source, at.requirements_sha256, notebook)
            found.setdefault(key, []).append(at.name)
    return found


def plan(answer: BranchAnswer, around: Around, *, now: datetime) -> Plan:
    """Say what would change."""
    present, secrets = around.present, around.secrets
    everything = {pipeline.name: pipeline for pipeline in present}
    mine = {name: found for name, found in everything.items() if found.repository == answer.repository}
    clashing = [everything[at.name] for at in answer.folders if at.name in everything and at.name not in mine]
    before = {name: found.definition for name, found in everything.items()}
    changed = {at.name: from_fact(at.definition) if at.definition is not None else None for at in answer.folders}
    after = {name: found for name, found in before.items() if name not in answer.gone} | changed
    names = [*sorted(changed), *answer.gone]
    edges_before, edges_after = _edges(before, around.chains), _edges(after, around.chains)
    environments = _environments(answer, around)
    circles = _new_cycles(edges_before, edges_after)
    missing = [
        MissingSecret(pipeline=name, secret=secret)
        for name, definition in sorted(changed.items())
        for secret in (definition.secrets if definition else ())
        if secret not in secrets
    ]
    pipelines = [
        *(_change(at, everything.get(at.name) if at.name in mine else None) for at in answer.folders),
        *(PipelineChange(pipeline=name, change="removed") for name in answer.gone),
    ]
    return Plan(
        repository=answer.repository,
        ref=answer.ref,
        commit=answer.commit,
        base=answer.base,
        pipelines=sorted(pipelines, key=lambda change: change.pipeline),
        unchanged=answer.unchanged,
        schedules=[change for name in names for change in _schedules(name, before.get(name), after.get(name), now)],
        chains=_chains(edges_before, edges_after),
        cycles=circles,
        environments=environments,
        missing_secrets=missing,
        problems=[
            *_in_the_way(pipelines, clashing, circles),
            *_dangling(edges_after, after, names),
            *_unset(missing),
            *(
                f"the packages of {', '.join(e.pipelines)} could not be installed: {e.failed}"
                for e in environments
                if e.failed
            ),
        ],
    )


def _change(at: FolderAt, known: Present | None) -> PipelineChange:
    if at.definition is None:
        errors = all_retold(at.errors, at.errors_messages)
        return PipelineChange(
            pipeline=at.name,
            change="broken",
            errors=list(at.errors),
            errors_messages=[error.message for error in errors],
        )
    found = from_fact(at.definition)
    warnings = all_retold(found.warnings, found.warnings_messages)
    change = PipelineChange(
        pipeline=at.name,
        change="added" if known is None else "repaired" if known.definition is None else "changed",
        warnings=list(found.warnings),
        warnings_messages=[warning.message for warning in warnings],
    )
    if known is None or known.definition is None:
        return change
    return replace(change, members=_members(to_fact(known.definition), at.definition))


def _members(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[MemberChange]:
    hidden = {"warnings", "warnings_messages", "webhook_hash", "sealed_env"}
    return [
        MemberChange(member=member, before=_shown(before.get(member)), after=_shown(after.get(member)))
        for member in sorted({*before, *after} - hidden)
        if before.get(member) != after.get(member)
    ]


def _shown(value: Any) -> Any:
    """The value without what only helps to guess webhook keys and without ciphertext."""
    match value:
        case dict():
            kept = {key: member for key, member in value.items() if key not in ("webhook_hash", "sealed_env")}
            return {key: _shown(member) for key, member in kept.items()}
        case list() | tuple():
            return [_shown(member) for member in value]
        case _:
            return value


def _schedules(name: str, before: Definition | None, after: Definition | None, now: datetime) -> list[ScheduleChange]:
    old, new = _fires(name, before, now), _fires(name, after, now)
    return [
        ScheduleChange(pipeline=name, schedule=schedule, before=old.get(schedule), after=new.get(schedule))
        for schedule in sorted({*old, *new})
        if old.get(schedule) != new.get(schedule)
    ]


def _fires(name: str, definition: Definition | None, now: datetime) -> dict[str, Fires]:
    if definition is None:
        return {}
    until, found = now + HORIZON, {}
    for plan_ in plans_of_file(name, definition, at=now, before={}).values():
        table = plan_.timetable
        idle = not (definition.enabled and plan_.enabled)
        at = [] if idle else next_fires(table, after=now, count=MAX_SHOWN, until=until)
        count = 0 if idle else count_fires(table, after=now, until=until, at_most=MAX_COUNTED)
        found[plan_.name] = Fires(at=at, count=count)
    return found


def _edges(definitions: Mapping[str, Definition | None], chains: Iterable[Edge]) -> list[Edge]:
    """Every edge there is; where a file and somebody over the API say the same one, the file's word counts."""
    found: list[Edge] = []
    for name, definition in sorted(definitions.items()):
        found += edges_of_file(name, definition)
        if definition is not None and definition.upstream is not None:
            found += [Edge(upstream=upstream, downstream=name) for upstream in definition.upstream.all]
    keys = {(edge.upstream, edge.downstream, edge.run_config_id) for edge in found}
    return found + [edge for edge in chains if (edge.upstream, edge.downstream, edge.run_config_id) not in keys]


def _condition(edge: Edge) -> str:
    if edge.on_route is not None:
        return f"route {edge.on_route}"
    words = [word for word, given in (("success", edge.on_success), ("failure", edge.on_failure)) if given]
    return " and ".join(words) or "never"


def _chains(before: list[Edge], after: list[Edge]) -> list[ChainChange]:
    def named(edges: list[Edge]) -> set[tuple[str, str, str]]:
        return {(edge.upstream, edge.downstream, _condition(edge)) for edge in edges}

    old, new = named(before), named(after)
    steps: list[tuple[Literal["added", "removed"], set[tuple[str, str, str]]]] = [
        ("added", new - old),
        ("removed", old - new),
    ]
    return [
        ChainChange(upstream=upstream, downstream=downstream, change=change, condition=condition)
        for change, edges in steps
        for upstream, downstream, condition in sorted(edges)
    ]


def _new_cycles(before: list[Edge], after: list[Edge]) -> list[list[str]]:
    known = {frozenset(circle) for circle in cycles(before)}
    return [circle for circle in cycles(after) if frozenset(circle) not in known]


def _dangling(edges: list[Edge], after: Mapping[str, object], touched: Collection[str]) -> list[str]:
    return sorted(
        {
            f"{edge.upstream} is connected to {edge.downstream}, and there is no pipeline {missing}"
            for edge in edges
            for missing in (edge.upstream, edge.downstream)
            if missing not in after and {edge.upstream, edge.downstream} & {*touched}
        }
    )


def _environments(answer: BranchAnswer, around: Around) -> list[NewEnvironment]:
    return [
        NewEnvironment(
            python=key.python,
            requirements_sha256=key.sha256,
            pipelines=names,
            failed=around.environments.get(key),
        )
        for key, names in sorted(needed(answer).items(), key=lambda entry: entry[1])
        if around.environments.get(key, "not there") is not None
    ]


def _in_the_way(mine: Iterable[PipelineChange], clashing: Iterable[Present], circles: Iterable[list[str]]) -> list[str]:
    return [
        *(f"{c.pipeline} cannot run: {'; '.join(c.errors)}" for c in mine if c.change == "broken"),
        *(f'the repository "{p.repository}" has a pipeline {p.name} already; neither would run' for p in clashing),
        *(f"these pipelines would start each other for ever: {' → '.join(circle)}" for circle in circles),
    ]


def _unset(missing: Iterable[MissingSecret]) -> list[str]:
    return [f"{m.pipeline} wants the secret {m.secret}, which nobody has set" for m in missing]
