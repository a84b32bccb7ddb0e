"""What containers and volumes are called on the engine: every name begins with the installation that it belongs to.

Several installations may share an engine, and each has a socket proxy of its own. What a proxy lets through names its
own installation, so a name is all that keeps them apart; ids of the engine, which anything may have, are never used.
"""

import re

from fastflow_events.errors import ContractError
from msgspec import Struct

from fastflow_runner.core.template import Slot, Template, escape, fill
from fastflow_runner.ports import AttemptRef

INSTALLATION = "[0-9a-f]{8}"
"""An installation's id, made once together with its keys."""
TOOLS = ("prepare", "python", "fetch", "build", "stage", "verify")
"""Modes of the containers that make what runs need, or look it through."""
CONNECTED = frozenset({"python", "fetch", "build"})
"""Those of them that have a network."""
_HEX = "[0-9a-f]"
_RUN = f"{_HEX}{{8}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{12}}-[1-9][0-9]{{0,5}}+"
_PLACE = Slot("place", f"o?{_HEX}{{8}}")
_SERIAL = Slot("serial", f"{_HEX}{{8}}")
_OWNER = "[A-Za-z0-9][A-Za-z0-9_.-]{0,63}"  # not possessive: in a name more comes behind it, after a dash


class Names(Struct, frozen=True, kw_only=True):
    """The names of one installation, or of one of its runners."""

    installation: str
    runner: str = ""
    """The only one that may have pause containers and standby workers; empty where several may."""

    def __post_init__(self) -> None:
        """Refuse what is no id: the policy is a regular expression."""
        if not re.fullmatch(INSTALLATION, self.installation):
            raise ContractError(f"{self.installation!r} is no id of an installation: eight hex digits")

    @property
    def prefix(self) -> str:
        """What each of them begins with."""
        return f"fastflow-{self.installation}-"

    @property
    def owner(self) -> Slot:
        """Where the runner's name stands."""
        return Slot("owner", escape(self.runner) if self.runner else _OWNER)

    @property
    def net(self) -> Template:
        """A pause container."""
        return (f"{self.prefix}net-", self.owner, "-", _PLACE)

    @property
    def standby(self) -> Template:
        """A standby worker."""
        return (f"{self.prefix}standby-", self.owner, "-", _SERIAL)

    @property
    def run(self) -> Slot:
        """An attempt."""
        return Slot("run", f"{self.prefix}{_RUN}")

    @property
    def cache(self) -> Slot:
        """The volume of a pipeline that installs for itself."""
        return Slot("cache", f"{self.prefix}jit-{_HEX}{{32}}")

    @property
    def volume(self) -> str:
        """The volume of code and environments."""
        return f"{self.prefix}uv"

    def tool(self, mode: str) -> Slot:
        """A container that makes what runs need."""
        return Slot(mode, f"{self.prefix}{mode}-{_HEX}{{32}}")

    @property
    def source(self) -> Slot:
        """A container that wheels are taken from."""
        return Slot("source", f"{self.prefix}(?:build|fetch)-{_HEX}{{32}}")

    @property
    def any(self) -> Slot:
        """Any container."""
        owner, tools = self.owner.pattern, (self.tool(mode).pattern for mode in TOOLS)
        made = [f"{self.prefix}net-{owner}-{_PLACE.pattern}", f"{self.prefix}standby-{owner}-{_SERIAL.pattern}"]
        return Slot("name", f"(?:{'|'.join((*made, self.run.pattern, *tools))})")

    def of(self, ref: AttemptRef) -> str:
        """Name of the attempt's container."""
        return fill((self.run,), {"run": f"{self.prefix}{ref.run_id}-{ref.attempt}"})

    def kind(self, name: str) -> str:
        """`run`, `net`, `standby` or a tool's mode; empty for what is not of this installation, or of its runner."""
        if not re.fullmatch(self.any.pattern, name):
            return ""
        word = name.removeprefix(self.prefix).partition("-")[0]
        return word if word in {"net", "standby", *TOOLS} else "run"

    def ref(self, name: str) -> AttemptRef | None:
        """The attempt whose container bears the name; None when it is something else."""
        if not re.fullmatch(self.run.pattern, name):
            return None
        run_id, _, attempt = name.removeprefix(self.prefix).rpartition("-")
        return AttemptRef(run_id=run_id, attempt=int(attempt))
