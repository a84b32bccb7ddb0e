"""A history of a gigabyte costs git_sync what is at the head.

Nearly all of the time is spent on writing the gigabyte; a smaller one would show less than is promised.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastflow_git_sync.adapters.git import open_source
from fastflow_git_sync.core.repositories import of_environment
from fastflow_git_sync.settings import GitSyncSettings
from fastflow_git_sync.testing.repository import Repository

COMMITS, EACH = 1050, 1_000_000


def grown(path: Path) -> Repository:
    """A repository with a megabyte of something else in every commit, stored as it is."""
    repository = Repository(path)
    repository.git("config", "core.compression", "0")
    repository.git("config", "uploadpack.allowFilter", "true")
    command = ["git", "-C", str(path), "fast-import", "--quiet", "--depth=0", "--max-pack-size=4g"]
    once = os.urandom(EACH - 8)
    with subprocess.Popen(command, stdin=subprocess.PIPE) as importer:
        assert importer.stdin
        for n in range(COMMITS):
            data = n.to_bytes(8) + once
            head = f"commit refs/heads/main\ncommitter Ann <ann@example.org> {1_700_000_000 + n} +0000\ndata 0\n"
            importer.stdin.write(f"{head}M 100644 inline hello/main.py\ndata 2\n#\n".encode())
            importer.stdin.write(f"M 100644 inline hello/data.bin\ndata {EACH}\n".encode() + data + b"\n")
    assert importer.returncode == 0
    return repository


def size_of(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[Repository]:
    """It does not outlive the test: pytest keeps folders of earlier sessions."""
    try:
        yield grown(tmp_path / "origin")
    finally:
        shutil.rmtree(tmp_path / "origin", ignore_errors=True)


async def test_a_gigabyte_of_history_costs_its_commits_trees_and_the_files_of_the_head(
    repository: Repository, tmp_path: Path
) -> None:
    assert size_of(repository.path) > 1_000_000_000
    settings = GitSyncSettings(git_url=repository.url, home=tmp_path / "home")
    [(name, watched)] = of_environment(settings, None).items()
    async with open_source(settings, name, watched.configured, watched.access) as source:
        head = await source.fetch(None)
        assert size_of(settings.home) < 2_000_000
        [folder] = await source.folders(head.commit)
        await source.complete([folder])
        assert [entry.size for entry in await source.look(lambda copy: copy.entries(folder.tree))] == [EACH, 2]
        assert EACH < size_of(settings.home) < EACH + 2_000_000
