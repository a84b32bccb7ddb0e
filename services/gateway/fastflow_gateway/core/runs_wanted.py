"""Which runs somebody means, as a member of a body: the same names as in the list of runs. Pure."""

from datetime import datetime
from typing import Annotated, TypeAlias

from fastflow_events.instants import held
from fastflow_events.types import Outcome, TriggerKind
from msgspec import Meta, Struct

from fastflow_gateway.core.run_filter import RunFilter
from fastflow_gateway.core.views.run_row import RunStatus

MOST_VALUES = 200
Texts: TypeAlias = Annotated[list[Annotated[str, Meta(max_length=500)]], Meta(max_length=MOST_VALUES)]
Commit: TypeAlias = Annotated[str, Meta(pattern="^[0-9a-f]{4,40}$(?!\\n)")]


class RunsWanted(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is not said is not asked; of several values a run has one."""

    pipeline: Texts = []
    status: Annotated[list[RunStatus], Meta(max_length=MOST_VALUES)] = []
    outcome: Annotated[list[Outcome], Meta(max_length=MOST_VALUES)] = []
    trigger: Annotated[list[TriggerKind], Meta(max_length=MOST_VALUES)] = []
    tag: Texts = []
    """Of its pipeline, as it is now."""
    repository: Texts = []
    """Of its pipeline, as it is now."""
    commit: Annotated[list[Commit], Meta(max_length=MOST_VALUES)] = []
    """Beginnings of commit ids."""
    schedule: Texts = []
    backfill: Texts = []
    who: Texts = []
    runner: Texts = []
    branch: Texts = []
    since: datetime | None = None
    """Requested then or later."""
    until: datetime | None = None
    """Requested before."""
    longer_than_s: Annotated[float, Meta(ge=0, le=1e9)] | None = None
    """Its user code took longer; the run is over."""
    open: bool | None = None
    q: Annotated[str, Meta(max_length=500)] = ""
    """Words, the last one as a beginning, or the beginning of its id."""

    def as_filter(self) -> RunFilter:
        """The same for the read model."""
        return RunFilter(
            pipelines=tuple(self.pipeline),
            statuses=tuple(self.status),
            outcomes=tuple(self.outcome),
            triggers=tuple(self.trigger),
            tags=tuple(self.tag),
            repositories=tuple(self.repository),
            commits=tuple(self.commit),
            schedules=tuple(self.schedule),
            backfills=tuple(self.backfill),
            who=tuple(self.who),
            runners=tuple(self.runner),
            branches=tuple(self.branch),
            since=held(self.since) if self.since is not None else None,
            until=held(self.until) if self.until is not None else None,
            longer_than_s=self.longer_than_s,
            is_open=self.open,
            q=self.q,
        )
