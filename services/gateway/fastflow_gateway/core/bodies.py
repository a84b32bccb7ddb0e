"""JSON bodies, read strictly; whatever is wrong is said with a pointer to the very member."""

import re
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec
from fastflow_events.message import Verbatim
from fastflow_events.plain import MAX_DEPTH, fault_of, is_too_deep

from fastflow_gateway.core.errors import InvalidBodyError, InvalidFieldError
from fastflow_gateway.core.faults import BodyTooDeep, NoSuchMember, NotJson

T = TypeVar("T")
_WHERE = re.compile(r"^(?P<what>.*?)(?: - at `(?:key in )?\$(?P<path>[^`]*)`)?\Z", re.DOTALL)
_STEP = re.compile(r"\.(?P<name>[^.\[]+)|\[(?P<index>\d+|\.\.\.)\]")
_UNKNOWN = re.compile(r"unknown field `(?P<name>.*)`", re.DOTALL)


def read_json(body: bytes, type_: type[T]) -> T:
    """Read a body; an empty one is an empty object.

    Raises:
        InvalidBodyError: the body is not JSON.
        InvalidFieldError: a member is unknown or has the wrong form.
    """
    if is_too_deep(body):
        raise InvalidBodyError(BodyTooDeep(MAX_DEPTH))
    try:
        plain = msgspec.json.decode(body) if body.strip() else {}
    except (msgspec.DecodeError, ValueError, RecursionError) as exc:
        raise InvalidBodyError(NotJson(str(exc))) from exc
    try:
        value = msgspec.convert(plain, type_)
    except msgspec.ValidationError as exc:
        raise _finding(str(exc), plain) from exc
    if fault := fault_of(plain):
        raise InvalidFieldError(fault)
    return value


def pointer_to(*steps: str) -> str:
    """Join member names to a JSON pointer (RFC 6901)."""
    return "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in steps)


def _finding(message: str, body: Any) -> InvalidFieldError:
    """Turn msgspec's words into ours; where it only knows that some member of a map is wrong, find it."""
    found = _WHERE.match(message)
    assert found is not None
    what, path = found["what"], found["path"] or ""
    steps: list[str] = []
    here = body
    for step in _STEP.finditer(path):
        name = step["name"] or step["index"]
        if name == "..." and isinstance(here, Mapping):
            name = next((key for key, value in here.items() if not _is_text(value, what)), "")
        steps.append(name)
        here = here.get(name) if isinstance(here, Mapping) else None
    if unknown := _UNKNOWN.search(what):
        steps.append(unknown["name"])
        return InvalidFieldError(NoSuchMember(), pointer_to(*steps))
    return InvalidFieldError(Verbatim(what[:1].lower() + what[1:]), pointer_to(*steps))


def _is_text(value: object, what: str) -> bool:
    """Whether a map's value is not the one `what` complains about; our maps hold text, or what has one."""
    if longest := re.search(r"length <= (\d+)", what):
        return not (isinstance(value, str) and len(value) > int(longest[1]))
    wanted = what.partition("got")[0]
    return isinstance(value, str | int | float if "float" in wanted else str)
