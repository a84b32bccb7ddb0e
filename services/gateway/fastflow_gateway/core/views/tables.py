"""Every table of the read model that is a fold of facts, as data; what is derived of them is not among these."""

from collections.abc import Callable
from typing import Any, NamedTuple

from fastflow_events.recorded import Recorded
from msgspec import Struct

from fastflow_gateway.core.views import (
    backfills,
    chains,
    environments,
    installation,
    pipelines,
    repositories,
    schedules,
    secrets,
    tokens,
    versions,
)
from fastflow_gateway.core.views.run_row import RunRow


class Table(NamedTuple):
    """A kind of aggregate and the table with one row for each of them."""

    aggregate: str
    name: str
    key: str
    """Column of the aggregate's id; the first one."""
    row: type[Struct]
    """Its fields are the columns, in this order."""
    project: Callable[[Any, Recorded], Any]
    """Row and fact to the next row; None while there is nothing to keep."""
    has_history: bool = False
    """Whether every version of a row is kept, for looks into the past."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns."""
        return self.row.__struct_fields__


TABLES = (
    Table("pipeline", "pipelines", "name", pipelines.PipelineRow, pipelines.project, True),
    Table("repository", "repositories", "name", repositories.RepositoryRow, repositories.project, True),
    Table("schedule", "schedules", "id", schedules.ScheduleRow, schedules.project, True),
    Table("chain", "chains", "id", chains.ChainRow, chains.project, True),
    Table("settings", "settings", "id", installation.SettingsRow, installation.project, True),
    Table("queue", "queue", "id", installation.QueueRow, installation.project_queue, True),
    Table("backfill", "backfills", "id", backfills.BackfillRow, backfills.project),
    Table("environment", "environments", "id", environments.EnvironmentRow, environments.project),
    Table("secret", "secrets", "name", secrets.SecretRow, secrets.project),
    Table("access", "tokens", "id", tokens.TokenRow, tokens.project),
)
"""All but those of runs, which are two."""

VERSION_COLUMNS = versions.VersionRow.__struct_fields__

LISTED = (
    "n",
    "id",
    "seq",
    "hour",
    "pipeline",
    "status",
    "outcome",
    "trigger_kind",
    "who",
    "schedule",
    "backfill",
    "commit_sha",
    "branch",
    "runner",
    "requested_at",
    "started_at",
    "finished_at",
    "wait_ms",
    "duration_ms",
    "steps",
    "attempt",
    "priority",
    "dispatched",
    "cancel_requested",
    "due",
    "reason",
    "reason_message",
    "error",
    "upstream_run",
    "upstream_runs",
)
"""Columns of `runs`: what lists show and filter by. `n` is `requested_seq`: rows lie in the order of their requests."""
DETAILS = ("n", *(name for name in RunRow.__struct_fields__ if name not in LISTED and name != "requested_seq"))
"""Columns of `run_details`: what only one run's page shows."""
FIXED = (
    "n",
    "id",
    "hour",
    "pipeline",
    "trigger_kind",
    "who",
    "schedule",
    "backfill",
    "commit_sha",
    "requested_at",
    "upstream_run",
    "upstream_runs",
)
"""Columns that the request says once and for all, so that their indexes are written once."""


def field_of(column: str) -> str:
    """The field of a run's row that a column holds."""
    return "requested_seq" if column == "n" else column


HASHED: dict[str, tuple[tuple[str, ...], str]] = {
    "runs": (LISTED, "n"),
    "run_details": (DETAILS, "n"),
    **{table.name: (table.columns, table.key) for table in TABLES},
    "versions": (VERSION_COLUMNS, "pipeline, commit_sha"),
    "history": (("kind", "id", "seq", "row"), "kind, id, seq"),
}
"""Tables with their columns and their order, of which two folds of the same log hold the same."""
