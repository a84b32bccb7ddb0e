"""What is wrong with a question about output, each fault a statement of its own."""

from fastflow_events.message import Statement


class NoExpression(Statement, frozen=True, tag="fault.no_expression"):
    """In the words of RE2, which has neither look-around nor references back."""

    english = "q is no regular expression that can be searched with: {error}, at character {place}"
    error: str
    place: int
    """Counting from 1."""


class ExpressionTooLarge(Statement, frozen=True, tag="fault.expression_too_large"):
    """It would take too long to search with."""

    english = "q is too large a regular expression: its repetitions come to {size} steps, and {most} are the most"
    size: int
    most: int


class NoSearchCursor(Statement, frozen=True, tag="fault.no_search_cursor"):
    """Of a search."""

    english = "cursor is not one that a search has given as next"


class NoLevel(Statement, frozen=True, tag="fault.no_level"):
    """Of a line."""

    english = "level is one of {known}"
    known: tuple[str, ...]


class NoLineRange(Statement, frozen=True, tag="fault.no_line_range"):
    """Of an attempt."""

    english = "from and to are numbers of lines, from 1, to not before from"
