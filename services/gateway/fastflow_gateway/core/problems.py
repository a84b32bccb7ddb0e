"""Our error tree as RFC 9457 problem objects; the only place that knows status codes of errors, for HTTP and NATS."""

from typing import Any

from fastflow_events.errors import (
    ConcurrencyError,
    ContractError,
    DomainError,
    FastflowError,
    InfrastructureError,
    NotFoundError,
)
from fastflow_events.message import Message
from msgspec import UNSET, Struct, UnsetType

from fastflow_gateway.core.errors import (
    Finding,
    ForeignHostError,
    ForeignOriginError,
    InvalidFieldError,
    InvalidParamsError,
    KeyReusedError,
    NotGenuineError,
    NotRunnableError,
)

STATUS: dict[type[FastflowError], int] = {
    NotFoundError: 404,
    KeyReusedError: 422,
    InvalidFieldError: 422,
    InvalidParamsError: 422,
    NotGenuineError: 401,
    ForeignHostError: 403,
    ForeignOriginError: 403,
    DomainError: 409,
    ConcurrencyError: 409,
    ContractError: 400,
    InfrastructureError: 503,
    FastflowError: 500,
}
CONTENT_TYPE = "application/problem+json"


class Problem(Struct, frozen=True, kw_only=True):
    """What went wrong, for programs and for people."""

    type: str
    """`urn:fastflow:<code>`; does not change with the wording."""
    title: str
    status: int
    detail: str
    detail_message: Message
    errors: tuple[Finding, ...] | UnsetType = UNSET
    context: dict[str, Any] | UnsetType = UNSET


def problem_of(error: FastflowError) -> Problem:
    """Status by the closest ancestor, words by the error itself."""
    status = next(STATUS[cls] for cls in type(error).__mro__ if cls in STATUS)
    match error:
        case InvalidFieldError():
            findings: tuple[Finding, ...] = (error.finding,)
        case NotRunnableError() | InvalidParamsError():
            findings = error.findings
        case _:
            findings = ()
    title = (type(error).__doc__ or error.code).split("\n", maxsplit=1)[0]
    return Problem(
        type=f"urn:fastflow:{error.code}",
        title=title.rstrip("."),
        status=status,
        detail=str(error),
        detail_message=error.statement.message,
        errors=findings or UNSET,
        context=dict(error.context) or UNSET,
    )
