"""`/api/runs/{id}/code`: the files that ran."""

from typing import Literal

from fastflow_events.errors import ContractError, NotFoundError
from litestar import Controller, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Stream
from msgspec import Struct

from fastflow_gateway.core.refusals import HadNoFile
from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers.code import Ran, code_of_run
from fastflow_gateway.http.raises import raises
from fastflow_gateway.ports import Code, CodeFile

NEVER_A_PAGE = {"Content-Security-Policy": "sandbox; default-src 'none'"}
"""A file of a run is shown as text, whatever it says it is."""


class CodeFileResponse(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One file."""

    path: str
    """Bytes that are not UTF-8 read as U+FFFD."""
    size: int
    kind: Literal["file", "executable", "link"]
    target: str | None = None
    """Where a link leads."""


class CodeResponse(Struct, frozen=True, kw_only=True):
    """The code of a run."""

    pipeline: str
    repository: str
    commit: str
    tree: str
    """Git's own hash of the folder: the same tree is the same code, byte for byte."""
    entry_point: str | None
    items: list[CodeFileResponse]


class CodeController(Controller):
    """Look at what ran."""

    path = "/api/runs/{run_id:str}"
    tags = ("runs",)

    @get("/code", opt=raises(NotFoundError, ContractError))
    async def list(self, run_id: FromPath[str], deps: NamedDependency[Deps]) -> CodeResponse:
        """Every file the run found in its folder when it began."""
        return await show_code(deps.code, await code_of_run(deps.log, run_id))

    @get("/code/{file:path}", media_type="text/plain", opt=raises(NotFoundError, ContractError))
    async def file(self, run_id: FromPath[str], file: FromPath[str], deps: NamedDependency[Deps]) -> Response[bytes]:
        """One file, byte for byte."""
        return await show_file(deps.code, await code_of_run(deps.log, run_id), file)

    @get("/code.tar.zst", media_type="application/zstd", opt=raises(NotFoundError))
    async def archive(self, run_id: FromPath[str], deps: NamedDependency[Deps]) -> Stream:
        """The whole folder as it was stored, a tar.zst."""
        ran = await code_of_run(deps.log, run_id)
        size, chunks = await deps.code.archive(ran.tree)
        headers = {
            "Content-Length": str(size),
            "Content-Disposition": f'attachment; filename="{ran.tree[:12]}.tar.zst"',
            "ETag": f'"{ran.tree}"',
        }
        return Stream(chunks, media_type="application/zstd", headers=headers)


async def show_code(code: Code, ran: Ran) -> CodeResponse:
    """Every file of the stored folder.

    Raises:
        BundleMissingError: it is not stored, or not any more.
    """
    return CodeResponse(
        pipeline=ran.pipeline,
        repository=ran.repository,
        commit=ran.commit,
        tree=ran.tree,
        entry_point=ran.entry_point,
        items=[_show(file) for file in await code.files(ran.tree)],
    )


async def show_file(code: Code, ran: Ran, file: str) -> Response[bytes]:
    """One file of the stored folder, never as a page.

    Raises:
        NotFoundError: there is no such file.
        BundleMissingError: the folder is not stored, or not any more.
    """
    content = await code.file(ran.tree, file.removeprefix("/"))
    if content is None:
        raise NotFoundError(HadNoFile(), file=file[:300])
    return Response(content, media_type=_media_type(content), headers=NEVER_A_PAGE)


def _media_type(content: bytes) -> str:
    try:
        content.decode()
    except UnicodeDecodeError:
        return "application/octet-stream"
    return "text/plain"  # the framework says that it is UTF-8


def _show(file: CodeFile) -> CodeFileResponse:
    def text(name: str) -> str:
        return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")

    return CodeFileResponse(
        path=text(file.path), size=file.size, kind=file.kind, target=text(file.target) if file.target else None
    )
