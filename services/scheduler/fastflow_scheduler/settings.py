"""What the scheduler reads from its environment."""

from typing import Annotated

from fastflow_events.settings import Settings
from fastflow_events.topology import DEFAULT_POOL
from fastflow_rules.definition import Defaults
from msgspec import Meta


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

    @property
    def defaults(self) -> Defaults:
        """The same, as the rules want it."""
        return Defaults(
            python=self.default_python,
            timeout_s=self.default_timeout_s,
            retry_attempts=self.default_retries,
            output_bytes=self.default_output_bytes,
        )
