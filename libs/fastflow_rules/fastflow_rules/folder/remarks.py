"""What the author of a folder should know although it can be run."""

from fastflow_events.message import Statement


class CellsUnused(Statement, frozen=True, tag="folder_remark.cells_unused"):
    """It has no effect."""

    english = "cells is for notebooks, and this is a script"


class Submodules(Statement, frozen=True, tag="folder_remark.submodules"):
    """Only this repository is read."""

    english = "submodules are left out of the code: {paths}"
    paths: tuple[str, ...]


class NotLookedInto(Statement, frozen=True, tag="folder_remark.not_looked_into"):
    """A notebook with its outputs."""

    english = "{path} has {size_bytes} bytes and is not looked into; clear its outputs before it is committed"
    path: str
    size_bytes: int


class Pointers(Statement, frozen=True, tag="folder_remark.pointers"):
    """Git LFS keeps it elsewhere."""

    english = "the content of files in Git LFS is not fetched, runs see the pointers: {paths}"
    paths: tuple[str, ...]


class PointersAndMore(Statement, frozen=True, tag="folder_remark.pointers_and_more"):
    """Git LFS keeps it elsewhere."""

    english = "the content of files in Git LFS is not fetched, runs see the pointers: {paths} and {more} more"
    paths: tuple[str, ...]
    more: int


class CellsTooMany(Statement, frozen=True, tag="folder_remark.cells_too_many"):
    """The rest has no effect."""

    english = "cells says something of {said} code cells; there are {cells}"
    said: int
    cells: int


class RetriesUnused(Statement, frozen=True, tag="folder_remark.retries_unused"):
    """It has no effect."""

    english = "retry_attempts does not count for notebooks: their cells are tried again, see cells"


class NoLock(Statement, frozen=True, tag="folder_remark.no_lock"):
    """It works, and hardly as it was meant."""

    english = "pyproject.toml names packages and has no uv.lock, so they are not installed; type: uv lock"


class NoBinary(Statement, frozen=True, tag="folder_remark.no_binary"):
    """It works, and hardly as it was meant."""

    english = "{file} says --no-binary: packages are built from their sources, without credentials"
    file: str


class Installs(Statement, frozen=True, tag="folder_remark.installs"):
    """It works, and hardly as it was meant."""

    english = (
        "{entry_point} installs packages while it runs, and they cannot be written; name them where packages "
        'are named, or say "isolation": "jit" in pipeline.json'
    )
    entry_point: str
