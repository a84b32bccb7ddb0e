"""What the gateway needs from outside, in its own words."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Literal, NamedTuple, Protocol

from fastflow_events.commit_about import CommitAbout
from fastflow_events.log import EventLog
from fastflow_events.output import Chunk, Sample

from fastflow_gateway.core.changes.files import Content
from fastflow_gateway.core.dead_letters import StoredLetter, Verdict
from fastflow_gateway.rows.definitions import BackfillRows, ChainRows, PipelineRows, ScheduleRows
from fastflow_gateway.rows.installation import EnvironmentRows, InstallationRows
from fastflow_gateway.rows.run_kin import RunKinRows
from fastflow_gateway.rows.runs import RunRows
from fastflow_gateway.rows.search import SearchRows
from fastflow_gateway.rows.statistics import StatisticsRows
from fastflow_gateway.rows.tokens import TokenRows


class StoredChunk(NamedTuple):
    """A chunk of output as the stream holds it."""

    seq: int
    attempt: int
    chunk: Chunk
    runner: str
    """Who wrote it."""


class ModelHash(NamedTuple):
    """The rows in 32 bytes: what two folds of the same facts must agree on."""

    seq: int
    """Stream position up to which the rows hold the facts."""
    tables: dict[str, str]
    """Table name to the SHA-256 of its rows in the order of their keys."""
    sha256: str
    """Over all tables."""


class ReadModel(
    RunRows,
    StatisticsRows,
    SearchRows,
    RunKinRows,
    PipelineRows,
    ScheduleRows,
    ChainRows,
    BackfillRows,
    InstallationRows,
    EnvironmentRows,
    TokenRows,
    Protocol,
):
    """The folded log, for questions: those of every noun, see `rows`."""

    async def position_at(self, instant: str) -> int:
        """A position at or before an instant, at most two thousand before the last one."""

    def at(self, seq: int, log: EventLog) -> "ReadModel":
        """The read model as it was after the fact at a position; what was in flight is folded from the log."""

    async def hashes(self) -> ModelHash:
        """Hash every table as of one moment."""

    async def ping(self) -> str | None:
        """None when rows can be read, else what is wrong."""


class Output(Protocol):
    """What the runs wrote."""

    def read(self, run_id: str, *, after_seq: int) -> AsyncIterator[Sequence[StoredChunk]]:
        """Yield the chunks stored now, by whomever, in order and in batches, then end."""

    async def last(self, run_id: str, attempt: int, runners: Collection[str]) -> StoredChunk | None:
        """The newest chunk that these runners wrote of an attempt."""

    async def before(
        self, run_id: str, attempt: int, runners: Collection[str], wanted: Callable[[Chunk], bool]
    ) -> StoredChunk | None:
        """The newest of them that is wanted, when all that come before a wanted one are wanted too."""

    def listen(self, run_id: str, event: asyncio.Event) -> AbstractAsyncContextManager[None]:
        """Set `event` whenever output of the run is stored."""

    async def ping(self) -> str | None:
        """None when output can be read, else what is wrong."""


class StoredSample(NamedTuple):
    """A sample as the stream holds it."""

    seq: int
    attempt: int
    sample: Sample
    runner: str
    """Who wrote it."""


class Samples(Protocol):
    """What the runs used."""

    async def read(self, run_id: str, *, after_seq: int, limit: int) -> list[StoredSample]:
        """Samples behind a position, by whomever, oldest first; fewer than `limit` are all there are now."""


class Artifacts(Protocol):
    """Files that runs left behind."""

    async def open(self, run_id: str, attempt: int, path: str, sha256: str) -> AsyncIterator[bytes] | None:
        """The bytes of a file with this digest; None when it is not stored any more.

        Raises:
            DamagedObjectError: what is stored is not what was put there; maybe only behind its last byte.
        """


class Commits(Protocol):
    """What Git says of commits."""

    async def about(self, commits: Collection[str]) -> Mapping[str, CommitAbout]:
        """What is known of each of the commits; what is not known, or not now, is left out."""


class Questions(Protocol):
    """What git_sync knows and no fact says."""

    async def ask(self, what: str, question: bytes, *, timeout_s: float = 30.0) -> bytes:
        """Ask and wait for the answer.

        Raises:
            InfrastructureError: git_sync is not there, or takes too long.
        """


class CodeFile(NamedTuple):
    """A file of a bundle."""

    path: str
    size: int
    kind: Literal["file", "executable", "link"]
    target: str = ""
    """Where a link leads."""


class Code(Protocol):
    """The code of runs, as it was stored before they started."""

    async def files(self, tree: str) -> list[CodeFile]:
        """Every file of a bundle, in its order.

        Raises:
            BundleMissingError: the bundle is not stored, or not any more.
        """

    async def file(self, tree: str, path: str) -> bytes | None:
        """The content of one regular file; None when there is none at this path.

        Raises:
            BundleMissingError: the bundle is not stored, or not any more.
        """

    async def contents(self, tree: str) -> Mapping[str, Content]:
        """Every file of a bundle by its path; what is text and not too long with it.

        Raises:
            BundleMissingError: the bundle is not stored, or not any more.
        """

    async def archive(self, tree: str) -> tuple[int, AsyncIterator[bytes]]:
        """Size and bytes of the bundle itself, a tar.zst.

        Raises:
            BundleMissingError: the bundle is not stored, or not any more.
        """


class Letters(Protocol):
    """What no service could handle."""

    def read(self) -> AsyncIterator[StoredLetter | Verdict]:
        """Yield every dead letter and every verdict on one, in stored order."""

    async def judge(self, verdict: Verdict) -> int:
        """Store a verdict; returns its position."""
