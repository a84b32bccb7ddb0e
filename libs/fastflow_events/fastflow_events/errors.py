"""The error tree, cut by what the caller does next.

| branch | meaning | the caller |
|---|---|---|
| `DomainError` | a rule said no | tells the user; final |
| `ConcurrencyError` | somebody was faster | reads again |
| `ContractError` | not our bytes | dead-letters |
| `InfrastructureError` | the world failed | retries later |
| `AnotherLogError` | the log was made anew | ends; the next start folds that one |
"""

from typing import ClassVar

from fastflow_events.message import Statement, Verbatim


class FastflowError(Exception):
    """Base of all our errors; `context` goes to the log line and to problem+json."""

    code: ClassVar[str] = "fastflow"

    def __init__(self, words: str | Statement, /, **context: str | int | float | None) -> None:
        super().__init__(str(words))
        self.statement: Statement = Verbatim(words) if isinstance(words, str) else words
        self.context = context


class DomainError(FastflowError):
    """A business rule refused the command."""

    code = "domain"


class NotFoundError(DomainError):
    """What was named does not exist."""

    code = "not-found"


class NotActiveError(DomainError):
    """The run is over, so it can be neither started nor cancelled."""

    code = "run-not-active"


class FencedError(DomainError):
    """The attempt belongs to somebody else; the holder stops its container and appends nothing."""

    code = "fenced"


class UntrustedError(DomainError):
    """One of its facts cannot be read, so nothing may be decided about it."""

    code = "not-trusted"


class ConcurrencyError(FastflowError):
    """Somebody else appended to this aggregate first."""

    code = "conflict"


class ContractError(FastflowError):
    """Bytes that do not follow the contract; no retry will make them better."""

    code = "contract"


class ImpossibleNameError(ContractError):
    """Nothing can have this name."""

    code = "impossible-name"


class NewerReleaseError(ContractError):
    """The history holds facts that this release does not know; an upgrade makes them readable."""

    code = "newer-release"


class TooLargeError(ContractError):
    """What is to be said does not fit into a fact."""

    code = "too-large"


class InfrastructureError(FastflowError):
    """The log, an engine or a remote host failed; trying again later may work."""

    code = "infrastructure"


class AnotherLogError(FastflowError):
    """Rows were folded from a log that is no more: what is in the one of now has other positions."""

    code = "another-log"


class SettingsError(FastflowError):
    """The environment does not describe a runnable service."""

    code = "settings"
