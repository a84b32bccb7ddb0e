"""`pipeline.json`: what a pipeline may say about itself, read strictly and never guessed."""

from fastflow_rules.definition.asked import OPERATED, NoEnv, fault_of_request, faults, why_closed
from fastflow_rules.definition.chaining import PATH_ALLOWED, too_long
from fastflow_rules.definition.model import (
    Catchup,
    Definition,
    Downstream,
    Param,
    RetryStrategy,
    RunConfig,
    Schedule,
    Upstream,
    from_fact,
    priority_of,
    run_config,
    to_fact,
    webhook_config,
    webhook_hash,
)
from fastflow_rules.definition.params import Scalar, as_text, check_params
from fastflow_rules.definition.parse import MAX_BYTES, parse
from fastflow_rules.definition.problem import Problem
from fastflow_rules.definition.repository import RepositoryFile, parse_repository
from fastflow_rules.definition.specification import Defaults, specification

__all__ = [
    "MAX_BYTES",
    "OPERATED",
    "PATH_ALLOWED",
    "Catchup",
    "Defaults",
    "Definition",
    "Downstream",
    "NoEnv",
    "Param",
    "Problem",
    "RepositoryFile",
    "RetryStrategy",
    "RunConfig",
    "Scalar",
    "Schedule",
    "Upstream",
    "as_text",
    "check_params",
    "fault_of_request",
    "faults",
    "from_fact",
    "parse",
    "parse_repository",
    "priority_of",
    "run_config",
    "specification",
    "to_fact",
    "too_long",
    "webhook_config",
    "webhook_hash",
    "why_closed",
]
