"""Code on this machine, unpacked by the same entry program that unpacks it in containers."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryFile

from fastflow_events.errors import ContractError, InfrastructureError

from fastflow_runner.adapters.process.tools import ProcessTools
from fastflow_runner.core import marks
from fastflow_runner.core.tree_orders import code_name, seal_key, stage_order, unstage_order
from fastflow_runner.entry.codes import REFUSED
from fastflow_runner.entry.manifest import ChangedError, sealed


class ProcessCode:
    """Folder `code/` below a root; calls block, and are safe to repeat side by side."""

    def __init__(self, root: Path, tools: ProcessTools, key: bytes) -> None:
        """What is unpacked is sealed with the key, which names it, too."""
        self.root = root / "code"
        self._tools = tools
        self._key = key
        self._sealed: dict[str, dict[str, str]] = {}
        self._doubted: set[str] = set()
        """Trees of which somebody has found that they are not what was staged."""

    def folder(self, tree: str) -> Path:
        """Where the tree's code lies."""
        return self.root / code_name(self._key, tree)

    def sealed(self, tree: str) -> dict[str, str]:
        """Path of what is staged, and the hash of its manifest."""
        return self._sealed.get(tree, {})

    def has(self, tree: str) -> bool:
        """True when it is there, sealed, and not known to be changed."""
        folder = self.folder(tree)
        if tree in self._doubted or not folder.is_dir():
            return False
        if tree not in self._sealed:
            try:
                self._sealed[tree] = {str(folder): sealed(str(folder), bytes.fromhex(seal_key(self._key)))}
            except ChangedError:
                return False
        return True

    def doubt(self, tree: str) -> None:
        """Have every byte of it looked at before it is used again."""
        self._doubted.add(tree)

    def stage(self, tree: str, bundle: bytes) -> marks.Staged:
        """Unpack a bundle, unless what is there is whole.

        Raises:
            ContractError: the bundle must not be unpacked.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        order = stage_order(str(self.folder(tree)), bundle, seal_key(self._key))
        with TemporaryFile(dir=self.root) as file:
            for piece in order:
                file.write(piece)
            file.seek(0)
            code, line, words = self._tools.call("stage", file, self._tools.soon())
        if code == REFUSED:
            raise ContractError(words)
        staged = marks.staged(line) if code == 0 else None
        if staged is None:
            raise InfrastructureError(f"the code cannot be staged: {words}")
        self._sealed[tree] = staged.sealed
        self._doubted.discard(tree)
        return staged

    def unstage(self, trees: Sequence[str]) -> None:
        """Delete what was staged of them."""
        order = unstage_order([str(self.folder(tree)) for tree in trees])
        code, _, words = self._tools.call("stage", order, self._tools.soon())
        if code != 0:
            raise InfrastructureError(f"staged code is not deleted: {words}")
