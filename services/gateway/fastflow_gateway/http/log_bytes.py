"""`/api/runs/{id}/logs/raw`: what runs wrote, as a file."""

from collections.abc import AsyncIterator
from typing import Annotated

import zstandard
from fastflow_events.errors import NotFoundError
from fastflow_events.output import StreamName
from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, HeaderParameter, QueryParameter
from litestar.response import Stream

from fastflow_gateway.core.byte_ranges import RangeError, range_of
from fastflow_gateway.core.errors import InvalidParameterError
from fastflow_gateway.core.log_faults import NoLineRange
from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers import log_bytes, runs
from fastflow_gateway.handlers.byte_pieces import between
from fastflow_gateway.handlers.log_bytes import Part
from fastflow_gateway.http.artifacts import disposition_of
from fastflow_gateway.http.code import NEVER_A_PAGE
from fastflow_gateway.http.raises import raises

Attempt = Annotated[int | None, QueryParameter(ge=1, le=999_999_999)]
From = Annotated[int | None, QueryParameter(name="from", ge=1, le=10**15)]
To = Annotated[int | None, QueryParameter(name="to", ge=1, le=10**15)]
RangeHeader = Annotated[str | None, HeaderParameter(name="Range")]
AcceptEncoding = Annotated[str | None, HeaderParameter(name="Accept-Encoding")]


class LogBytesController(Controller):
    """Take what runs wrote away."""

    path = "/api/runs/{run_id:str}/logs"
    tags = ("logs",)

    @get(["/raw", "/download"], media_type="text/plain", opt=raises(NotFoundError, RangeError))
    async def raw(
        self,
        *,
        run_id: FromPath[str],
        deps: NamedDependency[Deps],
        attempt: Attempt = None,
        stream: FromQuery[StreamName | None] = None,
        from_: From = None,
        to: To = None,
        range_: RangeHeader = None,
        accept_encoding: AcceptEncoding = None,
    ) -> Stream:
        """The bytes of all attempts or one, of both streams or one, or of the lines `from` to `to` of an attempt.

        Without an attempt lines are those of the newest one. `Range` gives a part of them, for a download that goes on.
        """
        if (to or from_ or 1) < (from_ or 1):
            raise InvalidParameterError(NoLineRange(), parameter="to", given=str(to))
        row = await runs.find_run(deps, run_id)
        part = Part(attempt, stream, from_, to)
        name = f"{row.pipeline}-{run_id}" + (f"-{attempt}" if attempt else "") + (f"-{stream}" if stream else "")
        headers = {
            **NEVER_A_PAGE,
            "Content-Disposition": disposition_of(f"{name.replace('/', '-')}.log"),
            "Accept-Ranges": "bytes",
            "Vary": "Accept-Encoding",
        }
        pieces = await log_bytes.bytes_of_log(deps, run_id, part)
        if range_ is not None:
            size = await log_bytes.size_of_log(deps, run_id, part)
            if (wanted := range_of(range_, size)) is not None:
                if wanted.begin >= wanted.end:
                    raise RangeError(size)
                headers |= {"Content-Range": wanted.said(size), "Content-Length": str(wanted.end - wanted.begin)}
                some = between(pieces, wanted.begin, wanted.end)
                return Stream(some, status_code=206, media_type="text/plain", headers=headers)
        elif "zstd" in (accept_encoding or ""):
            headers["Content-Encoding"] = "zstd"
            pieces = _packed(pieces)
        return Stream(pieces, media_type="text/plain", headers=headers)


async def _packed(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    packer = zstandard.ZstdCompressor(level=3).compressobj()
    async for piece in pieces:
        if packed := packer.compress(piece):
            yield packed
    yield packer.flush()
