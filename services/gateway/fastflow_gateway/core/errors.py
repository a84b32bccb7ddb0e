"""What the gateway itself refuses; everything else comes from the shared tree."""

from fastflow_events.errors import ContractError, DomainError, InfrastructureError, NotFoundError
from msgspec import Struct


class Finding(Struct, frozen=True, omit_defaults=True):
    """One thing that is wrong."""

    detail: str
    pointer: str | None = None
    """JSON pointer into the body (RFC 6901); the empty text is the whole body."""


class InvalidBodyError(ContractError):
    """The body is not JSON."""

    code = "invalid-body"


class InvalidFieldError(ContractError):
    """The body does not have the form that is asked for."""

    code = "invalid-field"

    def __init__(self, detail: str, pointer: str = "") -> None:
        super().__init__(detail)
        self.finding = Finding(detail=detail, pointer=pointer)


class InvalidParameterError(ContractError):
    """A query parameter or a header cannot be read."""

    code = "invalid-parameter"


class LogFullError(InfrastructureError):
    """The log has no room for new runs."""

    code = "log-full"


class TooSlowError(InfrastructureError):
    """The question takes longer than a question may."""

    code = "too-slow"

    def __init__(self, within_s: float) -> None:
        super().__init__(
            f"this was not answered within {within_s:g} s and was given up, so that nobody waits for it; "
            "ask for less: a smaller limit, one pipeline, one status"
        )


class NotRunnableError(DomainError):
    """The pipeline may not run as it is."""

    code = "pipeline-not-runnable"

    def __init__(self, message: str, findings: tuple[Finding, ...], **context: str) -> None:
        super().__init__(message, **context)
        self.findings = findings


class RunNotOverError(DomainError):
    """The run has not ended yet, so there is nothing to repeat."""

    code = "run-not-over"


class KeyReusedError(DomainError):
    """The idempotency key already stands for another request."""

    code = "idempotency-key-reused"


class NotRetryableError(DomainError):
    """The dead letter cannot be handled again from here."""

    code = "dead-letter-not-retryable"


class NotGenuineError(DomainError):
    """Nobody who may send this has sent it."""

    code = "not-genuine"


class InvalidParamsError(ContractError):
    """The parameters are not those the pipeline takes."""

    code = "invalid-params"

    def __init__(self, message: str, findings: tuple[Finding, ...], **context: str) -> None:
        super().__init__(message, **context)
        self.findings = findings


class ForeignHostError(DomainError):
    """Nobody calls this gateway by that name."""

    code = "foreign-host"


class AmbiguousRequestError(ContractError):
    """Where the request ends is said twice."""

    code = "ambiguous-request"


class ForeignOriginError(DomainError):
    """A page of another origin may not do this."""

    code = "foreign-origin"


def no_such_run(run_id: str) -> NotFoundError:
    """Nobody ever asked for this run."""
    return NotFoundError("there is no such run", run=run_id[:64])
