"""The members of `pipeline.json`: how each is called, read and explained."""

from typing import Any

from fastflow_events.run.specification import Cell

from fastflow_rules.definition import values
from fastflow_rules.definition.kinds import Field, Kind, array, choice, flag, integer, number, table, text
from fastflow_rules.definition.model import Downstream, RetryStrategy, Schedule
from fastflow_rules.definition.problem import At

MAX_ATTEMPTS = 1000
"""More retries than anybody waits for."""


def _strategy(found: dict[str, Any], at: At) -> RetryStrategy:
    """`initial_delay` is the first delay of a backoff, `delay` that of a fixed delay."""
    initial = found.pop("initial_delay_s", None)
    strategy = RetryStrategy(**found)
    if strategy.type == "custom_schedule" and not strategy.delays_s:
        at.warn("a custom schedule without delays waits 60 seconds")
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
    },
    _strategy,
)

SHARED = {
    "cpu_hard_limit": Field(number(above=0, maximum=4096), "cpus", "CPU cores a run may use, as in 0.5."),
    "mem_hard_limit": Field(values.memory(), "memory_bytes", "Memory a run may use; there is no swap."),
    "cpu_soft_limit": Field(number(above=0, maximum=4096), "soft_cpus", "CPU cores above which somebody is told."),
    "mem_soft_limit": Field(values.memory(), "soft_memory_bytes", "Memory above which somebody is told."),
    "timeout": Field(number(), "timeout_s", "Seconds from the start of the script; 0 is unlimited."),
    "retry_attempts": Field(integer(maximum=MAX_ATTEMPTS), "retry_attempts", "Additional attempts; 0 is none."),
    "retry_strategy": Field(RETRY_STRATEGY, "retry_strategy", "When a failed attempt is tried again."),
    "enabled": Field(flag(), "enabled", "False: not run by anybody or anything."),
    "default_env": Field(values.variables(), "env", "Environment variables; values are text."),
    "encrypted_env": Field(values.variables(secret=True), "sealed_env", "Environment variables, name to ciphertext."),
    "webhook_key": Field(text(max_length=500), "webhook_key", "The secret end of the webhook's address."),
    "schedule_cron": Field(values.cron(), "cron", "When it runs, as in a crontab; wins over the interval."),
    "schedule_interval_seconds": Field(number(above=0), "interval_s", "Seconds between two runs."),
    "schedule_start": Field(values.moment(), "start", "The schedule does not run before; UTC."),
    "schedule_end": Field(values.moment(end_of_day=True), "end", "The schedule does not run after; UTC."),
    "timezone": Field(values.zone(), "timezone", "Time zone of schedule_cron; UTC."),
}
"""What the pipeline says for all its runs and each of its schedules may say otherwise."""


def _schedule(found: dict[str, Any], at: At) -> Schedule:
    if "cron" not in found and "interval_s" not in found:
        at.warn("without schedule_cron and schedule_interval_seconds it never runs by itself, only when it is chosen")
    check_times(found, at)
    return Schedule(**{key: value for key, value in found.items() if key != "webhook_key"})


def check_times(found: dict[str, Any], at: At) -> None:
    """Refuse a window that never opens; say which of two times wins."""
    if "cron" in found and "interval_s" in found:
        at.warn("schedule_cron wins over schedule_interval_seconds")
    if "start" in found and "end" in found and found["start"] >= found["end"]:
        at.key("schedule_end").refuse(found["end"].isoformat(), "an instant after schedule_start")


def schedules(keys: dict[str, str]) -> Kind[Schedule]:
    """One schedule; its webhook key is left in `keys` under its id, for it must not travel."""

    def build(found: dict[str, Any], at: At) -> Schedule:
        if key := found.get("webhook_key"):
            keys[found["id"]] = key
        return _schedule(found, at)

    id_field = Field(text(blank=False, max_length=100), "id", "a name, unique in the file", required=True)
    return table({"id": id_field, **SHARED}, build)


DOWNSTREAM: Kind[Downstream] = table(
    {
        "pipeline": Field(text(blank=False, max_length=200), "pipeline", "the pipeline to run next", required=True),
        "on_success": Field(flag(), "on_success", "Run it after a success; true."),
        "on_failure": Field(flag(), "on_failure", "Run it after the final failure; false."),
        "on_route": Field(text(blank=False, max_length=128), "on_route", "Run it after this route only."),
        "run_config_id": Field(text(blank=False, max_length=100), "run_config_id", "The schedule id to run it with."),
    },
    lambda found, _: Downstream(**found),
)

CELL: Kind[Cell] = table(
    {
        "retries": Field(integer(maximum=MAX_ATTEMPTS), "retries", "How often the cell is tried again; 0."),
        "delay_seconds": Field(number(), "delay_s", "Seconds before it is tried again; 1."),
    },
    lambda found, _: Cell(**found),
)


def fields(keys: dict[str, str]) -> dict[str, Field]:
    """The members of the whole file; webhook keys of schedules are left in `keys`."""
    return {
        "description": Field(text(), "description", "What it does, for people."),
        "tags": Field(array(text(blank=False, max_length=100), max_items=100), "tags", "Words to find it by."),
        "type": Field(choice("script", "notebook"), "kind", "script runs main.py, notebook runs main.ipynb."),
        "python_version": Field(values.python_version(), "python", "The Python that runs it."),
        "isolation": Field(choice("prepared", "jit"), "isolation", "jit lets the script install packages itself."),
        **SHARED,
        "secrets": Field(array(text(blank=False, max_length=200)), "secrets", "Secrets its runs may read."),
        "max_instances": Field(integer(minimum=1), "max_instances", "How many of its runs may be active at once."),
        "on_limit": Field(choice("wait", "reject"), "on_limit", "What becomes of a run beyond max_instances; wait."),
        "retry_on_lost": Field(flag(), "retry_on_lost", "Run again when the machine died under it."),
        "restart_on_crash": Field(flag(), "restart_on_crash", "Start again after the final failure."),
        "restart_cooldown": Field(number(), "restart_cooldown_s", "Seconds before it is started again; 60."),
        "restart_interval": Field(values.restart_interval(), "restart_interval", "When a running one is replaced."),
        "run_once_at": Field(values.moment(), "run_once_at", "One single run at this instant."),
        "schedules": Field(array(schedules(keys), max_items=200), "schedules", "Several times to run at."),
        "downstream_triggers": Field(array(DOWNSTREAM, max_items=200), "downstream", "What runs after it."),
        "cells": Field(array(CELL), "cells", "Retries of a notebook's code cells, in their order."),
    }
