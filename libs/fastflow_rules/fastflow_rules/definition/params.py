"""The parameters a run takes: how a pipeline declares them, and whether what somebody gives fits."""

import math
from collections.abc import Mapping
from datetime import date, datetime
from difflib import get_close_matches
from typing import Any, TypeAlias

from fastflow_events.message import Statement

from fastflow_rules.definition import allowed as allow
from fastflow_rules.definition import allowed_params
from fastflow_rules.definition.asked import why_closed
from fastflow_rules.definition.found import UnknownParam, brief
from fastflow_rules.definition.kinds import Field, Kind, array, choice, flag, scalar, table, text
from fastflow_rules.definition.model import Definition, Param
from fastflow_rules.definition.problem import At, Problem, Report

MAX_LENGTH = 16_384
Scalar: TypeAlias = str | int | float | bool
"""What a person writes for a single value."""
_ALLOWED: dict[str, Statement] = {
    "string": allowed_params.AText(),
    "integer": allowed_params.AWholeNumber(),
    "number": allowed_params.ANumber(),
    "boolean": allow.TrueOrFalse(),
    "date": allowed_params.ADate(),
    "datetime": allowed_params.AnInstant(),
}


def _param(found: dict[str, Any], at: At) -> Param:
    name, kind = found["name"], found.get("type", "string")
    if why := why_closed(name):
        at.key("name").refuse(name, why)
    choices = tuple(text for n, value in enumerate(found.pop("choices", ())) if (text := _text(value, kind, at, n)))
    param = Param(**{**found, "default": None}, choices=choices)
    if (default := found.get("default")) is None:
        return param
    fitting = fit(param, default, at.key("default"))
    return param if isinstance(fitting, Problem) else Param(**{**found, "default": fitting}, choices=choices)


def _text(value: object, kind: str, at: At, index: int) -> str | None:
    """One of the choices as text, None when it is not of the type."""
    fitting = _normal(value, kind)
    if fitting is None:
        at.key("choices").item(index).refuse(value, _ALLOWED[kind])
    return fitting


PARAM: Kind[Param] = table(
    {
        "name": Field(
            text(blank=False, max_length=200),
            "name",
            str(allowed_params.ParamName()),
            required=allowed_params.ParamName(),
        ),
        "type": Field(choice(*_ALLOWED), "type", "What it is; string."),
        "default": Field(scalar(), "default", "What it is when nobody says otherwise."),
        "choices": Field(array(scalar(), max_items=200), "choices", "The only values it may have."),
        "description": Field(text(max_length=1000), "description", "What it means, for people."),
        "required": Field(flag(), "required", "True: no run without it; false."),
    },
    _param,
)


def check_params(definition: Definition, given: Mapping[str, object]) -> dict[str, str] | list[Problem]:
    """Return the parameters as the text a run gets, or every reason why they do not fit. Defaults are not added.

    A pipeline that declares none takes any text; one that declares some takes only those.
    """
    report = Report()
    at = At(report)
    declared = {param.name: param for param in definition.params}
    fitting: dict[str, str] = {}
    for name, value in given.items():
        param = declared.get(name) if declared else Param(name=name)
        if param is None:
            close = get_close_matches(name[:100], declared, n=1)
            at.key(name).refuse_as(
                UnknownParam(), allowed_params.DeclaredAs(brief(close[0])) if close else allowed_params.Declared()
            )
        elif not isinstance(text := fit(param, value, at.key(name)), Problem):
            fitting[name] = text
    for param in definition.params:
        if param.required and param.default is None and param.name not in given:
            at.key(param.name).refuse(None, allowed_params.AValue(_ALLOWED[param.type]))
    return report.problems or fitting


def as_text(value: Scalar) -> str:
    """Return the text of what JSON calls a number or true and false; text is itself."""
    return value if isinstance(value, str) else _normal(value, "string") or ""


def defaults(definition: Definition) -> dict[str, str]:
    """Return the defaults of the parameters that have one."""
    return {param.name: param.default for param in definition.params if param.default is not None}


def fit(param: Param, value: object, at: At) -> str | Problem:
    """Return the value as text, or the problem with it."""
    normal = _normal(value, param.type)
    if normal is None:
        return at.refuse(value, _ALLOWED[param.type])
    if param.choices and normal not in param.choices:
        return at.refuse(value, allowed_params.OneOf(tuple(brief(option) for option in param.choices)))
    return normal


def _normal(value: object, kind: str) -> str | None:
    """The text of a value of the type, always the same for the same value; None when it is none."""
    if isinstance(value, bool):
        return str(value).lower() if kind in ("boolean", "string") else None
    if isinstance(value, int | float):
        value = f"{value:.0f}" if isinstance(value, float) and value.is_integer() else str(value)
    if not isinstance(value, str) or "\0" in value or len(value) > MAX_LENGTH:
        return None
    bare = value.strip()
    try:
        match kind:
            case "string":
                return value
            case "integer":
                return str(int(bare))
            case "number":
                return bare if math.isfinite(float(bare)) and "_" not in bare else None
            case "boolean":
                return bare.lower() if bare.lower() in ("true", "false") else None
            case "date":
                return date.fromisoformat(bare).isoformat()
            case _:
                return datetime.fromisoformat(bare).isoformat().replace("+00:00", "Z")
    except ValueError:
        return None
