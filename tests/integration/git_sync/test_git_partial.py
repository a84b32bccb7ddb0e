"""A long history costs its commits and trees; files are fetched when they are needed."""

import os
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from fastflow_git_sync.adapters.git import GitSource, open_source
from fastflow_git_sync.core.repositories import of_environment
from fastflow_git_sync.settings import GitSyncSettings
from fastflow_git_sync.testing.http_server import HttpHost, http_host
from fastflow_git_sync.testing.repository import Repository

COMMITS, SIZE = 24, 500_000


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """12 MB of history, half a megabyte at the head."""
    found = Repository(tmp_path_factory.mktemp("partial") / "origin")
    found.git("config", "core.compression", "0")
    found.git("config", "uploadpack.allowFilter", "true")
    for n in range(COMMITS):
        found.commit({"hello/main.py": f"print({n})\n", "hello/data.bin": os.urandom(SIZE)})
    return found


def opened(home: Path, url: str, **more: object) -> AbstractAsyncContextManager[GitSource]:
    settings = GitSyncSettings(git_url=url, home=home, **more)  # type: ignore[arg-type]
    [(name, watched)] = of_environment(settings, None).items()
    return open_source(settings, name, watched.configured, watched.access)


def size_of(home: Path) -> int:
    return sum(file.stat().st_size for file in home.rglob("*") if file.is_file())


async def main_py(source: GitSource, commit: str) -> bytes:
    [folder] = await source.folders(commit)
    await source.complete([folder])
    return await source.look(lambda copy: copy.read(copy.entries(folder.tree))["main.py"])


async def test_only_the_files_of_the_head_are_fetched_and_older_ones_when_somebody_asks(
    tmp_path: Path, repository: Repository
) -> None:
    old = repository.git("rev-parse", "HEAD~20")
    async with opened(tmp_path, repository.url) as source:
        head = await source.fetch(None)
        before = size_of(tmp_path)
        assert before < SIZE / 10
        assert await main_py(source, head.commit) == f"print({COMMITS - 1})\n".encode()
        assert SIZE < size_of(tmp_path) < 1.3 * SIZE
        await source.require(old)
        assert await main_py(source, old) == f"print({COMMITS - 21})\n".encode()
        assert 2 * SIZE < size_of(tmp_path) < 2.3 * SIZE
        again = size_of(tmp_path)
        await source.fetch(head.commit)
        assert await main_py(source, head.commit)
        assert size_of(tmp_path) <= again + 10_000


async def test_a_rewritten_history_is_noticed_without_its_files(tmp_path: Path, repository: Repository) -> None:
    clone = Repository(tmp_path / "clone")
    clone.git("config", "uploadpack.allowFilter", "true")
    first = clone.commit({"hello/main.py": "1"})
    second = clone.commit({"hello/main.py": "2"})
    async with opened(tmp_path / "home", clone.url) as source:
        assert not (await source.fetch(first)).rewritten
        clone.git("reset", "--hard", "--quiet", first)
        third = clone.commit({"hello/main.py": "3"})
        head = await source.fetch(second)
        assert (head.commit, head.rewritten) == (third, True)
        assert await main_py(source, third) == b"3"


async def read_over(host: HttpHost, tmp_path: Path) -> bytes:
    token = tmp_path / "token"
    token.write_text("pw")
    async with opened(tmp_path / "home", f"{host.url}origin/.git", git_token_file=token) as source:
        head = await source.fetch(None)
        return await main_py(source, head.commit)


async def test_a_host_that_cannot_leave_files_out_sends_them_all(tmp_path: Path, repository: Repository) -> None:
    repository.git("config", "uploadpack.allowFilter", "false")
    try:
        with http_host(repository.path.parent, user="x-access-token", password="pw") as host:
            assert await read_over(host, tmp_path) == f"print({COMMITS - 1})\n".encode()
        assert size_of(tmp_path) > COMMITS * SIZE
    finally:
        repository.git("config", "uploadpack.allowFilter", "true")


async def test_a_host_that_gives_out_no_single_files_is_read_whole(tmp_path: Path, repository: Repository) -> None:
    with http_host(repository.path.parent, user="x-access-token", password="pw") as host:
        host.modern = False
        assert await read_over(host, tmp_path) == f"print({COMMITS - 1})\n".encode()
