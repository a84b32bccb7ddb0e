"""What exactly an attempt executes; frozen when the run is dispatched first, repeated by every retry."""

from typing import Literal

from msgspec import Struct

from fastflow_events.types import Bytes, CommitSha, Env, Seconds, TreeId


class Limits(Struct, frozen=True, kw_only=True):
    """What an attempt may use; None is unlimited."""

    memory_bytes: Bytes | None = None
    """Memory and swap together; None is what its runner gives to those that name no limit."""
    cpus: float | None = None
    """CPU cores; clamped to those of the engine's host."""
    pids: int = 512
    disk_bytes: Bytes | None = None
    """What it may keep on the disk; None is what its runner gives to those that name no limit."""
    soft_memory_bytes: Bytes | None = None
    soft_cpus: float | None = None
    output_bytes: Bytes = 50_000_000
    """Output beyond this is counted and thrown away, head and tail kept."""


class RetryPolicy(Struct, frozen=True, kw_only=True):
    """How often and when a failed attempt is tried again."""

    attempts: int = 0
    """Additional attempts; 0 is none."""
    strategy: Literal["fixed_delay", "exponential_backoff", "custom_schedule"] = "fixed_delay"
    delay_s: Seconds = 60.0
    """Delay of `fixed_delay`, first delay of `exponential_backoff`."""
    multiplier: float = 2.0
    max_delay_s: Seconds = 3600.0
    delays_s: tuple[float, ...] = ()
    """Delays of `custom_schedule`; the last one repeats."""
    jitter: float = 0.0
    """Share of each delay, 0 to 1, by which it may be longer."""


NOTEBOOK_PACKAGES = ("nbclient>=0.9", "ipykernel>=6.25")
"""What a notebook needs to be executed; added where a pipeline does not name it."""


class Requirements(Struct, frozen=True, kw_only=True):
    """Where the packages of an attempt come from."""

    source: Literal["none", "pep723", "script_lock", "uv_lock", "requirements_lock", "requirements"] = "none"
    text: str = ""
    """The file's content, at most 32 kB; longer ones are read from the bundle."""
    sha256: str = ""
    """Hash of the content and of what it leans on in the folder; empty with source `none`."""


class Cell(Struct, frozen=True, kw_only=True):
    """Retries of one code cell of a notebook."""

    retries: int = 0
    delay_s: Seconds = 1.0


class Specification(Struct, frozen=True, kw_only=True):
    """Everything a runner needs to know of an attempt; nothing is looked up later."""

    pipeline: str
    repository: str
    commit: CommitSha
    tree: TreeId
    branch: str = ""
    """The watched branch that it was the head of; empty for one that was asked for by its id."""
    kind: Literal["script", "notebook"] = "script"
    entry_point: str = "main.py"
    """Path inside the pipeline's folder."""
    python: str = "3.11"
    requirements: Requirements = Requirements()
    limits: Limits = Limits()
    timeout_s: Seconds | None = None
    """From the start of user code; None is unlimited."""
    env: Env = {}
    sealed_env: Env = {}
    """Name to ciphertext; only the runner can open it."""
    secrets: dict[str, int] = {}
    """Name of each granted secret to its version."""
    retry: RetryPolicy = RetryPolicy()
    isolation: Literal["prepared", "jit"] = "prepared"
    network: Literal["none", "internet"] | tuple[str, ...] = "internet"
    """Where it may connect: nowhere, wherever its runner lets runs connect, or to these targets only."""
    retry_on_lost: bool = False
    cells: tuple[Cell, ...] = ()
    artifacts: tuple[str, ...] = ()
    """Patterns of files in the working folder that are kept beside those of the artifacts folder."""
