"""The zone in which somebody wants days to be."""

from typing import Annotated, TypeAlias
from zoneinfo import ZoneInfo

from fastflow_rules.schedules.zones import zone as zone_of
from fastflow_rules.schedules.zones import zone_names
from litestar.params import QueryParameter

from fastflow_gateway.core.errors import InvalidParameterError
from fastflow_gateway.core.faults import UnknownZone

Zone: TypeAlias = Annotated[
    str | None, QueryParameter(description="Name of the time zone database, as in Europe/Berlin; UTC if left out.")
]


def zone_asked(tz: str | None, zone: str | None) -> ZoneInfo:
    """The zone of either parameter.

    Raises:
        InvalidParameterError: there is none of this name.
    """
    parameter, name = ("tz", tz) if tz is not None else ("zone", zone or "UTC")
    if name not in zone_names():
        raise InvalidParameterError(UnknownZone(parameter), parameter=parameter, given=name[:40])
    return zone_of(name)
