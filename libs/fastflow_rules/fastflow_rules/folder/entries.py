"""What a Git tree, or a folder on disk, says of the files in it."""

from msgspec import Struct


class Folder(Struct, frozen=True, kw_only=True):
    """A folder of the repository that may be a pipeline."""

    name: str
    tree: str


class Entry(Struct, frozen=True, kw_only=True):
    """What a Git tree says of one file."""

    path: str
    """Inside the folder; bytes that are no UTF-8 are surrogates."""
    mode: str
    """`100644` file, `100755` executable file, `120000` symbolic link, `160000` submodule."""
    oid: str
    size: int = 0

    @property
    def is_file(self) -> bool:
        """True for a regular file."""
        return self.mode.startswith("100")

    @property
    def is_link(self) -> bool:
        """True for a symbolic link."""
        return self.mode == "120000"

    @property
    def is_folder(self) -> bool:
        """True for a sub-tree."""
        return self.mode == "40000"

    @property
    def is_submodule(self) -> bool:
        """True for a commit of another repository."""
        return self.mode == "160000"
