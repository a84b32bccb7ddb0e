"""How every question reaches SQLite."""

import json
from collections.abc import Sequence
from typing import Any, TypeVar

from msgspec import Struct

from fastflow_gateway.adapters.readers import Readers, Values

R = TypeVar("R", bound=Struct)


class Asking:
    """Whoever answers questions of one noun inherits this."""

    def __init__(self, readers: Readers) -> None:
        self._readers = readers

    async def _select(self, row: type[R], rest: str, *values: str | int) -> list[R]:
        """Whole rows; `rest` begins with the table."""
        columns = ", ".join(row.__struct_fields__)
        return [row(*found) for found in await self._all(f"SELECT {columns} FROM {rest}", values)]

    async def _all(self, query: str, values: Values = ()) -> list[Any]:
        return await self._readers.quick.ask(query, values)


def listed(values: Sequence[str]) -> str:
    """Many values in one, for `json_each(?)`."""
    return json.dumps(list(values))
