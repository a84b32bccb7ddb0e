"""The engine itself, and the machine that it has."""

from msgspec import Struct, json

from fastflow_runner.adapters.docker.container import expect
from fastflow_runner.adapters.docker.engine import Engine
from fastflow_runner.core.bounds import Machine, default_cpus, default_memory


class Info(Struct, rename={"id": "ID", "cpus": "NCPU", "memory_bytes": "MemTotal", "version": "ServerVersion"}):
    """What it says of itself."""

    id: str
    cpus: int
    memory_bytes: int = 0
    version: str = ""


class About:
    """Asks once."""

    def __init__(self, engine: Engine, default_memory_bytes: int | None, default_cpus: float | None) -> None:
        """The defaults are limits of runs whose pipelines name none."""
        self._engine = engine
        self._default_memory_bytes, self._default_cpus = default_memory_bytes, default_cpus
        self._info: Info | None = None

    @property
    def known(self) -> Info | None:
        """What it has said; None while nobody has asked."""
        return self._info

    async def machine(self) -> Machine:
        """What runs may have of it."""
        about = await self.info()
        memory_bytes = default_memory(self._default_memory_bytes, about.memory_bytes)
        return Machine(
            cpus=about.cpus, memory_bytes=memory_bytes, usual_cpus=default_cpus(self._default_cpus, about.cpus)
        )

    async def info(self) -> Info:
        """Its id, and its size.

        Raises:
            InfrastructureError: it does not answer.
        """
        if self._info is None:
            answer = await self._engine.call("info")
            expect(answer, 200)
            self._info = json.decode(answer.body, type=Info)
        return self._info
