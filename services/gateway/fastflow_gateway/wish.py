"""What somebody who wants a run may say, over HTTP and over NATS alike; read strictly."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, TypeAlias

import msgspec
from fastflow_events.types import CommitSha
from fastflow_rules.definition import forbidden_env
from msgspec import Meta, Struct

from fastflow_gateway.errors import InvalidBodyError, InvalidFieldError

MAX_VARIABLES = 50
Variable: TypeAlias = Annotated[str, Meta(max_length=16_384)]
Variables: TypeAlias = Annotated[
    dict[str, Variable],
    Meta(max_length=MAX_VARIABLES, description="Name to value; values are text."),
]
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_WHERE = re.compile(r"^(?P<what>.*?)(?: - at `(?:key in )?\$(?P<path>[^`]*)`)?$", re.DOTALL)
_STEP = re.compile(r"\.(?P<name>[^.\[]+)|\[(?P<index>\d+|\.\.\.)\]")
_UNKNOWN = re.compile(r"unknown field `(?P<name>.*)`", re.DOTALL)


class RunWish(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST /api/pipelines/{name}/run`; everything may be left out."""

    env: Variables = {}
    params: Variables = {}
    run_config_id: Annotated[str, Meta(min_length=1, max_length=100)] | None = None
    """Id of one of the pipeline's schedules; its deviations apply."""
    commit: CommitSha | None = None
    """The head of the repository unless named."""
    env_vars: Variables | None = None
    """Older name of `env`."""
    parameters: Variables | None = None
    """Older name of `params`."""


def read_wish(body: bytes) -> RunWish:
    """Read a body; an empty one wishes nothing in particular. Older names are folded into today's.

    Raises:
        InvalidBodyError: the body is not JSON.
        InvalidFieldError: a member is unknown or has the wrong form.
    """
    if not body.strip():
        return RunWish()
    wish = _decode(body)
    wish = msgspec.structs.replace(
        wish,
        env=_one_of(wish.env, wish.env_vars, "env_vars"),
        params=_one_of(wish.params, wish.parameters, "parameters"),
        env_vars=None,
        parameters=None,
    )
    for member, variables in (("env", wish.env), ("params", wish.params)):
        for name in variables:
            if not _NAME.fullmatch(name):
                raise InvalidFieldError("a name has letters, digits and _ only", _pointer(member, name))
        for name in forbidden_env("http", variables):
            raise InvalidFieldError("this name is reserved and cannot be set", _pointer(member, name))
    return wish


def _decode(body: bytes) -> RunWish:
    try:
        return msgspec.json.decode(body, type=RunWish)
    except msgspec.ValidationError as exc:
        raise _finding(str(exc), body) from exc
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        raise InvalidBodyError(f"the body is not JSON: {exc}") from exc
    except RecursionError as exc:
        raise InvalidBodyError("the body is nested too deeply") from exc


def _one_of(ours: dict[str, str], older: dict[str, str] | None, name: str) -> dict[str, str]:
    if older is None:
        return ours
    if ours and ours != older:
        raise InvalidFieldError("given under two names with different content", _pointer(name))
    return older


def _finding(message: str, body: bytes) -> InvalidFieldError:
    """Turn msgspec's words into ours, with a pointer to the very member."""
    found = _WHERE.match(message)
    assert found is not None
    what, path = found["what"], found["path"] or ""
    steps: list[str] = []
    here: Any = msgspec.json.decode(body)
    for step in _STEP.finditer(path):
        name = step["name"] or step["index"]
        if name == "..." and isinstance(here, Mapping):
            name = next((key for key, value in here.items() if _is_wrong(value)), "")
        steps.append(name)
        here = here.get(name) if isinstance(here, Mapping) else None
    if unknown := _UNKNOWN.search(what):
        steps.append(unknown["name"])
        what = "there is no such member"
    return InvalidFieldError(what[:1].lower() + what[1:], _pointer(*steps))


def _is_wrong(value: object) -> bool:
    try:
        msgspec.convert(value, Variable)
    except msgspec.ValidationError:
        return True
    return False


def _pointer(*steps: str) -> str:
    """RFC 6901."""
    return "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in steps)
