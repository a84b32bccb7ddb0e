"""Our error tree as RFC 9457 problem objects; the only place that knows status codes of errors, for HTTP and NATS."""

from typing import Any

from fastflow_events.errors import (
    ConcurrencyError,
    ContractError,
    DomainError,
    FastflowError,
    ImpossibleNameError,
    InfrastructureError,
    NotFoundError,
)
from fastflow_events.message import Message
from msgspec import UNSET, Struct, UnsetType

from fastflow_gateway.core.access.errors import NotAllowedError, SignInNeededError
from fastflow_gateway.core.byte_ranges import RangeError
from fastflow_gateway.core.errors import (
    AddressTooLongError,
    BodyTooLargeError,
    ContradictionError,
    Finding,
    ForeignHostError,
    ForeignOriginError,
    HeadTooLargeError,
    InvalidFieldError,
    InvalidParameterError,
    InvalidParamsError,
    KeyReusedError,
    NoJsonTypeError,
    NotAsKnownError,
    NotGenuineError,
    NotRunnableError,
    TooLateError,
    TooManyRequestsError,
    TooManyStreamsError,
    finding,
)

STATUS: dict[type[FastflowError], int] = {
    NotFoundError: 404,
    ImpossibleNameError: 404,
    KeyReusedError: 422,
    ContradictionError: 422,
    InvalidFieldError: 422,
    InvalidParamsError: 422,
    NotGenuineError: 401,
    SignInNeededError: 401,
    NotAllowedError: 403,
    ForeignHostError: 403,
    ForeignOriginError: 403,
    TooLateError: 408,
    NotAsKnownError: 412,
    BodyTooLargeError: 413,
    AddressTooLongError: 414,
    NoJsonTypeError: 415,
    RangeError: 416,
    TooManyRequestsError: 429,
    TooManyStreamsError: 429,
    HeadTooLargeError: 431,
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


def status_of(error: type[FastflowError]) -> int:
    """Status by the closest ancestor."""
    return next(STATUS[cls] for cls in error.__mro__ if cls in STATUS)


def title_of(error: type[FastflowError]) -> str:
    """The first line that is said of it."""
    return (error.__doc__ or error.code).split("\n", maxsplit=1)[0].rstrip(".")


def problem_of(error: FastflowError) -> Problem:
    """Status by the closest ancestor, words by the error itself."""
    match error:
        case InvalidParameterError() if isinstance(name := error.context.get("parameter"), str):
            findings: tuple[Finding, ...] = (finding(error.statement, parameter=name),)
        case InvalidFieldError():
            findings = (error.finding,)
        case NotRunnableError() | InvalidParamsError():
            findings = error.findings
        case _:
            findings = ()
    return Problem(
        type=f"urn:fastflow:{error.code}",
        title=title_of(type(error)),
        status=status_of(type(error)),
        detail=str(error),
        detail_message=error.statement.message,
        errors=findings or UNSET,
        context=dict(error.context) or UNSET,
    )
