"""What the scheduler reads from its environment."""

from datetime import timedelta
from typing import Annotated, TypeAlias

from fastflow_events.nats.topology import DEFAULT_POOL
from fastflow_events.service.settings import Settings
from fastflow_rules.definition import Defaults
from msgspec import Meta

from fastflow_scheduler.core.state.limits import Limits

LONGEST_S = 1e9
Span: TypeAlias = Annotated[float, Meta(gt=0, le=LONGEST_S)]
"""Seconds, at most thirty years."""


class SchedulerSettings(Settings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`FASTFLOW_DEFAULT_*` counts where a pipeline says nothing itself."""

    max_concurrent_runs: Annotated[int, Meta(ge=1)] = 10
    """Attempts in hand at once, over all pipelines."""
    default_pool: str = DEFAULT_POOL
    default_python: str = "3.11"
    default_timeout_s: Annotated[float, Meta(ge=0)] | None = None
    """0 and None are unlimited."""
    default_retries: Annotated[int, Meta(ge=0)] = 0
    default_output_bytes: Annotated[int, Meta(ge=1000)] = 50_000_000
    priority_ageing_s: Annotated[float, Meta(gt=0)] = 60.0
    """Waiting this long counts as much as one step of priority."""
    claim_within_s: Span = 60.0
    """A dispatch that no runner claimed by then goes back into the queue."""
    lost_after_s: Span = 900.0
    """An attempt is lost when its runner has been silent for this long."""
    late_after_s: Span = 60.0
    """A fire that is later than this follows its schedule's catch-up."""
    repository_overdue_after_s: Annotated[float, Meta(ge=0, le=LONGEST_S)] = 3600.0
    """A repository of which nothing good is heard for this long is told of; 0 never."""

    @property
    def limits(self) -> Limits:
        """What the state has to know."""
        overdue = self.repository_overdue_after_s
        return Limits(
            max_running=self.max_concurrent_runs,
            default_pool=self.default_pool,
            ageing_s=self.priority_ageing_s,
            claim_within=timedelta(seconds=self.claim_within_s),
            overdue_after=timedelta(seconds=overdue) if overdue else None,
        )

    @property
    def defaults(self) -> Defaults:
        """The same, as the rules want it."""
        return Defaults(
            python=self.default_python,
            timeout_s=self.default_timeout_s,
            retry_attempts=self.default_retries,
            output_bytes=self.default_output_bytes,
        )
