"""Every table of the read model, as data."""

from collections.abc import Callable
from typing import Any, NamedTuple

from fastflow_events.recorded import Recorded
from msgspec import Struct

from fastflow_gateway.core.views import pipelines, repositories, runs, secrets, tokens


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

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns."""
        return self.row.__struct_fields__


TABLES = (
    Table("run", "runs", "id", runs.RunRow, runs.project),
    Table("pipeline", "pipelines", "name", pipelines.PipelineRow, pipelines.project),
    Table("repository", "repositories", "name", repositories.RepositoryRow, repositories.project),
    Table("secret", "secrets", "name", secrets.SecretRow, secrets.project),
    Table("access", "tokens", "id", tokens.TokenRow, tokens.project),
)
