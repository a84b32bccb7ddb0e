import asyncio
import json

from fastflow_runner.adapters.docker.container import Container, State
from fastflow_runner.adapters.docker.ends import Ends
from fastflow_runner.ports import AttemptRef

REF = AttemptRef(run_id="r", attempt=1)
MARKER = {
    "nonce": "n", "code": 0, "signal": None, "timed_out": False, "peak_memory_bytes": 1, "cpu_s": 0.1, "oom_kills": 0,
    "dropped_bytes": 0, "route": None, "at": 1.0,
}  # fmt: skip


class Lingering(Container):
    """One that is done and does not end yet."""

    def __init__(self) -> None:
        self.name = "lingering"
        self.goes = asyncio.Event()

    async def ended(self) -> State | None:
        await self.goes.wait()
        return None


async def test_a_success_that_is_proven_does_not_wait_for_its_container_to_end() -> None:
    ends, container = Ends(), Lingering()
    ends.listen(REF).set_result(json.dumps(MARKER).encode())
    end = await ends.wait(REF, container, "n")
    assert (end.exit_code, end.marker_code) == (0, 0)
    container.goes.set()
    await ends.forget(REF)


async def test_a_success_without_the_nonce_proves_nothing() -> None:
    ends, container = Ends(), Lingering()
    ends.listen(REF).set_result(json.dumps({**MARKER, "nonce": "forged"}).encode())
    waiting = asyncio.ensure_future(ends.wait(REF, container, "n"))
    await asyncio.sleep(0)
    container.goes.set()
    assert (await waiting).marker_code is None
