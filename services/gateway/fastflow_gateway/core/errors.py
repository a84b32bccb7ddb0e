"""What the gateway itself refuses; everything else comes from the shared tree."""

from fastflow_events.absent import NoSuchRun
from fastflow_events.errors import ContractError, DomainError, FastflowError, InfrastructureError, NotFoundError
from fastflow_events.message import Message, Statement
from msgspec import Struct

from fastflow_gateway.core.refused_requests import (
    AddressTooLong,
    Busy,
    ChangedSince,
    HeadTooLarge,
    NoJsonType,
    TooLate,
    TooMany,
    UnreadableRequest,
)


class Finding(Struct, frozen=True, omit_defaults=True):
    """One thing that is wrong."""

    detail: str
    detail_message: Message
    pointer: str | None = None
    """JSON pointer into the body (RFC 6901); the empty text is the whole body."""
    parameter: str | None = None
    """Name of the query parameter or the header."""


def finding(words: Statement, pointer: str | None = None, *, parameter: str | None = None) -> Finding:
    """One thing that is wrong, with its code."""
    return Finding(detail=str(words), detail_message=words.message, pointer=pointer, parameter=parameter)


class InvalidBodyError(ContractError):
    """The body is not JSON."""

    code = "invalid-body"


class InvalidFieldError(ContractError):
    """The body does not have the form that is asked for."""

    code = "invalid-field"

    def __init__(self, words: Statement, pointer: str = "") -> None:
        super().__init__(words)
        self.finding = finding(words, pointer)


class InvalidParameterError(ContractError):
    """A query parameter or a header cannot be read."""

    code = "invalid-parameter"


class NoJsonTypeError(ContractError):
    """The body is not said to be JSON."""

    code = "unsupported-media-type"

    def __init__(self, given: str) -> None:
        super().__init__(NoJsonType(given[:100]))


class BodyTooLargeError(ContractError):
    """The body is larger than a body may be."""

    code = "request-entity-too-large"


class NotAsKnownError(DomainError):
    """It is not any more what `If-Match` says."""

    code = "precondition-failed"

    def __init__(self) -> None:
        super().__init__(ChangedSince())


class TooManyRequestsError(InfrastructureError):
    """More was asked for than one caller may ask for."""

    code = "too-many-requests"

    def __init__(self, after_s: int) -> None:
        super().__init__(TooMany(after_s))
        self.after_s = after_s


class BusyError(InfrastructureError):
    """As much is being answered as can be."""

    code = "busy"

    def __init__(self) -> None:
        super().__init__(Busy())


class AddressTooLongError(ContractError):
    """The address is longer than an address may be."""

    code = "uri-too-long"

    def __init__(self) -> None:
        super().__init__(AddressTooLong())


class HeadTooLargeError(ContractError):
    """The headers are more than headers may be."""

    code = "request-header-fields-too-large"

    def __init__(self) -> None:
        super().__init__(HeadTooLarge())


class TooLateError(ContractError):
    """The request did not come to its end in time."""

    code = "request-timeout"

    def __init__(self) -> None:
        super().__init__(TooLate())


class UnreadableRequestError(ContractError):
    """What came is no HTTP."""

    code = "unreadable-request"

    def __init__(self) -> None:
        super().__init__(UnreadableRequest())


class BugError(FastflowError):
    """Nobody thought of it."""

    code = "bug"


class ContradictionError(ContractError):
    """Parameters that are right, but not together."""

    code = "contradiction"


class LogFullError(InfrastructureError):
    """The log has no room for new runs."""

    code = "log-full"


class TooSlow(Statement, frozen=True, tag="problem.too_slow"):
    """Others wait, too."""

    english = (
        "this was not answered within {within_s} s and was given up, so that nobody waits for it; "
        "ask for less: a smaller limit, one pipeline, one status"
    )
    within_s: float


class TooSlowError(InfrastructureError):
    """The question takes longer than a question may."""

    code = "too-slow"

    def __init__(self, within_s: float) -> None:
        super().__init__(TooSlow(within_s))


class StreamsFullError(InfrastructureError):
    """As many streams are open as one gateway carries."""

    code = "streams-full"


class TooManyStreamsError(DomainError):
    """Whoever asks has as many streams open as one may."""

    code = "too-many-streams"


class NotRunnableError(DomainError):
    """The pipeline may not run as it is."""

    code = "pipeline-not-runnable"

    def __init__(self, words: Statement, findings: tuple[Finding, ...], **context: str) -> None:
        super().__init__(words, **context)
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

    def __init__(self, words: Statement, findings: tuple[Finding, ...], **context: str) -> None:
        super().__init__(words, **context)
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
    return NotFoundError(NoSuchRun(), run=run_id[:64])
