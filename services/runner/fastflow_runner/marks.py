"""The entry program's markers as the runner's structs; whatever does not decode is no marker."""

import tarfile
from datetime import UTC, datetime
from io import BytesIO
from typing import Annotated

from fastflow_events.run.events import Manifest
from msgspec import DecodeError, Meta, Struct, ValidationError, json, structs

from fastflow_runner.ports import CellEnd, Exit, Prepared, Progress, Started


class _Started(Struct, frozen=True, kw_only=True):
    at: float
    manifest: Manifest
    network: tuple[int, int] | None = None


class _Exit(Struct, frozen=True, kw_only=True):
    nonce: str
    code: int
    signal: int | None
    timed_out: bool
    peak_memory_bytes: int
    cpu_s: float
    oom_kills: int
    dropped_bytes: int
    route: str | None
    at: float
    received_bytes: int | None = None
    transmitted_bytes: int | None = None
    told_to_end: bool = False
    ended_itself: bool = False
    reached_memory_limit: bool = True
    disk_full: bool = False
    refused_processes: int = 0
    sent_bytes: int | None = None
    result: str | None = None
    result_error: str = ""
    progress: str | None = None
    kept: tuple[tuple[str, int], ...] = ()
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


class Image(Struct, frozen=True, kw_only=True, rename="pascal"):
    """An image on the engine."""

    id: str
    """What containers made from it say."""
    repo_digests: list[str] | None = None

    @property
    def shown(self) -> str:
        """Repository digest where there is one, else the id."""
        return self.repo_digests[0] if self.repo_digests else self.id


def deleted(line: bytes) -> dict[str, int] | None:
    """Environments that are gone, and bytes that it freed; None when that is not what the line says."""
    try:
        return json.decode(line, type=_Deleted).freed
    except (DecodeError, ValidationError):
        return None


def image_of(inspected: bytes) -> Image:
    """An inspected image."""
    return json.decode(inspected, type=Image)


def image_id(inspected: bytes) -> str:
    """Repository digest of an image where there is one, else its id."""
    return image_of(inspected).shown


def from_archive(archive: bytes) -> bytes:
    """Content of the only file in a small tar archive; empty when it is none, or no file."""
    try:
        with tarfile.open(fileobj=BytesIO(archive), mode="r:") as tar:
            member = tar.next()
            source = tar.extractfile(member) if member is not None and member.isreg() else None
            return source.read() if source else b""
    except tarfile.TarError:
        return b""


def started(marker: bytes) -> Started | None:
    """What the marker `started` says."""
    try:
        found = json.decode(marker, type=_Started)
    except (DecodeError, ValidationError):
        return None
    return Started(at=datetime.fromtimestamp(found.at, UTC), manifest=found.manifest, network=found.network)


def refused(marker: bytes) -> tuple[str, str]:
    """Reason in one word and in a sentence why user code was not started; `unknown` without a marker."""
    try:
        found = json.decode(marker, type=_Refused)
    except (DecodeError, ValidationError):
        return "unknown", "the entry program ended before user code was started and did not say why"
    return found.reason, found.detail


def completed(observed: Exit, marker: bytes, nonce: str) -> Exit:
    """`observed`, with what the marker `exit.json` adds when it bears the nonce."""
    try:
        found = json.decode(marker, type=_Exit)
    except (DecodeError, ValidationError):
        return observed
    if found.nonce != nonce:
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
        received_bytes=found.received_bytes,
        transmitted_bytes=found.transmitted_bytes,
        told_to_end=found.told_to_end,
        ended_itself=found.ended_itself,
        machine_full=found.oom_kills > 0 and not found.reached_memory_limit,
        disk_full=found.disk_full,
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


def progress(text: str) -> Progress | None:
    """How far a notebook came; the words are a process of the run's own, and None when they cannot be understood."""
    try:
        found = json.decode(text, type=_Progress, strict=False)
    except (DecodeError, ValidationError, UnicodeError):
        return None
    cells = tuple(CellEnd(cell=cell, succeeded=ok, tries=tries) for cell, ok, tries in found.cells)
    return Progress(cells=cells, where=found.where, why=found.why)


def prepared(line: bytes) -> Prepared | None:
    """The result line of mode `prepare`."""
    try:
        return json.decode(line, type=Prepared)
    except (DecodeError, ValidationError):
        return None
