"""From a definition and a request to everything a runner needs to know."""

from collections.abc import Mapping
from typing import TypeVar

from fastflow_events.aggregates.run.specification import Limits, Requirements, RetryPolicy, Specification
from fastflow_events.errors import NotFoundError
from fastflow_events.types import Bytes, Seconds
from msgspec import Struct

from fastflow_rules.definition.asked import closed
from fastflow_rules.definition.model import Definition, RetryStrategy, RunConfig, run_config
from fastflow_rules.definition.params import defaults as param_defaults
from fastflow_rules.definition.reserved import PROTECTED

T = TypeVar("T")


class Defaults(Struct, frozen=True, kw_only=True):
    """What the installation says where a pipeline says nothing."""

    python: str = "3.11"
    timeout_s: Seconds | None = None
    retry_attempts: int = 0
    cpus: float | None = None
    memory_bytes: Bytes | None = None
    pids: int = 512
    output_bytes: Bytes = 50_000_000


def specification(
    definition: Definition,
    *,
    repository: str,
    pipeline: str,
    commit: str,
    tree: str,
    requirements: Requirements,
    branch: str = "",
    run_config_id: str | None = None,
    env: Mapping[str, str] | None = None,
    params: Mapping[str, str] | None = None,
    secret_versions: Mapping[str, int] | None = None,
    defaults: Defaults | None = None,
) -> Specification:
    """Return the frozen specification of a run's attempts.

    `env`, `sealed_env` and `secrets` of the result never name the same variable, so their order does not matter.
    `secret_versions` holds every secret there is; only those the definition names are granted. One that it names and
    that does not exist is version 0, unless the variable comes from elsewhere: the run is told that it is missing.

    Raises:
        NotFoundError: the pipeline has no schedule with the id `run_config_id`.
    """
    config = run_config(definition, run_config_id)
    if config is None:
        raise NotFoundError("the pipeline has no such run configuration", pipeline=pipeline, run_config=run_config_id)
    base = defaults or Defaults()
    asked = {**(env or {}), **(params or {})}
    plain, sealed, granted = _environment(definition, config, asked, secret_versions or {})
    timeout_s = _first(config.timeout_s, definition.timeout_s, base.timeout_s)
    notebook = definition.kind == "notebook"
    return Specification(
        pipeline=pipeline,
        repository=repository,
        commit=commit,
        tree=tree,
        branch=branch,
        kind=definition.kind,
        entry_point="main.ipynb" if notebook else "main.py",
        python=definition.python or base.python,
        requirements=requirements,
        limits=_limits(definition, config, base),
        timeout_s=timeout_s or None,
        env=plain,
        sealed_env=sealed,
        secrets=granted,
        retry=RetryPolicy() if notebook else _retry(definition, config, base),
        isolation=definition.isolation,
        network=definition.network,
        retry_on_lost=definition.retry_on_lost,
        cells=definition.cells,
        artifacts=definition.artifacts,
    )


def _environment(
    definition: Definition,
    config: RunConfig,
    asked: Mapping[str, str],
    secret_versions: Mapping[str, int],
) -> tuple[dict[str, str], dict[str, str], dict[str, int]]:
    """Lay the sources over each other; whoever comes later takes the name away from the others."""
    own = config is definition
    refused = {name for name, _ in closed(asked)}
    asked = {name: value for name, value in asked.items() if name not in refused}
    granted = {name: secret_versions[name] for name in definition.secrets if name in secret_versions}
    sealed = {**definition.sealed_env, **({} if own else config.sealed_env)}
    plain = {**param_defaults(definition), **definition.env, **({} if own else config.env)}
    granted = {name: version for name, version in granted.items() if name not in asked}
    sealed = {name: text for name, text in sealed.items() if name not in {*asked, *granted, *PROTECTED}}
    plain = {name: value for name, value in plain.items() if name not in {*sealed, *granted, *PROTECTED}}
    elsewhere = {*plain, *sealed, *asked, *PROTECTED}
    missing = {name: 0 for name in definition.secrets if name not in {*granted, *elsewhere}}
    return {**plain, **asked}, sealed, {**granted, **missing}


def _limits(definition: Definition, config: RunConfig, base: Defaults) -> Limits:
    return Limits(
        memory_bytes=_first(config.memory_bytes, definition.memory_bytes, base.memory_bytes),
        cpus=_first(config.cpus, definition.cpus, base.cpus),
        pids=base.pids,
        disk_bytes=_first(config.disk_bytes, definition.disk_bytes),
        soft_memory_bytes=_first(config.soft_memory_bytes, definition.soft_memory_bytes),
        soft_cpus=_first(config.soft_cpus, definition.soft_cpus),
        output_bytes=base.output_bytes,
    )


def _retry(definition: Definition, config: RunConfig, base: Defaults) -> RetryPolicy:
    attempts = _first(config.retry_attempts, definition.retry_attempts, base.retry_attempts) or 0
    strategy = config.retry_strategy or definition.retry_strategy or RetryStrategy()
    return RetryPolicy(
        attempts=attempts,
        strategy=strategy.type,
        delay_s=strategy.delay_s,
        multiplier=strategy.multiplier,
        max_delay_s=strategy.max_delay_s,
        delays_s=strategy.delays_s,
        jitter=strategy.jitter,
    )


def _first(*values: T | None) -> T | None:
    return next((value for value in values if value is not None), None)
