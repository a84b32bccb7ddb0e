"""What the runner needs from the bus, in its own words."""

from collections.abc import AsyncIterable, AsyncIterator, Collection
from typing import Protocol

from fastflow_events.nats.artifacts import Artifact
from fastflow_events.nats.objects import Content
from fastflow_events.output import Chunk, Sample
from fastflow_events.recorded import Recorded
from msgspec import Struct

from fastflow_runner.ports import AttemptRef


class StoredChunk(Struct, frozen=True, kw_only=True):
    """A chunk of output and where it is stored."""

    seq: int
    chunk: Chunk


class OutputStore(Protocol):
    """The stored output of attempts."""

    async def end(self, ref: AttemptRef) -> int:
        """Position of what was stored last of an attempt, by whomever; 0 where there is nothing.

        Raises:
            InfrastructureError: the bus did not answer.
        """

    async def newest(self, ref: AttemptRef, holders: Collection[str]) -> StoredChunk | None:
        """The newest chunk that these runners stored of an attempt, or None.

        Raises:
            InfrastructureError: the bus did not answer.
        """

    async def append(self, ref: AttemptRef, chunk: Chunk, *, after_seq: int) -> int:
        """Store a chunk behind the one at `after_seq` (0: the first one); returns its position.

        Raises:
            ConcurrencyError: the attempt's output has moved on.
            InfrastructureError: the bus did not answer; the chunk may be stored all the same.
        """


class CodeStore(Protocol):
    """The code bundles that git_sync stored."""

    async def bundle(self, tree: str) -> bytes:
        """The bundle of a Git tree, verified.

        Raises:
            NotFoundError: no such bundle is stored.
            ContractError: what is stored is not what was put there.
            InfrastructureError: the bus did not answer.
        """


class SampleStore(Protocol):
    """The stored samples of attempts."""

    async def add(self, ref: AttemptRef, sample: Sample) -> None:
        """Store a sample.

        Raises:
            InfrastructureError: the bus did not answer.
        """

    def read(self, ref: AttemptRef, holders: Collection[str]) -> AsyncIterator[Sample]:
        """Yield every sample that these runners stored of an attempt, oldest first for each."""


class ArtifactStore(Protocol):
    """Where files that attempts leave behind are kept."""

    async def store(self, artifact: Artifact, pieces: AsyncIterable[bytes]) -> Content:
        """Store a file, in the place of what was stored under its name.

        Raises:
            InfrastructureError: the bus did not answer, or has no room.
        """


class Delivery(Protocol):
    """One dispatched attempt, handed to this runner until it is settled."""

    recorded: Recorded
    """The fact `run.dispatched`."""

    async def settle(self) -> None:
        """Say that nobody needs to be given this dispatch again; safe to repeat."""

    async def give_back(self, after_s: float) -> None:
        """Let it be delivered again."""


class Arrival(Protocol):
    """A new version of a pipeline, handed to this runner until it is settled."""

    recorded: Recorded
    """The fact `pipeline.version_stored`."""

    async def still_at_it(self) -> None:
        """Keep it from being given to somebody else."""

    async def settle(self) -> None:
        """Say that nobody needs to be given it again."""

    async def give_back(self, after_s: float) -> None:
        """Let it be delivered again."""


class Arrivals(Protocol):
    """Where new versions of pipelines wait to be prepared."""

    async def next(self) -> Arrival | None:
        """The next one, waiting some seconds for it.

        Raises:
            InfrastructureError: the bus did not answer.
        """


class WorkQueue(Protocol):
    """Where dispatched attempts wait."""

    async def next(self, pool: str) -> Delivery | None:
        """The next dispatch of a pool, waiting some seconds for it.

        Raises:
            InfrastructureError: the bus did not answer.
        """
