"""What is wrong with a question about runs, each fault a statement of its own."""

from fastflow_events.message import Statement


class CursorOfOtherFilter(Statement, frozen=True, tag="fault.cursor_of_other_filter"):
    """Pages of one question do not go on with another."""

    english = "the cursor was given for another filter or order; leave it out to begin anew"


class NotOneOf(Statement, frozen=True, tag="fault.not_one_of"):
    """A word that nobody knows."""

    english = "there is no {name} {given}; there are {known}"
    name: str
    given: str
    known: tuple[str, ...]


class NoCommitPrefix(Statement, frozen=True, tag="fault.no_commit_prefix"):
    """Shorter ones are of too many commits."""

    english = "a commit is given by 4 to 40 hexadecimal digits"


class TooManyValues(Statement, frozen=True, tag="fault.too_many_values"):
    """Of one parameter."""

    english = "at most {most} values"
    most: int


class TooLongValue(Statement, frozen=True, tag="fault.too_long_value"):
    """Of one parameter."""

    english = "at most {most} characters"
    most: int


class NoSuchField(Statement, frozen=True, tag="fault.no_such_field"):
    """A member that the answer does not have."""

    english = "there is no field {given}; there are {known}"
    given: str
    known: tuple[str, ...]


class NoMoment(Statement, frozen=True, tag="fault.no_moment"):
    """Neither a position of the log nor a time."""

    english = "must be a position of the log or an RFC 3339 instant"
