# ruff: noqa: D102 - the names of tests are sentences
"""What every executor does alike with two streams."""

import random

from fastflow_runner.ports import Executor
from fastflow_runner.testing.executor_contract import ExecutorContract

ROUNDS = 300
IN_TURNS = f"""
import fcntl, os, random, struct, termios

def unread(fd):
    return struct.unpack("i", fcntl.ioctl(fd, termios.FIONREAD, bytes(4)))[0]

for n in range({ROUNDS}):
    while unread(1) or unread(2):
        pass
    for fd in random.Random(n).sample([1, 2], 2):
        os.write(fd, b"%d\\n" % n)
"""
STREAMS = {1: "stdout", 2: "stderr"}


class TurnsContract(ExecutorContract):
    """The whole contract of an executor, and that it keeps the order of two streams."""

    async def test_what_is_written_in_turns_is_stored_in_turns(self, executor: Executor) -> None:
        launch = await self.a_launch(executor, IN_TURNS)
        await executor.launch(launch)
        found = [(frame.stream, frame.data) async for frame in executor.frames(launch.ref, skip=0, follow=True)]
        await executor.remove(launch.ref)
        turns = [(STREAMS[fd], b"%d\n" % n) for n in range(ROUNDS) for fd in random.Random(n).sample([1, 2], 2)]
        assert found == turns, [(n, a, b) for n, (a, b) in enumerate(zip(found, turns, strict=False)) if a != b][:4]
