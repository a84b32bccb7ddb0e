"""Damage of a copy is found by looking at it, mended, and costs nothing that can still be read."""

import os
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from fastflow_git_sync.adapters import healing
from fastflow_git_sync.adapters.git import GitSource, open_source
from fastflow_git_sync.core.repositories import of_environment
from fastflow_git_sync.ports import CommitMissingError, GitError, Head
from fastflow_git_sync.settings import GitSyncSettings
from fastflow_git_sync.testing.http_server import http_host
from fastflow_git_sync.testing.repository import Repository


def opened(home: Path, url: str, **more: object) -> AbstractAsyncContextManager[GitSource]:
    settings = GitSyncSettings(git_url=url, home=home, **more)  # type: ignore[arg-type]
    [(name, watched)] = of_environment(settings, None).items()
    return open_source(settings, name, watched.configured, watched.access)


@pytest.fixture
def origin(tmp_path: Path) -> Repository:
    found = Repository(tmp_path / "origin")
    found.git("config", "uploadpack.allowFilter", "true")
    found.git("config", "gc.auto", "0")
    return found


def the_copy(home: Path) -> Path:
    [copy] = (home / "git_sync/main").glob("copy-*.git")
    return copy


async def main_py(source: GitSource, commit: str) -> bytes:
    [folder] = await source.folders(commit)
    await source.complete([folder])
    return await source.look(lambda copy: copy.read(copy.entries(folder.tree))["main.py"])


async def two_histories(origin: Repository, home: Path) -> tuple[str, str]:
    """A commit that no branch of the host holds any more, kept in the copy with its file; and the head."""
    kept = origin.commit({"hello/main.py": "old"})
    async with opened(home, origin.url) as source:
        await source.fetch(None)
        await source.require(kept)
        assert await main_py(source, kept) == b"old"
        origin.git("checkout", "--quiet", "--orphan", "again")
        head = origin.commit({"hello/main.py": "new"})
        origin.git("branch", "-M", "main")
        origin.git("reflog", "expire", "--expire=now", "--all")
        origin.git("prune", "--expire=now")
        assert (await source.fetch(kept)).commit == head
        assert await main_py(source, head) == b"new"
    return kept, head


async def test_what_a_broken_host_says_of_itself_costs_no_kept_commit(tmp_path: Path, origin: Repository) -> None:
    kept, head = await two_histories(origin, tmp_path)
    newest = origin.commit({"hello/main.py": "newest"})
    for gone in (newest, origin.git("rev-parse", f"{newest}^{{tree}}")):
        file = origin.path / ".git/objects" / gone[:2] / gone[2:]
        content = file.read_bytes()
        file.unlink()
        async with opened(tmp_path, origin.url) as source:
            with pytest.raises(GitError):
                await source.fetch(head)
            await source.require(kept)
            assert await main_py(source, kept) == b"old"
            assert await main_py(source, head) == b"new"
        file.write_bytes(content)
    async with opened(tmp_path, origin.url) as source:
        assert await source.fetch(head) == Head(commit=newest)


async def test_a_host_that_gives_out_no_single_files_costs_no_kept_commit(tmp_path: Path, origin: Repository) -> None:
    kept = origin.commit({"hello/main.py": "old"})
    token = tmp_path / "token"
    token.write_text("pw")
    with http_host(tmp_path, user="x-access-token", password="pw") as host:
        async with opened(tmp_path, f"{host.url}origin/.git", git_token_file=token) as source:
            await source.fetch(None)
            await source.require(kept)
            assert await main_py(source, kept) == b"old"
            origin.git("checkout", "--quiet", "--orphan", "again")
            head = origin.commit({"hello/main.py": "new"})
            origin.git("branch", "-M", "main")
            host.modern = False
            await source.fetch(kept)
            assert await main_py(source, head) == b"new"
            await source.require(kept)
            assert await main_py(source, kept) == b"old"


def truncated(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 2)


def emptied(file: Path) -> None:
    os.truncate(file, 0)


def flipped(file: Path) -> None:
    content = bytearray(file.read_bytes())
    for at in range(len(content) // 2, len(content), 7):
        content[at] ^= 0x55
    file.write_bytes(bytes(content))


@pytest.mark.parametrize("damage", [truncated, emptied, flipped, Path.unlink])
async def test_a_copy_heals_whatever_file_of_it_is_damaged(
    tmp_path: Path, origin: Repository, damage: Callable[[Path], None]
) -> None:
    """Every file in turn; what was kept can be read afterwards, or is said to be lost."""
    kept, head = await two_histories(origin, tmp_path)
    for n, file in enumerate(sorted(path for path in the_copy(tmp_path).rglob("*") if path.is_file())):
        name = file.relative_to(the_copy(tmp_path))
        if not file.exists():
            continue  # it was mended away
        file.chmod(0o600)
        damage(file)
        newest = origin.commit({"hello/main.py": f"{n}"})
        lost: tuple[str, ...] = ()
        async with opened(tmp_path, origin.url) as source:
            for last_try in (False, True):
                try:
                    found = await source.fetch(head)
                    lost += found.lost
                    assert (found.commit, await main_py(source, newest)) == (newest, f"{n}".encode()), name
                except GitError:
                    assert not last_try, name
            try:
                await source.require(kept)
                assert await main_py(source, kept) == b"old"
            except (CommitMissingError, GitError):
                assert kept in lost or (await source.fetch(newest)).lost == (kept,), name
                return


async def test_a_commit_that_the_host_still_has_comes_back(tmp_path: Path, origin: Repository) -> None:
    kept, head = await two_histories(origin, tmp_path)
    origin.git("config", "uploadpack.allowAnySHA1InWant", "true")
    saved = origin.git("rev-parse", "HEAD")
    origin.git("fetch", "--quiet", str(the_copy(tmp_path)), f"refs/fastflow/kept/{kept}")
    for file in (the_copy(tmp_path) / "objects").rglob("*"):
        if file.is_file():
            file.chmod(0o600)
            file.write_bytes(b"")
    async with opened(tmp_path, origin.url) as source:
        assert await source.fetch(head) == Head(commit=saved)
        await source.require(kept)
        assert await main_py(source, kept) == b"old"


async def test_a_commit_that_is_nowhere_any_more_is_said_to_be_lost_once(tmp_path: Path, origin: Repository) -> None:
    kept, head = await two_histories(origin, tmp_path)
    for file in (the_copy(tmp_path) / "objects").rglob("*"):
        if file.is_file():
            file.unlink()
    async with opened(tmp_path, origin.url) as source:
        assert (await source.fetch(head)).commit == head
        with pytest.raises(CommitMissingError):
            await source.require(kept)
        assert await source.fetch(head) == Head(commit=head, lost=(kept,))
        assert await source.fetch(head) == Head(commit=head)


async def test_a_whole_copy_is_found_whole(tmp_path: Path, origin: Repository) -> None:
    kept, head = await two_histories(origin, tmp_path)
    copy = the_copy(tmp_path)
    assert healing.broken_files(copy) == []
    assert {kept, head} <= {*healing.refs(copy).values()}
    origin.git("--git-dir", str(copy), "pack-refs", "--all")
    assert {kept, head} <= {*healing.refs(copy).values()}
