"""What is said to people: a code with arguments, and the English sentence that is made of them here and nowhere else.

A sentence is never state: code matches the class of a statement, a page picks its own words by the code. Templates are
written in a part of ICU MessageFormat: `{name}`, `{name, plural, one {# run} other {# runs}}`, and two apostrophes for
one that stands beside a brace. Arguments are data: whatever stands in them is never read as a template. Pure.

Source: https://unicode-org.github.io/icu/userguide/format_parse/messages/
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, ClassVar, TypeAlias

from msgspec import Meta, Struct, json, structs

MAX_TEXT = 4000
"""Characters of one argument; what is longer is cut, in the sentence too."""
MAX_ITEMS = 50
"""Members of one argument that is a list."""
MAX_BYTES = 4096
"""Of a message beside a sentence in a fact."""
Instant: TypeAlias = Annotated[str, Meta(title="instant", description="RFC 3339, UTC.")]
_PART = re.compile(r"\{(\w+)(?:, plural, one \{([^{}]*)\} other \{([^{}]*)\})?\}|''")


class Message(Struct, frozen=True, kw_only=True):
    """What a sentence says, for whoever has words of their own; `proto/messages.json` has every code."""

    code: str
    """Does not change with the wording; one that is not known is shown by its English sentence."""
    args: dict[str, Any] = {}
    """By name: text, numbers, other messages, and lists of these."""


class Statement(Struct, frozen=True, tag_field="_code"):
    """Something that is said to people. Every kind of it is a class whose tag is its code; its text is the sentence."""

    english: ClassVar[str] = ""
    """The template."""

    def __str__(self) -> str:
        return render(self.english, {name: getattr(self, name) for name in self.__struct_fields__})

    @property
    def message(self) -> Message:
        """Code and arguments."""
        code = str(self.__struct_config__.tag)
        return Message(code=code, args={name: _wired(value) for name, value in structs.asdict(self).items()})


class Verbatim(Statement, frozen=True, tag="verbatim"):
    """Words that came without a code: of a person, of another program, of an older release."""

    english = "{text}"
    text: str


class Retold(Statement, frozen=True, tag=False, tag_field=None):
    """What a fact says, in its own words and with its own code, which need not be known here."""

    text: str
    wire: Message

    def __str__(self) -> str:
        return self.text

    @property
    def message(self) -> Message:
        """As the fact has it."""
        return self.wire


def beside(statement: Statement | None) -> Message | None:
    """What stands in a fact beside the sentence; None where the words say as much, or there is no room for more."""
    if statement is None or isinstance(statement, Verbatim):
        return None
    message = statement.message
    return message if len(json.encode(message)) <= MAX_BYTES else None


def all_beside(statements: Sequence[Statement]) -> tuple[Message, ...]:
    """The same for several sentences: one for each, or none at all."""
    if all(isinstance(statement, Verbatim) for statement in statements):
        return ()
    messages = tuple(statement.message for statement in statements)
    return messages if len(json.encode(messages)) <= 4 * MAX_BYTES else ()


def retold(text: str, message: Message | None) -> Statement:
    """What somebody has said, for saying it again; words without a code stand for themselves."""
    return Verbatim(text) if message is None else Retold(text, message)


def all_retold(texts: tuple[str, ...], messages: tuple[Message, ...]) -> tuple[Statement, ...]:
    """The same for several; codes that are not one for each text count for nothing."""
    fitting = messages if len(messages) == len(texts) else [None] * len(texts)
    return tuple(retold(text, message) for text, message in zip(texts, fitting, strict=True))


def render(template: str, arguments: Mapping[str, Any]) -> str:
    """The sentence; an argument is put in as it is, and looked at once."""

    def put(found: re.Match[str]) -> str:
        name, one, other = found.groups()
        if name is None:
            return "'"
        value = arguments[name]
        if one is None:
            return _worded(value)
        return str(one if value == 1 else other).replace("#", _worded(value))

    return _PART.sub(put, template)


def names_in(template: str) -> set[str]:
    """The arguments that a template names."""
    return {name for name, _, _ in _PART.findall(template) if name}


def is_plain(template: str) -> bool:
    """Whether every brace of a template belongs to an argument, and no apostrophe would quote one."""
    return not re.search(r"[{}]", _PART.sub("", template)) and not re.search(r"(?<!')'[{}]", template)


def statements() -> dict[str, type[Statement]]:
    """Every kind of statement that was imported, by its code."""
    return {str(cls.__struct_config__.tag): cls for cls in _below(Statement) if cls.__struct_config__.tag}


def _below(cls: type[Statement]) -> Iterator[type[Statement]]:
    for each in cls.__subclasses__():
        yield each
        yield from _below(each)


def _worded(value: Any) -> str:
    match value:
        case float():
            return f"{value:g}"
        case list() | tuple():
            between = "; " if value and isinstance(value[0], Statement) else ", "
            return between.join(_worded(each) for each in value[:MAX_ITEMS])
        case str():
            return value[:MAX_TEXT]
        case _:
            return str(value)


def _wired(value: Any) -> Any:
    match value:
        case Statement():
            return {"code": value.message.code, "args": value.message.args}
        case list() | tuple():
            return [_wired(each) for each in value[:MAX_ITEMS]]
        case str():
            return value[:MAX_TEXT]
        case _:
            return value
