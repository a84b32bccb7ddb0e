"""Pages and counts of runs."""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from fastflow_gateway.core.errors import InvalidParameterError
from fastflow_gateway.core.responses.runs import RunResponse
from fastflow_gateway.core.run_faults import NoSuchField


class RunPage(Struct, frozen=True, kw_only=True):
    """Runs, newest first if not asked otherwise."""

    items: list[RunResponse]
    next: str | None
    """Give it as `cursor` to go on; null at the end."""


class SparsePage(Struct, frozen=True, kw_only=True):
    """The same with some members of each run only."""

    items: list[dict[str, Any]]
    next: str | None


class RunCounts(Struct, frozen=True, kw_only=True):
    """How many runs there are."""

    by_status: dict[str, int]
    """Statuses without runs are left out."""
    total: int
    exact: bool
    """False when there are more than ten thousand of a filter that nothing counts ahead; then these are estimates."""


def fields_of(text: str | None) -> tuple[str, ...]:
    """The members that somebody wants, separated by commas; none for all.

    Raises:
        InvalidParameterError: there is no such member.
    """
    wanted = tuple(dict.fromkeys(name.strip() for name in (text or "").split(",") if name.strip()))
    known = RunResponse.__struct_fields__
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise InvalidParameterError(NoSuchField(unknown[0][:40], known), parameter="fields")
    return wanted


def only(items: Sequence[RunResponse], fields: Sequence[str]) -> list[dict[str, Any]]:
    """Some members of each run."""
    return [{name: getattr(run, name) for name in fields} for run in items]
