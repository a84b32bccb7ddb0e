"""Names in addresses that somebody gives there."""

from typing import Annotated, TypeAlias

from litestar.params import PathParameter

from fastflow_gateway.core.names import LONGEST

GivenName: TypeAlias = Annotated[
    str,
    PathParameter(
        description="Letters, digits, dots, dashes and underscores.",
        schema_extra={"pattern": rf"^[\w.-]{{1,{LONGEST}}}$(?!\n)"},
    ),
]
