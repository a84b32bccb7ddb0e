"""Which commits changed a folder: Git's own log of a path, with what its definition said before and after."""

from collections.abc import Callable, Sequence

from fastflow_git_sync.adapters.command import GitFailedError
from fastflow_git_sync.adapters.mirror import Mirror
from fastflow_git_sync.core import faults
from fastflow_git_sync.core.commits import about
from fastflow_git_sync.core.histories import changed_members, read_log
from fastflow_git_sync.ports import GitError, Version

_AS_THEY_ARE = ("--literal-pathspecs", "-c", "core.quotePath=false", "-c", "log.showSignature=false")
_LARGEST = 1_000_000
"""A definition is small."""


class History:
    """The history of folders in one copy, from Git's thread."""

    def __init__(self, mirror: Mirror, top: Callable[[str], str], refs: Sequence[str]) -> None:
        self._mirror = mirror
        self._objects = mirror.command.objects
        self._top = top
        self._refs = refs

    def versions(self, head: str, path: str, folder: str, *, skip: int, limit: int) -> list[Version]:
        """At most `limit` commits that changed the folder, newest first, behind the first `skip`.

        Raises:
            GitError: our copy does not have the commit, or the host does not give out an old definition.
        """
        words = ("log", "--format=%x01%H", "--name-only", "--no-renames", "--no-ext-diff", f"--skip={skip}")
        try:
            printed = self._mirror.command.run(*words, f"--max-count={limit + 1}", head, "--", path, more=_AS_THEY_ARE)
        except GitFailedError as exc:
            raise GitError(faults.ObjectUnreadable(head)) from exc
        touched = read_log(printed, within=path)
        places = [self._place(each.commit, folder) for each in touched]
        self._bring([oid for _, oid in places if oid is not None])
        found = []
        for at, each in enumerate(touched[:limit]):
            tree, definition = places[at]
            before = places[at + 1][1] if at + 1 < len(places) else None
            found.append(
                Version(
                    commit=each.commit,
                    tree=tree,
                    about=about(self._objects.data(each.commit)),
                    paths=each.paths,
                    changed=changed_members(self._content(before), self._content(definition)),
                )
            )
        return found

    def _place(self, commit: str, folder: str) -> tuple[str | None, str | None]:
        """Tree of the folder at a commit, and the object that is its definition."""
        try:
            top = self._objects.names(self._top(commit))
        except GitError:
            return None, None  # the folder of all pipelines is not there yet
        tree = next((entry.oid for entry in top if entry.path == folder and entry.is_folder), None)
        if tree is None:
            return None, None
        files = {entry.path: entry.oid for entry in self._objects.names(tree) if entry.is_file}
        return tree, files.get("pipeline.json") or files.get(f"{folder}.json")

    def _bring(self, wanted: Sequence[str]) -> None:
        if missing := sorted({oid for oid in wanted if not self._objects.has(oid)}):
            self._mirror.bring(missing, self._refs)

    def _content(self, oid: str | None) -> bytes | None:
        if oid is None or self._objects.header(oid)[2] > _LARGEST:
            return None
        return self._objects.data(oid)
