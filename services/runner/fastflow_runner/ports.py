"""What the runner needs from outside, in its own words."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Literal, Protocol

from fastflow_events.aggregates.run.manifest import Manifest
from fastflow_events.aggregates.run.specification import Specification
from fastflow_events.errors import FastflowError, InfrastructureError
from fastflow_events.message import Statement
from msgspec import Struct

from fastflow_runner.core.adoption import Verified
from fastflow_runner.core.usage import Usage


class DependencyError(FastflowError):
    """The packages cannot be resolved or installed; the message holds uv's own words."""

    code = "dependency"


class ImageMissingError(InfrastructureError):
    """The worker image is not on the engine."""

    code = "image-missing"


class NotClosedError(InfrastructureError):
    """Where runs may connect cannot be limited as it is wanted; user code was not started."""

    code = "network-not-closed"


class VolumeChangedError(InfrastructureError):
    """Code or environment are no longer where they were made; user code was not started."""

    code = "volume-changed"


class TreeChangedError(VolumeChangedError):
    """Code or environment are not what was made there; user code was not started, and will find what is made again."""


class NotAfterError(FastflowError):
    """The lease that allowed this start has run out; user code was not started."""

    code = "not-after"


class AttemptRef(Struct, frozen=True, kw_only=True):
    """One attempt of one run."""

    run_id: str
    attempt: int

    @property
    def name(self) -> str:
        """Name of the attempt's folder on the process executor; in its container's stands the installation too."""
        return f"fastflow-{self.run_id}-{self.attempt}"


class Prepared(Struct, frozen=True, kw_only=True):
    """An environment that is complete and will not change."""

    environment: str
    """Hash that names the folder; `base-<python>` style name when there are no packages."""
    interpreter: str
    """Path of the Python to start, inside the container or on the host."""
    python: str
    uv: str
    lock: str = ""
    prepare_s: float = 0.0
    """0 when it was there already."""
    size_bytes: int = 0
    sealed: dict[str, str] = {}
    """Hash of the manifest of each tree that it needs, by the tree's path."""
    spoiled: tuple[str, ...] = ()
    """What had changed, was set aside, and is made again: a sentence for each."""


class Keep(Struct, frozen=True, kw_only=True):
    """How many artifacts of one attempt are kept, at most; names as the entry program knows them."""

    count: int = 200
    file_bytes: int = 256 << 20
    total_bytes: int = 1 << 30


class Launch(Struct, frozen=True, kw_only=True):
    """Everything the executor needs to start one attempt."""

    ref: AttemptRef
    specification: Specification
    prepared: Prepared
    env: dict[str, str]
    """The run's whole environment, secrets opened; goes over stdin, never into the container's configuration."""
    left_out: dict[str, Statement] = {}
    """Variables that could not be opened, and why; for the manifest."""
    nonce: str
    """Random; proves that the completion marker was written by the entry program."""
    not_after: datetime
    """Start of user code is forbidden after this instant (lease)."""
    keep: Keep = Keep()

    def __repr__(self) -> str:
        return f"Launch({self.ref.name})"


class Started(Struct, frozen=True, kw_only=True):
    """User code has been started."""

    at: datetime
    manifest: Manifest
    network: tuple[int, int] | None = None
    """Bytes its network had received and sent by then, for others; None where nobody knows."""


class Frame(Struct, frozen=True, kw_only=True, gc=False):
    """One piece of output as the engine stored it."""

    index: int
    """Position among all frames of the attempt, counting from 0."""
    stream: Literal["stdout", "stderr"]
    at: datetime
    data: bytes
    gap_bytes: int = 0
    """Output of this stream that is missing before this frame, because it was beyond the cap."""


class CellEnd(Struct, frozen=True, kw_only=True):
    """How one code cell of a notebook ended."""

    cell: int
    """Counting from 1."""
    succeeded: bool
    tries: int


class Progress(Struct, frozen=True, kw_only=True):
    """How far a notebook came."""

    cells: tuple[CellEnd, ...] = ()
    where: str = ""
    """The cell in hand, such as `cell 3 of 7`; empty when there was none."""
    why: str = ""
    """Why it went no further; empty when it did, and when it was interrupted."""


class Exit(Struct, frozen=True, kw_only=True):
    """How the container or process ended; every field is what was observed, nothing is guessed."""

    exit_code: int | None
    """Exit code the engine reports, or will report of a success that is proven; None when it does not know."""
    marker_code: int | None = None
    """Exit code of user code in the entry program's completion marker; None without a valid marker."""
    signal: int | None = None
    oom_killed: bool = False
    never_started: bool = False
    """The entry program ended before user code was started (exit 125, no `started` marker)."""
    timed_out: bool = False
    """The entry program ended user code because its time was over."""
    peak_memory_bytes: int | None = None
    cpu_s: float | None = None
    received_bytes: int | None = None
    """Over the network, by the whole attempt; None where nobody knows."""
    transmitted_bytes: int | None = None
    told_to_end: bool = False
    """Somebody outside sent the entry program SIGTERM while user code ran, or what passes signals on did."""
    ended_itself: bool = False
    """User code sent the entry program SIGTERM."""
    machine_full: bool = False
    """The kernel killed for memory, although the attempt was within its limit, or has none."""
    disk_full: bool = False
    """No room was left below the working folder at the end."""
    held_bytes: int = 0
    """What it held on the disk when the entry program ended it for that; 0 when it did not."""
    processes_refused: bool = False
    """It wanted more processes or threads than it may have."""
    dropped_bytes: int = 0
    """Output the entry program threw away at the cap."""
    sent_bytes: int | None = None
    """Output it handed to the engine; None without a marker."""
    route: str | None = None
    result: str | None = None
    """Text of the result file."""
    result_error: str = ""
    """Why there is none although there was a file."""
    notebook: Progress | None = None
    """None for a script, and when nobody knows."""
    kept: tuple[tuple[str, int], ...] = ()
    """Path and size of each artifact that is there to be stored; the port's `kept` knows them by their place here."""
    left: tuple[tuple[str, str], ...] = ()
    """Path of each artifact that will not be stored, and why."""
    finished_at: datetime | None = None


class Found(Struct, frozen=True, kw_only=True):
    """A container or process of ours, as reconciliation sees it."""

    ref: AttemptRef
    state: Literal["created", "running", "exited"]


class Executor(Protocol):
    """One place where attempts execute. Every call is safe to repeat; a broken stream is never an end.

    An attempt goes from one state to the next, and never back. What may be called in each:

    | state | since | what may be called |
    |---|---|---|
    | absent | ever, or `remove` | `launch`, once `stage_code` and `prepare` have returned |
    | created | `launch` has begun | `launch` again, which finds it; `stop`, `remove`: it is never started then |
    | running | `launch` has returned | `frames`, `usages`, `wait`; `stop`, which ends it |
    | exited | `wait` or `stop` has returned | `frames`, `kept`, `wait` again; then `remove` |

    `started` and `found` may be asked in every state, and `stop` and `remove` do nothing where there is nothing to do:
    this is how one who does not know the state finds out, or clears up. `launch` of a running or exited attempt answers
    what it answered first, and starts nothing. Of an absent one `wait` says that nobody knows, and `frames` are none.

    All methods raise `InfrastructureError` when the engine does not answer.
    """

    @property
    def kind(self) -> Literal["docker", "process"]:
        """Which one it is."""

    async def keep(self) -> None:
        """Do what goes on beside the attempts, until cancelled; attempts are executed without it too."""

    async def engine_id(self) -> str:
        """Id of the engine: the Docker daemon's id, or the host's boot id for processes."""

    async def stage_code(self, tree: str, bundle: bytes) -> None:
        """Make the bundle (tar.zst of a Git tree) available to attempts under its tree id; once."""

    async def has_code(self, tree: str) -> bool:
        """True when the tree is staged completely."""

    async def prepare(
        self, specification: Specification, lock: str | None, *, generation: int = 0, within_s: float | None = None
    ) -> Prepared:
        """Return the environment, building it once however many ask; `lock` is the lock of an earlier build.

        Without one, nothing of another generation counts. After `within_s` it is ended, unless others here wait for it.

        Raises:
            DependencyError: a requirement cannot be resolved or installed, or not in that time.
            VolumeChangedError: the code is no longer there, and will be staged when that is asked for.
        """

    async def give_up(self, specification: Specification, lock: str | None, *, generation: int = 0) -> None:
        """Who asked for the environment does not wait any more: end its making, unless somebody else here waits."""

    async def delete(self, environments: Sequence[str]) -> dict[str, int]:
        """Delete environments; those that are gone now, and the bytes that it freed. One in use stays."""

    async def verify(self, only: str = "") -> Verified:
        """Look at every byte of what lies ready under a name that begins so; what differs is set aside."""

    async def delete_code(self, trees: Sequence[str]) -> None:
        """Delete what is staged of these trees; a run that needs it after all is made ready again."""

    async def launch(self, launch: Launch) -> Started:
        """Create (or find) the attempt's container, send the specification, return once user code has started.

        An attempt whose user code has been started is found, not started again.

        Raises:
            ImageMissingError: the worker image is not on the engine.
            NotAfterError: the lease ran out before user code was started.
        """

    async def found(self) -> list[Found]:
        """Every attempt of this runner's engine that still has a container or a folder."""

    async def started(self, ref: AttemptRef) -> Started | None:
        """What is known of an attempt's start; None while (or if) user code was never started."""

    def frames(self, ref: AttemptRef, *, skip: int, follow: bool) -> AsyncIterator[Frame]:
        """Output from frame `skip` on, counted from the start; with `follow` until it ends or the stream breaks."""

    def usages(self, ref: AttemptRef) -> AsyncIterator[Usage]:
        """About once a second what the attempt has used; ends with the attempt, or where the stream breaks."""

    def kept(self, ref: AttemptRef) -> AsyncIterator[tuple[int, bytes]]:
        """Content of an ended attempt's artifacts: the number of one, and its next bytes, one after the other."""

    async def wait(self, ref: AttemptRef, nonce: str) -> Exit:
        """Return how the attempt ended, waiting for it; a cut connection is asked again."""

    async def stop(self, ref: AttemptRef, *, grace_s: float) -> None:
        """SIGTERM to user code, SIGKILL after the grace period; returns when it has ended or is gone."""

    async def remove(self, ref: AttemptRef) -> None:
        """Forget the attempt: container, volume, folder. Nothing to do when it is gone."""
