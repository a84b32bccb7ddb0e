"""The entry program's markers as the runner's structs; whatever does not decode is no marker."""

from datetime import UTC, datetime
from typing import Annotated, TypeVar

from fastflow_events.aggregates.run.manifest import Manifest
from fastflow_events.plain import is_too_deep
from msgspec import Meta, MsgspecError, Struct, json, structs

from fastflow_runner.core.adoption import Verified
from fastflow_runner.entry.leaving import RESULT_BYTES, ROUTE_BYTES
from fastflow_runner.ports import CellEnd, Exit, Prepared, Progress, Started

T = TypeVar("T")
_Amount = Annotated[int, Meta(ge=0, le=2**63 - 1)]
_Moved = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
"""The difference of two counters, the first of which may have been set back."""
_At = Annotated[float, Meta(ge=0, le=253_402_300_799)]
"""Seconds since 1970, up to the year 9999."""


class _Started(Struct, frozen=True, kw_only=True):
    at: _At
    manifest: Manifest
    network: tuple[_Amount, _Amount] | None = None


class _Exit(Struct, frozen=True, kw_only=True):
    nonce: str
    code: Annotated[int, Meta(ge=0, le=255)]
    signal: Annotated[int, Meta(ge=1, le=64)] | None
    timed_out: bool
    peak_memory_bytes: _Amount
    cpu_s: Annotated[float, Meta(ge=0, le=1e12)]
    oom_kills: _Amount
    dropped_bytes: _Amount
    route: Annotated[str, Meta(max_length=ROUTE_BYTES)] | None
    at: _At
    received_bytes: _Moved | None = None
    transmitted_bytes: _Moved | None = None
    told_to_end: bool = False
    ended_itself: bool = False
    reached_memory_limit: bool = True
    disk_full: bool = False
    held_bytes: _Amount = 0
    refused_processes: _Amount = 0
    sent_bytes: _Amount | None = None
    result: Annotated[str, Meta(max_length=RESULT_BYTES)] | None = None
    result_error: str = ""
    progress: str | None = None
    kept: tuple[tuple[str, _Amount], ...] = ()
    left: tuple[tuple[str, str], ...] = ()


_Count = Annotated[int, Meta(ge=1, le=1_000_000)]


class _Progress(Struct, frozen=True, kw_only=True):
    cells: Annotated[tuple[tuple[_Count, bool, _Count], ...], Meta(max_length=500)]
    where: Annotated[str, Meta(max_length=200)]
    why: Annotated[str, Meta(max_length=4000)]


class _Refused(Struct, frozen=True, kw_only=True):
    reason: str
    detail: str


class _Deleted(Struct, frozen=True, kw_only=True):
    freed: dict[str, int]
    busy: list[str]


UID_LABEL = "fastflow.uid"


class _Config(Struct, frozen=True, kw_only=True, rename="pascal"):
    labels: dict[str, str] | None = None


class Fetched(Struct, frozen=True, kw_only=True):
    """What stands ready in a container: wheels of a lock."""

    lock: str
    there: list[str]
    """Wheels that are in the store already, as `hash/file`."""


class Staged(Struct, frozen=True, kw_only=True):
    """Code that is there."""

    sealed: dict[str, str]
    spoiled: tuple[str, ...] = ()


class Image(Struct, frozen=True, kw_only=True, rename="pascal"):
    """An image on the engine."""

    id: str
    """What containers made from it say."""
    repo_digests: list[str] | None = None
    config: _Config = _Config()

    @property
    def uid(self) -> str:
        """User for whom it was made; empty when it does not say."""
        return (self.config.labels or {}).get(UID_LABEL, "")

    @property
    def shown(self) -> str:
        """Repository digest where there is one, else the id."""
        return self.repo_digests[0] if self.repo_digests else self.id


def _read(text: bytes, kind: type[T], *, strict: bool = True) -> T | None:
    """What the text says; None when that cannot be understood, whatever it is."""
    try:
        return None if is_too_deep(text) else json.decode(text, type=kind, strict=strict)
    except (MsgspecError, ValueError, RecursionError):
        return None


def deleted(line: bytes) -> dict[str, int] | None:
    """Environments that are gone, and bytes that it freed; None when that is not what the line says."""
    found = _read(line, _Deleted)
    return found.freed if found else None


def image_of(inspected: bytes) -> Image:
    """An inspected image."""
    return json.decode(inspected, type=Image)


def started(marker: bytes) -> Started | None:
    """What the marker `started` says."""
    found = _read(marker, _Started)
    if found is None:
        return None
    return Started(at=datetime.fromtimestamp(found.at, UTC), manifest=found.manifest, network=found.network)


def refused(marker: bytes) -> tuple[str, str]:
    """Reason in one word and in a sentence why user code was not started; `unknown` without a marker."""
    found = _read(marker, _Refused)
    if found is None:
        return "unknown", "the entry program ended before user code was started and did not say why"
    return found.reason, found.detail


def completed(observed: Exit, marker: bytes, nonce: str) -> Exit:
    """`observed`, with what the marker `exit.json` adds when it bears the nonce."""
    found = _read(marker, _Exit)
    if found is None or found.nonce != nonce:
        return observed
    return structs.replace(
        observed,
        marker_code=found.code,
        signal=found.signal,
        oom_killed=observed.oom_killed or found.oom_kills > 0,
        never_started=False,
        timed_out=found.timed_out,
        peak_memory_bytes=found.peak_memory_bytes,
        cpu_s=found.cpu_s,
        received_bytes=_amount(found.received_bytes),
        transmitted_bytes=_amount(found.transmitted_bytes),
        told_to_end=found.told_to_end,
        ended_itself=found.ended_itself,
        machine_full=found.oom_kills > 0 and not found.reached_memory_limit,
        disk_full=found.disk_full,
        held_bytes=found.held_bytes,
        processes_refused=found.refused_processes > 0,
        dropped_bytes=found.dropped_bytes,
        sent_bytes=found.sent_bytes,
        route=found.route,
        result=found.result,
        result_error=found.result_error,
        notebook=progress(found.progress) if found.progress else None,
        kept=found.kept,
        left=found.left,
        finished_at=observed.finished_at or datetime.fromtimestamp(found.at, UTC),
    )


def _amount(moved: int | None) -> int | None:
    return None if moved is None or moved < 0 else moved


def progress(text: str) -> Progress | None:
    """How far a notebook came; the words are a process of the run's own, and None when they cannot be understood."""
    found = _read(text.encode(errors="replace"), _Progress, strict=False)
    if found is None:
        return None
    cells = tuple(CellEnd(cell=cell, succeeded=ok, tries=tries) for cell, ok, tries in found.cells)
    return Progress(cells=cells, where=found.where, why=found.why)


def fetched(line: bytes) -> Fetched | None:
    """The result line of modes `fetch` and `build`."""
    return _read(line, Fetched)


def staged(line: bytes) -> Staged | None:
    """The result line of mode `stage`."""
    return _read(line, Staged)


def verified(line: bytes) -> Verified | None:
    """The result line of mode `verify`."""
    return _read(line, Verified)


def prepared(line: bytes) -> Prepared | None:
    """The result line of mode `prepare`."""
    return _read(line, Prepared)
