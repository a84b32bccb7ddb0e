"""A pipeline as its folder describes it, with everything spelled out; what pipeline facts carry."""

import hmac
from collections.abc import Iterable, Mapping
from datetime import datetime
from hashlib import sha256
from typing import Literal

import msgspec
from fastflow_events.aggregates.run.specification import Cell
from fastflow_events.doubts import words_of
from fastflow_events.errors import UntrustedError
from fastflow_events.message import Message, Statement
from fastflow_events.types import Bytes, Env, Seconds
from msgspec import Struct, structs


class RetryStrategy(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """When a failed attempt is tried again."""

    type: Literal["fixed_delay", "exponential_backoff", "custom_schedule"] = "fixed_delay"
    delay_s: Seconds = 60.0
    multiplier: float = 2.0
    max_delay_s: Seconds = 3600.0
    delays_s: tuple[float, ...] = ()
    jitter: float = 0.0
    """Share of each delay, 0 to 1, by which it may be longer, so that many do not come back at once."""


class Catchup(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What becomes of fires that could not happen in time."""

    policy: Literal["skip", "latest", "all"] = "latest"
    within_s: Seconds = 3600.0
    """Older fires are given up."""
    max_runs: int = 100
    """With `all`: the youngest so many; the others are given up."""


class RunConfig(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the pipeline says for all its runs, and what each of its schedules may say otherwise; None is "not said"."""

    cpus: float | None = None
    memory_bytes: Bytes | None = None
    disk_bytes: Bytes | None = None
    soft_cpus: float | None = None
    soft_memory_bytes: Bytes | None = None
    timeout_s: Seconds | None = None
    """0 is unlimited, even where the installation has a limit."""
    retry_attempts: int | None = None
    """Additional attempts; 0 is none, even where the installation has some."""
    retry_strategy: RetryStrategy | None = None
    env: Env = {}
    sealed_env: Env = {}
    webhook_hash: str | None = None
    """What `webhook_hash` makes of the key; the key itself stays in Git."""
    cron: str | None = None
    interval_s: Seconds | None = None
    timezone: str | None = None
    """Of crontabs; None is the pipeline's, where that says none UTC."""
    start: datetime | None = None
    end: datetime | None = None
    catchup: Catchup | None = None
    """None is `Catchup()`."""
    jitter_s: Seconds | None = None
    """Each fire is late by an amount between 0 and this, always the same for the same fire."""
    priority: int | None = None
    """-1000 to 1000, higher first; None is 0."""


class Schedule(RunConfig, frozen=True, kw_only=True, omit_defaults=True):
    """A time at which the pipeline runs, and a set of deviations that can also be chosen by its id."""

    id: str
    enabled: bool = True


class Downstream(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A pipeline that is to run after this one; with a route only that route counts."""

    pipeline: str
    on_success: bool = True
    on_failure: bool = False
    on_route: str | None = None
    run_config_id: str | None = None
    params: dict[str, str] = {}
    """Param of the next run to what it gets: see `Upstream.params`."""


class Upstream(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Fan-in: this pipeline runs once when all of these have succeeded again."""

    all: tuple[str, ...]
    run_config_id: str | None = None
    params: dict[str, str] = {}
    """Param to text, or to `$params.NAME` and `$result.MEMBER.MEMBER` of the upstream run; `$$` is a dollar sign.

    With several upstream runs: `$params.PIPELINE.NAME` and `$result.PIPELINE.MEMBER`.
    """


class Param(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A parameter that a run takes; it reaches the script as the environment variable of its name."""

    name: str
    type: Literal["string", "integer", "number", "boolean", "date", "datetime"] = "string"
    default: str | None = None
    """As text; the lowest layer of a run's environment."""
    choices: tuple[str, ...] = ()
    description: str = ""
    required: bool = False


class Definition(RunConfig, frozen=True, kw_only=True, omit_defaults=True):
    """Everything a pipeline says about itself."""

    kind: Literal["script", "notebook"] = "script"
    description: str = ""
    tags: tuple[str, ...] = ()
    enabled: bool = True
    python: str | None = None
    isolation: Literal["prepared", "jit"] = "prepared"
    network: Literal["none", "internet"] | tuple[str, ...] = "internet"
    """Where its runs may connect: nowhere, wherever the runner lets them, or to these targets."""
    secrets: tuple[str, ...] = ()
    """Names of the secrets its runs may read."""
    max_instances: int | None = None
    on_limit: Literal["queue", "skip", "reject"] = "queue"
    """What becomes of a run beyond a limit: it waits, is left out without a failure, or is refused."""
    concurrency_group: str | None = None
    """Pipelines of one group share `concurrency_limit`; over all repositories."""
    concurrency_limit: int | None = None
    """Runs of the whole group at once; where members differ the smallest counts. None without a group only."""
    pool: str | None = None
    """Runners that may take it; None is the installation's default."""
    retry_on_lost: bool = False
    restart_on_crash: bool = False
    restart_cooldown_s: Seconds = 60.0
    restart_interval: str | None = None
    """Seconds or a crontab expression."""
    run_once_at: datetime | None = None
    schedules: tuple[Schedule, ...] = ()
    downstream: tuple[Downstream, ...] = ()
    upstream: Upstream | None = None
    params: tuple[Param, ...] = ()
    artifacts: tuple[str, ...] = ()
    """Patterns of files in `/app` that are kept beside those in `FASTFLOW_ARTIFACTS_DIR`."""
    cells: tuple[Cell, ...] = ()
    warnings: tuple[str, ...] = ()
    """Sentences for the author; the pipeline runs all the same."""
    warnings_messages: tuple[Message, ...] = ()


def warned(definition: Definition, remarks: Iterable[Statement]) -> Definition:
    """The definition with more sentences for its author."""
    more = tuple(remarks)
    return structs.replace(
        definition,
        warnings=(*definition.warnings, *map(str, more)),
        warnings_messages=(*definition.warnings_messages, *(remark.message for remark in more)),
    )


def to_fact(definition: Definition) -> dict[str, object]:
    """Return the definition as a fact carries it: plain JSON values, defaults left out."""
    plain: dict[str, object] = msgspec.to_builtins(definition)
    return plain


def from_fact(definition: Mapping[str, object]) -> Definition:
    """Return the definition a fact carries; members of newer releases are stepped over.

    Raises:
        UntrustedError: another release wrote it, with values that this one does not know.
    """
    try:
        return msgspec.convert(dict(definition), Definition)
    except (msgspec.ValidationError, ValueError, TypeError) as exc:
        raise UntrustedError(
            f"the definition holds what this release does not know ({words_of(exc)}); run the release that wrote it"
        ) from exc


def run_config(definition: Definition, run_config_id: str | None) -> RunConfig | None:
    """Return the chosen deviations, the definition itself when none are chosen, None when unknown."""
    if run_config_id is None:
        return definition
    return next((schedule for schedule in definition.schedules if schedule.id == run_config_id), None)


def priority_of(definition: Definition | None, run_config_id: str | None) -> int:
    """Return the priority of a run for which nobody says one: its run configuration's, else its pipeline's, else 0."""
    config = run_config(definition, run_config_id) if definition else None
    priorities = [chosen.priority for chosen in (config, definition) if chosen and chosen.priority is not None]
    return priorities[0] if priorities else 0


def webhook_hash(pipeline: str, key: str) -> str:
    """Return the hash by which a webhook key is known, bound to its pipeline's name."""
    return hmac.new(pipeline.encode(), key.encode(), sha256).hexdigest()


def webhook_config(definition: Definition, pipeline: str, key: str) -> tuple[bool, str | None]:
    """Return whether the key opens this pipeline's webhook, and the id of the schedule it belongs to, if any.

    Every candidate is compared, each in constant time.
    """
    offered = webhook_hash(pipeline, key)
    configs: list[tuple[str | None, RunConfig]] = [(None, definition), *((s.id, s) for s in definition.schedules)]
    matches = [id for id, c in configs if c.webhook_hash and hmac.compare_digest(c.webhook_hash, offered)]
    return (True, matches[0]) if matches else (False, None)
