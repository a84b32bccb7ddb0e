"""The values that are particular to `pipeline.json`: memory, moments, crontabs, environment variables."""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, time
from typing import Any

from cronsim import CronSim, CronSimError

from fastflow_rules.definition import allowed as allow
from fastflow_rules.definition.found import brief
from fastflow_rules.definition.kinds import Field, Kind, choice, either, integer, table, text
from fastflow_rules.definition.problem import At, Problem
from fastflow_rules.definition.remarks import LongStep, WaitIsQueue
from fastflow_rules.schedules.zones import zone_names

MIN_MEMORY_BYTES = 6 * 1024**2
"""Container engines refuse less."""
_MEMORY = re.compile(r"(\d{1,15}(?:\.\d{1,9})?)\s*([kmgt]?)(?:i?b)?", re.IGNORECASE)
_UNIT = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3, "t": 1024**4}
_PYTHON = re.compile(r"(?:(?:cpython|pypy|graalpy)[-@]?)?3(?:\.\d{1,3}){0,2}t?")
_CRON_NAMES = ("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly")
_ANY_INSTANT = datetime(2026, 1, 1, tzinfo=UTC)
_POOL = re.compile(r"[A-Za-z0-9_-]{1,64}")
MAX_VARIABLES = 500
MAX_VALUE_LENGTH = 16_384


def memory() -> Kind[int]:
    """An amount of memory in bytes: `"512m"`, `"1.5g"`, `"1Gi"`, `"256MB"` or a plain number; units are 1024-based."""
    allowed = allow.Memory()

    def read(value: object, at: At) -> int | Problem:
        bytes_: float | None = None
        if isinstance(value, str) and (match := _MEMORY.fullmatch(value.strip())):
            bytes_ = float(match[1]) * _UNIT[match[2].lower()]
        elif isinstance(value, int) and not isinstance(value, bool):
            bytes_ = value
        if bytes_ is None or not MIN_MEMORY_BYTES <= bytes_ < 2**53:
            return at.refuse(value, allowed)
        return int(bytes_)

    pattern = r"^\s*\d+(\.\d+)?\s*([kKmMgGtT]?)([iI]?[bB])?\s*$(?!\n)"
    schema = {"anyOf": [{"type": "string", "pattern": pattern}, {"type": "integer", "minimum": MIN_MEMORY_BYTES}]}
    return Kind(read, {"description": str(allowed), **schema})


def moment(*, end_of_day: bool = False) -> Kind[datetime]:
    """An instant in UTC; without an offset it means UTC, a bare date means its first or last microsecond."""

    def read(value: object, at: At) -> datetime | Problem:
        allowed = allow.Moment()
        if not isinstance(value, str) or len(value) > 40:
            return at.refuse(value, allowed)
        try:
            parsed = datetime.fromisoformat(value.strip())
            if re.fullmatch(r"[0-9W-]+", value.strip()) and end_of_day:
                parsed = datetime.combine(parsed.date(), time.max)
            return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError):
            return at.refuse(value, allowed)

    return Kind(read, {"type": "string", "examples": ["2026-01-31", "2026-01-31T08:00:00Z"]})


_UNITS = ((7, "days of the week"), (12, "months"), (31, "days"), (24, "hours"), (60, "minutes"), (60, "seconds"))
"""Fields of a crontab expression from the right, and how many values each can have."""


def cron() -> Kind[str]:
    """A crontab expression of five fields, or six with seconds first, or a name such as `@daily`."""
    allowed = allow.Cron()

    def read(value: object, at: At) -> str | Problem:
        if not isinstance(value, str) or len(value) > 200:
            return at.refuse(value, allowed)
        if not is_cron(value):
            return at.refuse(value, allowed)
        for part, size, unit in _long_steps(value):
            at.warn(LongStep(brief(part), size, unit))
        return " ".join(value.split())

    return Kind(read, {"type": "string", "description": str(allowed)})


def _long_steps(expression: str) -> Iterator[tuple[str, int, str]]:
    """Parts of a crontab expression whose step is longer than what it steps over."""
    fields = expression.split()
    for field, (size, unit) in zip(fields[::-1], _UNITS, strict=False):
        for part in field.split(","):
            steps = re.fullmatch(r"\*/0*(\d+)", part)
            if steps and int(steps[1]) > size:
                yield part, size, unit


def is_cron(expression: str) -> bool:
    """True for an expression that `cron` accepts."""
    if expression.strip().lower() in _CRON_NAMES:
        return True
    try:
        CronSim(" ".join(expression.split()), _ANY_INSTANT)
    except CronSimError:
        return False
    return True


def zone() -> Kind[str]:
    """A name of the time zone database."""

    def read(value: object, at: At) -> str | Problem:
        if isinstance(value, str) and value in zone_names():
            return value
        return at.refuse(value, allow.Zone())

    return Kind(read, {"type": "string", "examples": ["UTC", "Europe/Berlin"]})


def restart_interval() -> Kind[str]:
    """A number of seconds or a crontab expression, as text."""

    def read(value: object, at: At) -> str | Problem:
        if isinstance(value, int | float) and not isinstance(value, bool) and 1 <= value <= 1e9:
            return f"{value:g}" if value < 1e6 else str(int(value))
        if isinstance(value, str) and len(value) <= 200:
            bare = value.strip()
            if (bare.isascii() and bare.isdigit() and len(bare) <= 9 and int(bare) > 0) or is_cron(bare):
                return bare
        return at.refuse(value, allow.RestartInterval())

    return Kind(read, {"anyOf": [{"type": "number", "minimum": 1}, {"type": "string"}]})


def python_version() -> Kind[str]:
    """A Python that uv can install: `3.12`, `3.13t`, `pypy3.10`."""

    def read(value: object, at: At) -> str | Problem:
        allowed = allow.PythonVersion()
        bare = value.strip().lower() if isinstance(value, str) else ""
        return bare if len(bare) <= 30 and _PYTHON.fullmatch(bare) else at.refuse(value, allowed)

    return Kind(read, {"type": "string", "examples": ["3.11", "3.12.4", "pypy3.10"]})


def on_limit() -> Kind[str]:
    """What becomes of a run beyond a limit; `wait` is what `queue` was called once."""
    word = choice("queue", "skip", "reject")

    def read(value: object, at: At) -> str | Problem:
        if isinstance(value, str) and value.strip().lower() == "wait":
            at.warn(WaitIsQueue())
            return "queue"
        return word.read(value, at)

    return Kind(read, word.schema)


def group() -> Kind[dict[str, Any]]:
    """A concurrency group: its name, or an object of its name and limit."""
    name = text(blank=False, max_length=100)
    fields = {
        "name": Field(name, "name", str(allow.GroupName()), required=allow.GroupName()),
        "limit": Field(integer(minimum=1), "limit", "Runs of the whole group at once; 1."),
    }
    return either(name, lambda found: {"name": found}, table(fields, lambda found, _: found))


def pool() -> Kind[str]:
    """The name of a pool of runners."""

    def read(value: object, at: At) -> str | Problem:
        bare = value.strip() if isinstance(value, str) else ""
        return bare if _POOL.fullmatch(bare) else at.refuse(value, allow.PoolName())

    return Kind(read, {"type": "string", "pattern": rf"^{_POOL.pattern}$(?!\n)"})


def pattern() -> Kind[str]:
    """A pattern of files inside the folder: `report.html`, `out/**/*.csv`."""

    def read(value: object, at: At) -> str | Problem:
        allowed = allow.Pattern()
        bare = value.strip() if isinstance(value, str) else ""
        steps = bare.split("/")
        fits = bare and len(bare) <= 300 and "\0" not in bare and "\\" not in bare and ".." not in steps and all(steps)
        return bare if fits else at.refuse(value, allowed)

    return Kind(read, {"type": "string", "maxLength": 300})


def variables(*, secret: bool = False) -> Kind[dict[str, str]]:
    """Environment variables; with `secret` a wrong value is not repeated in the reason."""

    def read(value: object, at: At) -> dict[str, str] | Problem:
        if not isinstance(value, dict) or len(value) > MAX_VARIABLES:
            return at.refuse(value, allow.VariablesUpTo(MAX_VARIABLES))
        env: dict[str, str] = {}
        for key, member in value.items():
            place, name = at.key(key), key.strip()
            if not is_variable_name(name):
                place.refuse(key, allow.VariableName())
            elif not isinstance(member, str) or "\0" in member or len(member) > MAX_VALUE_LENGTH:
                wanted = allow.VariableValue()
                place.refuse_secret(wanted) if secret else place.refuse(member, wanted)
            else:
                env[name] = member
        return env

    return Kind(read, {"type": "object", "additionalProperties": {"type": "string", "maxLength": MAX_VALUE_LENGTH}})


def is_variable_name(name: str) -> bool:
    """True when an operating system takes it as the name of an environment variable."""
    return bool(name) and "=" not in name and "\0" not in name and len(name) <= 200


def repeated(values: Iterable[str]) -> set[str]:
    """The values that occur more than once."""
    seen: set[str] = set()
    return {value for value in values if value in seen or seen.add(value)}  # type: ignore[func-returns-value]
