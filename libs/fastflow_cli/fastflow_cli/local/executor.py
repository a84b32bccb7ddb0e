"""Which executor: containers where everything for them is there, processes otherwise, and always why."""

from typing import Literal

from msgspec import Struct

from fastflow_cli.errors import MissingError, UsageError

Kind = Literal["docker", "process"]


class Found(Struct, frozen=True, kw_only=True):
    """What the docker executor needs, and whether it is there; a text says why it is not."""

    engine: str | None
    """Why no engine answers; None when one does."""
    image: str | None
    """Why the worker image is missing; None when it is there."""
    proxy: str | None
    """Why the socket proxy cannot run; None when it can."""

    @property
    def problem(self) -> tuple[str, str] | None:
        """The first thing that is missing and the command that fixes it."""
        if self.engine:
            return f"no Docker engine: {self.engine}", "make docker"
        if self.image:
            return self.image, "make images-worker"
        if self.proxy:
            return self.proxy, "apt-get install haproxy"
        return None


class Choice(Struct, frozen=True):
    """The executor and the reason."""

    kind: Kind
    why: str


def wanted(text: str | None) -> Kind | None:
    """Read what somebody wants.

    Raises:
        UsageError: there is no such executor.
    """
    match text:
        case None | "" | "auto":
            return None
        case "docker" | "process":
            return text
        case _:
            raise UsageError(f"there is no executor {text!r}; it is docker or process", fix="--executor process")


def choose(forced: Kind | None, found: Found) -> Choice:
    """Decide; a forced executor is never replaced by another.

    Raises:
        MissingError: docker is forced and something for it is missing.
    """
    if forced == "process":
        return Choice("process", "asked for; runs are processes of this machine, nothing isolates them")
    if found.problem is None:
        return Choice("docker", "an engine, the worker image and HAProxy are here")
    what, fix = found.problem
    if forced == "docker":
        raise MissingError(f"the docker executor is forced, but {what}", fix=fix)
    return Choice("process", f"{what} (`{fix}`); runs are processes of this machine, nothing isolates them")
