"""What differs between two runs in what they were given and in what they took: pure, over their facts."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, TypeAlias

from fastflow_events.aggregates.run.events import RunAttemptFinished, RunDispatched, RunRequested, RunStarted
from fastflow_events.aggregates.run.manifest import Manifest
from fastflow_events.aggregates.run.specification import Specification
from fastflow_events.recorded import Recorded
from msgspec import Struct

Scalar: TypeAlias = str | int | float | None
Change: TypeAlias = Literal["added", "removed", "changed"]


class Given(Struct, frozen=True, kw_only=True):
    """What one run was asked for, was given and took, as its facts say it; of its last attempt."""

    request: RunRequested
    requested_at: datetime
    specification: Specification | None
    manifest: Manifest | None
    runner: str | None
    started_at: datetime | None
    end: RunAttemptFinished | None
    ended_at: datetime | None


class Difference(Struct, frozen=True, kw_only=True):
    """Something that has another value."""

    name: str
    was: str | int | float | None
    now: str | int | float | None


class VariableChange(Struct, frozen=True, kw_only=True):
    """A variable that is not the same; its values are said nowhere."""

    name: str
    change: Change
    sealed: bool
    """Whether it is kept encrypted: the same value sealed once more counts as another one."""
    was: str | None
    """Keyed hash of the value, to be compared with others of this answer only."""
    now: str | None


def given_of(history: Sequence[Recorded]) -> Given | None:
    """Read the facts of one run; None when nobody asked for it."""
    first = next((recorded for recorded in history if isinstance(recorded.fact, RunRequested)), None)
    if first is None or not isinstance(first.fact, RunRequested):
        return None
    dispatches = [recorded.fact for recorded in history if isinstance(recorded.fact, RunDispatched)]
    starts = [recorded.fact for recorded in history if isinstance(recorded.fact, RunStarted)]
    ends = [(recorded, recorded.fact) for recorded in history if isinstance(recorded.fact, RunAttemptFinished)]
    start = starts[-1] if starts else None
    ended, end = ends[-1] if ends else (None, None)
    return Given(
        request=first.fact,
        requested_at=first.at,
        specification=dispatches[-1].specification if dispatches else None,
        manifest=start.manifest if start else None,
        runner=start.runner if start else None,
        started_at=start.started_at if start else None,
        end=end,
        ended_at=(end.finished_at or ended.at) if end and ended else None,
    )


def params_between(before: Given, after: Given) -> list[Difference]:
    """Params that were asked for differently."""
    return _between(before.request.params, after.request.params)


def secrets_between(before: Given, after: Given) -> list[Difference]:
    """Secrets of other versions; null where one was not granted."""
    return _between(
        before.specification.secrets if before.specification else {},
        after.specification.secrets if after.specification else {},
    )


def variables_between(before: Given, after: Given, key: bytes) -> list[VariableChange]:
    """Variables that are not the same, params left out."""
    left_out = {*before.request.params, *after.request.params}
    one, other = _variables(before), _variables(after)
    found = []
    for name in sorted({*one, *other} - left_out):
        was, now = one.get(name), other.get(name)
        if was == now:
            continue
        change: Change = "added" if was is None else "removed" if now is None else "changed"
        sealed = (now or was or ("", False))[1]
        hashes = [_hash(key, name, each[0]) if each else None for each in (was, now)]
        found.append(VariableChange(name=name, change=change, sealed=sealed, was=hashes[0], now=hashes[1]))
    return found


_SETTINGS: Mapping[str, Callable[[Given], Scalar]] = {
    "image": lambda given: given.manifest.image or None if given.manifest else None,
    "python": lambda given: given.manifest.python or None if given.manifest else None,
    "uv": lambda given: given.manifest.uv or None if given.manifest else None,
    "executor": lambda given: given.manifest.executor if given.manifest else None,
    "runner": lambda given: given.runner,
    "run_config_id": lambda given: given.request.run_config_id,
    "entry_point": lambda given: given.specification.entry_point if given.specification else None,
    "isolation": lambda given: given.specification.isolation if given.specification else None,
    "network": lambda given: _network(given.specification) if given.specification else None,
    "timeout_s": lambda given: given.specification.timeout_s if given.specification else None,
    "memory_limit_bytes": lambda given: _limit(given, "memory_bytes"),
    "cpu_limit": lambda given: _limit(given, "cpus"),
    "disk_limit_bytes": lambda given: _limit(given, "disk_bytes"),
}


def settings_between(before: Given, after: Given) -> list[Difference]:
    """What else each ran on, and under which limits."""
    return [
        Difference(name=name, was=was, now=now)
        for name, read in _SETTINGS.items()
        if (was := read(before)) != (now := read(after))
    ]


def numbers_of(before: Given, after: Given) -> list[Difference]:
    """What each took, equal or not."""
    return [Difference(name=name, was=read(before), now=read(after)) for name, read in _NUMBERS.items()]


_NUMBERS: Mapping[str, Callable[[Given], Scalar]] = {
    "wait_s": lambda given: _seconds(given.requested_at, given.started_at),
    "prepare_s": lambda given: given.manifest.prepare_s if given.manifest else None,
    "duration_s": lambda given: _seconds(given.started_at, given.ended_at),
    "peak_memory_bytes": lambda given: given.end.peak_memory_bytes if given.end else None,
    "cpu_s": lambda given: given.end.cpu_s if given.end else None,
    "output_lines": lambda given: given.end.output_lines if given.end else None,
    "output_bytes": lambda given: given.end.output_bytes if given.end else None,
    "exit_code": lambda given: given.end.exit_code if given.end else None,
}


def _between(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    return [
        Difference(name=name, was=before.get(name), now=after.get(name))
        for name in sorted({*before, *after})
        if before.get(name) != after.get(name)
    ]


def _variables(given: Given) -> dict[str, tuple[str, bool]]:
    if given.specification is None:
        return {name: (value, False) for name, value in given.request.env.items()}
    plain = {name: (value, False) for name, value in given.specification.env.items()}
    return {**plain, **{name: (text, True) for name, text in given.specification.sealed_env.items()}}


def _hash(key: bytes, name: str, value: str) -> str:
    text = f"{name}\0{value}".encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text, key=key, digest_size=8).hexdigest()


def _network(specification: Specification) -> str:
    network = specification.network
    return network if isinstance(network, str) else ", ".join(network)


def _limit(given: Given, name: str) -> Scalar:
    found: Scalar = getattr(given.manifest, name, None) if given.manifest else None
    if found is None and given.specification:
        found = getattr(given.specification.limits, name)
    return found


def _seconds(begin: datetime | None, end: datetime | None) -> float | None:
    return round((end - begin).total_seconds(), 3) if begin and end else None
