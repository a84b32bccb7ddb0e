"""A runner that writes what one writes, and executes nothing."""

from collections.abc import Awaitable, Callable

from fastflow_events import subjects
from fastflow_events.log import EventLog
from fastflow_events.output import Chunk, OutFrame, Sample, encode_chunk, encode_sample
from fastflow_events.testing.builders import NOON, attempt_finished, run_finished

from fastflow_gateway.testing.idle_runner import RUN, IdleRunner


class WritingRunner(IdleRunner):
    """Writes and measures, too."""

    def __init__(self, publish: Callable[[str, bytes], Awaitable[object]], log: EventLog) -> None:
        super().__init__(log)
        self._publish = publish
        self._next = 0

    async def write(self, *pieces: bytes, last: bool = False) -> None:
        """Store pieces of standard output as one chunk."""
        frames = tuple(OutFrame("stdout", NOON, piece) for piece in pieces)
        chunk = Chunk(first=self._next, frames=frames, last=last)
        self._next = chunk.next
        await self._publish(subjects.output(RUN, 1, "runner-1"), encode_chunk(chunk))

    async def measure(self, memory: int) -> None:
        """Store one sample."""
        sample = Sample(at=NOON, cpus=1.0, memory_bytes=memory)
        await self._publish(subjects.sample(RUN, 1, "runner-1"), encode_sample(sample))

    async def finish(self) -> None:
        """The attempt ends, and the run."""
        await self.write(last=True)
        await self.say(attempt_finished(), run_finished())
