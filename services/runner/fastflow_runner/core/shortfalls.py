"""What an attempt does not get although its pipeline asks for it."""

from fastflow_events.message import Statement


class KeyGone(Statement, frozen=True, tag="shortfall.key_gone"):
    """Of a sealed variable."""

    english = "it was sealed for the key {key}, which this runner does not have"
    key: str


class NoOldKey(Statement, frozen=True, tag="shortfall.no_old_key"):
    """Of a sealed variable."""

    english = "it is a token of an older installation, and this runner was not given its encryption key"


class OtherOldKey(Statement, frozen=True, tag="shortfall.other_old_key"):
    """Of a sealed variable."""

    english = "it is a token of an older installation, made with another encryption key"


class NoSecret(Statement, frozen=True, tag="shortfall.no_secret"):
    """Nobody ever set it."""

    english = "there is no secret of this name"


class Processors(Statement, frozen=True, tag="shortfall.processors"):
    """More than there are."""

    english = (
        "the limit is {wanted} processors, and the machine has {have, plural, one {# processor} other {# "
        "processors}}: it may use all of them"
    )
    wanted: float
    have: int


class TooLong(Statement, frozen=True, tag="shortfall.too_long"):
    """Of packages."""

    english = "it took longer than {within_s} s, and was ended"
    within_s: float


class TooLongAnyway(Statement, frozen=True, tag="shortfall.too_long_anyway"):
    """Of packages."""

    english = "it took too long, and was ended"


class OthersTooLong(Statement, frozen=True, tag="shortfall.others_too_long"):
    """Of packages."""

    english = "others took too long to make it"


class PackagesTooLarge(Statement, frozen=True, tag="shortfall.packages_too_large"):
    """Of packages."""

    english = "while they were fetched or built they took more of the disk than they may hold there ({limit})"
    limit: str


class BuiltTooLarge(Statement, frozen=True, tag="shortfall.built_too_large"):
    """Of packages."""

    english = "what was built is larger than {most} bytes"
    most: int
