"""What was found in a file or in a request, in words that a person would use."""

from fastflow_events.message import Statement


class Value(Statement, frozen=True, tag="found.value"):
    """A value as JSON has it."""

    english = "{text}"
    text: str


class ListOf(Statement, frozen=True, tag="found.list_of"):
    """A list, and how long it is."""

    english = "a list of {length}"
    length: int


class ObjectOf(Statement, frozen=True, tag="found.object_of"):
    """An object, and how large it is."""

    english = "an object with {members} members"
    members: int


class EnormousNumber(Statement, frozen=True, tag="found.enormous_number"):
    """Nobody would read it to its end."""

    english = "an enormous number"


class NotShown(Statement, frozen=True, tag="found.not_shown"):
    """It may be a secret."""

    english = "a value that is not shown"


class NameTwice(Statement, frozen=True, tag="found.name_twice"):
    """Two of a list have it."""

    english = "the name {name} twice"
    name: str


class IdTwice(Statement, frozen=True, tag="found.id_twice"):
    """Two of a list have it."""

    english = "the id {id} twice"
    id: str


class TheName(Statement, frozen=True, tag="found.the_name"):
    """Nobody may have it."""

    english = "the name {name}"
    name: str


class PathOf(Statement, frozen=True, tag="found.path_of"):
    """Longer than anything can be nested."""

    english = "a path of {steps} steps"
    steps: int


class FileOf(Statement, frozen=True, tag="found.file_of"):
    """Too large."""

    english = "a file of {size_bytes} bytes"
    size_bytes: int


class DefinitionOf(Statement, frozen=True, tag="found.definition_of"):
    """Too large for a fact."""

    english = "a definition of {size_bytes} bytes"
    size_bytes: int


class NestedTooDeeply(Statement, frozen=True, tag="found.nested_too_deeply"):
    """More than anybody reads."""

    english = "objects nested too deeply"


class NoJson(Statement, frozen=True, tag="found.no_json"):
    """In the words of who reads it."""

    english = "no JSON: {error}"
    error: str


class UnknownParam(Statement, frozen=True, tag="found.unknown_param"):
    """It declares others."""

    english = "a parameter that the pipeline does not have"


MAX_FOUND = 80
"""Characters of a text that are repeated."""


def found_in(value: object) -> Statement:
    """The value as a person would recognise it, on one line and short."""
    match value:
        case list() | tuple():
            return ListOf(len(value))
        case dict():
            return ObjectOf(len(value))
        case int() if abs(value) >= 10**MAX_FOUND:
            return EnormousNumber()
        case _:
            return Value(_as_json(value))


def brief(value: object) -> str:
    """The same as text."""
    return str(found_in(value))


def _as_json(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            shown = value.encode("unicode_escape").decode("ascii") if not value.isprintable() else value
            return f'"{shown[:MAX_FOUND]}{"…" if len(shown) > MAX_FOUND else ""}"'
        case _:
            return str(value)
