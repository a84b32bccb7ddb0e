"""Why a value cannot be sealed, or a sealed one cannot be opened."""

from fastflow_events.message import Statement


class NoUnicode(Statement, frozen=True, tag="sealing.no_unicode"):
    """Nobody could read it."""

    english = "the value is not valid Unicode text"


class EmptyValue(Statement, frozen=True, tag="sealing.empty_value"):
    """That is no secret."""

    english = "the value is empty"


class LongValue(Statement, frozen=True, tag="sealing.long_value"):
    """No variable is so long."""

    english = "the value has {size_bytes} bytes; at most {most} are allowed"
    size_bytes: int
    most: int


class NulValue(Statement, frozen=True, tag="sealing.nul_value"):
    """The operating system would cut it there."""

    english = "the value holds a NUL character, which no environment variable can"


class NotSealed(Statement, frozen=True, tag="sealing.not_sealed"):
    """Something else."""

    english = "it is no sealed text: those begin with {prefix}"
    prefix: str


class NotBase64(Statement, frozen=True, tag="sealing.not_base64"):
    """Something is missing."""

    english = "it is no sealed text: its last part is not base64"


class Damaged(Statement, frozen=True, tag="sealing.damaged"):
    """It cannot be opened."""

    english = "it is damaged, or was not sealed for the key it names"


class NotOurs(Statement, frozen=True, tag="sealing.not_ours"):
    """It was opened, and is something else."""

    english = "what is in it was not made by this product"


class ForSomethingElse(Statement, frozen=True, tag="sealing.for_something_else"):
    """Whoever copies it gains nothing."""

    english = "it was sealed for something else"
