"""`/api/runs/{id}/artifacts`: files that runs left behind."""

from base64 import b64encode
from datetime import datetime
from typing import Annotated
from urllib.parse import quote

from fastflow_events.errors import NotFoundError
from litestar import Controller, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, HeaderParameter, QueryParameter
from litestar.response import Stream
from msgspec import Struct

from fastflow_gateway.core.byte_ranges import RangeError, range_of
from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers import artifacts
from fastflow_gateway.handlers.artifacts import Left
from fastflow_gateway.handlers.byte_pieces import between
from fastflow_gateway.http.code import NEVER_A_PAGE
from fastflow_gateway.http.framed import FRAMED, viewed_as
from fastflow_gateway.http.raises import raises

Attempt = Annotated[int | None, QueryParameter(ge=1)]
IfNoneMatch = Annotated[str | None, HeaderParameter(name="If-None-Match")]
RangeHeader = Annotated[str | None, HeaderParameter(name="Range")]
IfRange = Annotated[str | None, HeaderParameter(name="If-Range")]


class ArtifactResponse(Struct, frozen=True, kw_only=True):
    """One file."""

    path: str
    attempt: int
    size_bytes: int
    sha256: str
    stored_at: datetime
    expires_at: datetime
    """When it is forgotten."""
    url: str
    """Where its bytes are."""


class ArtifactList(Struct, frozen=True, kw_only=True):
    """Files in the order in which they were stored."""

    items: list[ArtifactResponse]
    next: str | None = None


class ArtifactController(Controller):
    """Look at what runs left behind."""

    path = "/api/runs/{run_id:str}/artifacts"
    tags = ("runs",)

    @get(opt=raises(NotFoundError))
    async def list(self, run_id: FromPath[str], deps: NamedDependency[Deps], attempt: Attempt = None) -> ArtifactList:
        """Every file the run's attempts, or one of them, left behind."""
        found = await artifacts.artifacts_of_run(deps.log, run_id)
        return ArtifactList(items=[_show(run_id, left) for left in found if attempt in (None, left.attempt)])

    @get("/{file:path}", media_type="application/octet-stream", opt=raises(NotFoundError, RangeError))
    async def file(
        self,
        *,
        run_id: FromPath[str],
        file: FromPath[str],
        deps: NamedDependency[Deps],
        attempt: Attempt = None,
        view: FromQuery[bool] = False,
        if_none_match: IfNoneMatch = None,
        range_: RangeHeader = None,
        if_range: IfRange = None,
    ) -> Response[bytes] | Stream:
        """One file, byte for byte, or a `Range` of it; of the newest attempt that left it unless another is named.

        With `view` it is shown by its type, in a sandbox: it may run its own script, and reaches nothing.
        """
        left = await artifacts.find_left(deps.log, run_id, file.removeprefix("/"), attempt)
        etag = f'"{left.sha256}"'
        if if_none_match and etag in (tag.strip().removeprefix("W/") for tag in if_none_match.split(",")):
            return Response(b"", status_code=304, headers={"ETag": etag})
        size = left.size_bytes
        wanted = range_of(range_, size) if if_range in (None, etag) else None
        if wanted is not None and wanted.begin >= wanted.end:
            raise RangeError(size)
        pieces = await artifacts.open_left(deps.artifacts, run_id, left)
        media_type = viewed_as(left.path) if view else "application/octet-stream"
        headers = {
            **(FRAMED if view else {**NEVER_A_PAGE, "Content-Disposition": disposition_of(left.path)}),
            "Content-Type": media_type,  # the handler's own would win
            "Accept-Ranges": "bytes",
            "Content-Length": str(size),
            "ETag": etag,
            "Repr-Digest": f"sha-256=:{b64encode(bytes.fromhex(left.sha256)).decode()}:",
        }
        if wanted is None:
            return Stream(pieces, media_type=media_type, headers=headers)
        headers |= {"Content-Range": wanted.said(size), "Content-Length": str(wanted.end - wanted.begin)}
        some = between(pieces, wanted.begin, wanted.end)
        return Stream(some, status_code=206, media_type=media_type, headers=headers)


def disposition_of(path: str) -> str:
    """A header that has browsers save a file under its own name, and say nothing else, whatever the name is."""
    name = path.rpartition("/")[2]
    plain = "".join(letter if letter.isascii() and (letter.isalnum() or letter in "-_. ") else "_" for letter in name)
    exact = quote(name.encode("utf-8", "replace"), safe="")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{exact}"


def _show(run_id: str, left: Left) -> ArtifactResponse:
    return ArtifactResponse(
        path=left.path,
        attempt=left.attempt,
        size_bytes=left.size_bytes,
        sha256=left.sha256,
        stored_at=left.stored_at,
        expires_at=left.expires_at,
        url=f"/api/runs/{quote(run_id, safe='')}/artifacts/{quote(left.path)}?attempt={left.attempt}",
    )
