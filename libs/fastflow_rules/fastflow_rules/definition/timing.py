"""When a pipeline runs and runs again: schedules, catching up, retries, as `pipeline.json` says them."""

from collections.abc import Mapping
from typing import Any

from fastflow_rules.definition import allowed as allow
from fastflow_rules.definition.kinds import Field, Kind, array, choice, either, integer, number, table, text
from fastflow_rules.definition.model import Catchup, RetryStrategy, Schedule
from fastflow_rules.definition.problem import At
from fastflow_rules.definition.remarks import CronWins, NeverByItself, NoDelays

MAX_ATTEMPTS = 1000
"""More retries than anybody waits for."""


def _strategy(found: dict[str, Any], at: At) -> RetryStrategy:
    """`initial_delay` is the first delay of a backoff, `delay` that of a fixed delay."""
    initial = found.pop("initial_delay_s", None)
    strategy = RetryStrategy(**found)
    if strategy.type == "custom_schedule" and not strategy.delays_s:
        at.warn(NoDelays())
    if strategy.type == "exponential_backoff":
        return RetryStrategy(**{**found, "delay_s": initial if initial is not None else 60.0})
    return strategy


RETRY_STRATEGY: Kind[RetryStrategy] = table(
    {
        "type": Field(choice("fixed_delay", "exponential_backoff", "custom_schedule"), "type", "How delays develop."),
        "delay": Field(number(), "delay_s", "fixed_delay: seconds before each retry; 60."),
        "initial_delay": Field(number(), "initial_delay_s", "exponential_backoff: seconds before the first retry; 60."),
        "multiplier": Field(number(minimum=1, maximum=1000), "multiplier", "exponential_backoff: growth; 2."),
        "max_delay": Field(number(), "max_delay_s", "exponential_backoff: longest delay in seconds; 3600."),
        "delays": Field(array(number(), max_items=100), "delays_s", "custom_schedule: seconds; the last one repeats."),
        "jitter": Field(number(maximum=1), "jitter", "Share of the delay by which it may be longer, 0 to 1; 0."),
    },
    _strategy,
)

_POLICY = choice("skip", "latest", "all")

CATCHUP: Kind[Catchup] = either(
    _POLICY,
    lambda policy: Catchup(policy=policy),  # type: ignore[arg-type]  # one of the choices
    table(
        {
            "policy": Field(_POLICY, "policy", "skip none late, latest only the last, all of them; latest."),
            "within_seconds": Field(number(), "within_s", "Fires older than this are given up; 3600."),
            "max_runs": Field(integer(minimum=1, maximum=10_000), "max_runs", "all: the youngest so many; 100."),
        },
        lambda found, _: Catchup(**found),
    ),
)
"""A word, or an object with the word and its bounds."""


def schedules(shared: Mapping[str, Field], keys: dict[str, str]) -> Kind[Schedule]:
    """One schedule; its webhook key is left in `keys` under its id, for it must not travel."""

    def build(found: dict[str, Any], at: At) -> Schedule:
        if key := found.get("webhook_key"):
            keys[found["id"]] = key
        return _schedule(found, at)

    id_field = Field(text(blank=False, max_length=100), "id", str(allow.ScheduleId()), required=allow.ScheduleId())
    return table({"id": id_field, **shared}, build)


def check_times(found: dict[str, Any], at: At) -> None:
    """Refuse a window that never opens; say which of two times wins."""
    if "cron" in found and "interval_s" in found:
        at.warn(CronWins())
    if "start" in found and "end" in found and found["start"] >= found["end"]:
        at.key("schedule_end").refuse(found["end"].isoformat(), allow.AfterStart())


def _schedule(found: dict[str, Any], at: At) -> Schedule:
    if "cron" not in found and "interval_s" not in found:
        at.warn(NeverByItself())
    check_times(found, at)
    return Schedule(**{key: value for key, value in found.items() if key != "webhook_key"})
