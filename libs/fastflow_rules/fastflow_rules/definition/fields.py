"""The members of `pipeline.json`: how each is called, read and explained."""

from fastflow_events.aggregates.run.specification import Cell

from fastflow_rules.definition import chaining, params, reaching, timing, values
from fastflow_rules.definition.kinds import Field, Kind, array, choice, flag, integer, number, table, text

SHARED = {
    "cpu_hard_limit": Field(number(above=0, maximum=4096), "cpus", "CPU cores a run may use, as in 0.5."),
    "mem_hard_limit": Field(values.memory(), "memory_bytes", "Memory a run may use; there is no swap."),
    "disk_hard_limit": Field(values.memory(), "disk_bytes", "What a run may keep on the disk while it runs."),
    "cpu_soft_limit": Field(number(above=0, maximum=4096), "soft_cpus", "CPU cores above which somebody is told."),
    "mem_soft_limit": Field(values.memory(), "soft_memory_bytes", "Memory above which somebody is told."),
    "timeout": Field(number(), "timeout_s", "Seconds from the start of the script; 0 is unlimited."),
    "retry_attempts": Field(integer(maximum=timing.MAX_ATTEMPTS), "retry_attempts", "Additional attempts; 0 is none."),
    "retry_strategy": Field(timing.RETRY_STRATEGY, "retry_strategy", "When a failed attempt is tried again."),
    "enabled": Field(flag(), "enabled", "False: not run by anybody or anything."),
    "default_env": Field(values.variables(), "env", "Environment variables; values are text."),
    "encrypted_env": Field(values.variables(secret=True), "sealed_env", "Environment variables, name to ciphertext."),
    "webhook_key": Field(text(max_length=500), "webhook_key", "The secret end of the webhook's address."),
    "schedule_cron": Field(values.cron(), "cron", "When it runs, as in a crontab; wins over the interval."),
    "schedule_interval_seconds": Field(number(above=0), "interval_s", "Seconds between two runs."),
    "schedule_start": Field(values.moment(), "start", "The schedule does not run before; UTC."),
    "schedule_end": Field(values.moment(end_of_day=True), "end", "The schedule does not run after; UTC."),
    "timezone": Field(values.zone(), "timezone", "Time zone of crontabs; the pipeline's, else UTC."),
    "catchup": Field(timing.CATCHUP, "catchup", "What becomes of fires that could not happen in time; latest."),
    "jitter": Field(number(maximum=86_400), "jitter_s", "Seconds over which the fires of a schedule are spread; 0."),
    "priority": Field(integer(minimum=-1000, maximum=1000), "priority", "Higher waits less; 0."),
}
"""What the pipeline says for all its runs and each of its schedules may say otherwise."""


CELL: Kind[Cell] = table(
    {
        "retries": Field(integer(maximum=timing.MAX_ATTEMPTS), "retries", "How often the cell is tried again; 0."),
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
        "network": Field(reaching.network(), "network", "Where its runs may connect; internet."),
        **SHARED,
        "secrets": Field(array(text(blank=False, max_length=200)), "secrets", "Secrets its runs may read."),
        "max_instances": Field(integer(minimum=1), "max_instances", "How many of its runs may be active at once."),
        "on_limit": Field(values.on_limit(), "on_limit", "What becomes of a run beyond a limit; queue."),
        "concurrency_group": Field(values.group(), "group", "Pipelines that share a limit: a name, or name and limit."),
        "pool": Field(values.pool(), "pool", "The runners that may take its runs."),
        "retry_on_lost": Field(flag(), "retry_on_lost", "Run again when the machine died under it."),
        "restart_on_crash": Field(flag(), "restart_on_crash", "Start again after the final failure."),
        "restart_cooldown": Field(number(), "restart_cooldown_s", "Seconds before it is started again; 60."),
        "restart_interval": Field(values.restart_interval(), "restart_interval", "When a running one is replaced."),
        "run_once_at": Field(values.moment(), "run_once_at", "One single run at this instant."),
        "schedules": Field(array(timing.schedules(SHARED, keys), max_items=200), "schedules", "Several times to run."),
        "downstream_triggers": Field(array(chaining.DOWNSTREAM, max_items=200), "downstream", "What runs after it."),
        "upstream": Field(chaining.UPSTREAM, "upstream", "Runs once when all of these pipelines have succeeded."),
        "params": Field(array(params.PARAM, max_items=100), "params", "The parameters a run takes."),
        "artifacts": Field(array(values.pattern(), max_items=100), "artifacts", "Files to keep after a run."),
        "cells": Field(array(CELL), "cells", "Retries of a notebook's code cells, in their order."),
    }
