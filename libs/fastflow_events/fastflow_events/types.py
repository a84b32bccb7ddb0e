"""Named types of the wire: unit, range and meaning are said once, here."""

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta

RunId: TypeAlias = Annotated[str, Meta(min_length=1, max_length=64, description="UUID of a run.")]
PipelineName: TypeAlias = Annotated[
    str, Meta(min_length=1, max_length=200, description="Folder name of a pipeline in its repository.")
]
RepositoryName: TypeAlias = Annotated[str, Meta(min_length=1, max_length=200, description="Name of a repository.")]
_GIT_ID = r"^(?:[0-9a-f]{40}|[0-9a-f]{64})$(?!\n)"
CommitSha: TypeAlias = Annotated[str, Meta(pattern=_GIT_ID, description="Git commit id, full hex: SHA-1 or SHA-256.")]
TreeId: TypeAlias = Annotated[str, Meta(pattern=_GIT_ID, description="Git tree id of a folder, full hex.")]
Attempt: TypeAlias = Annotated[int, Meta(ge=1, description="Attempt of a run, counting from 1.")]
Seconds: TypeAlias = Annotated[float, Meta(ge=0, description="Duration in seconds.")]
Bytes: TypeAlias = Annotated[int, Meta(ge=0, description="Size in bytes.")]
Env: TypeAlias = Annotated[dict[str, str], Meta(description="Environment variables, name to plain value.")]

Outcome: TypeAlias = Literal[
    "succeeded",
    "failed",
    "timed_out",
    "out_of_memory",
    "out_of_disk",
    "cancelled",
    "lost",
    "infrastructure_error",
    "dependency_error",
]
"""How an attempt, and at last the run, ended."""

TriggerKind: TypeAlias = Literal["http", "nats", "webhook", "schedule", "chain", "backfill", "daemon_restart", "cli"]
CancelKind: TypeAlias = Literal["user", "restart", "policy"]
RejectReason: TypeAlias = Literal[
    "unknown", "disabled", "invalid_definition", "version_missing", "limit", "skipped", "chain_depth", "invalid_params"
]
"""`skipped`: left out at a limit because its pipeline wants that; nobody's failure."""
