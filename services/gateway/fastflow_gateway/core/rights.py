"""What whoever asks for a run may say of it: the one place that asks who he is. Pure.

Nobody has to log in yet, so who reaches the HTTP API operates every pipeline. Where people have roles, theirs is asked
for here, and nowhere else.
"""

from fastflow_events.aggregates.run.events import Trigger
from fastflow_rules.definition import OPERATED, NoEnv

from fastflow_gateway.core.errors import InvalidFieldError
from fastflow_gateway.core.run_request import RunOptions


def may_operate(trigger: Trigger) -> bool:
    """Whether who asks is one of the people who operate the pipeline; systems and hooks are not."""
    return trigger.kind in OPERATED


def check_rights(options: RunOptions, trigger: Trigger) -> None:
    """Refuse what only those may say who operate the pipeline.

    Raises:
        InvalidFieldError: he does not, and says it.
    """
    if options.env and not may_operate(trigger):
        raise InvalidFieldError(NoEnv(), "/env")
