"""A folder that is small in Git and large unpacked costs memory nowhere, and has a limit that is told."""

import io
import os
import tarfile
import threading
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import zstandard
from fastflow_cli.checking import check
from fastflow_git_sync.adapters.git import open_source
from fastflow_git_sync.core.repositories import of_environment
from fastflow_git_sync.ports import TooLargeError
from fastflow_git_sync.settings import GitSyncSettings
from fastflow_git_sync.testing.repository import Repository
from fastflow_rules.folder import MAX_BYTES
from fastflow_runner.core.tree_orders import stage_order
from fastflow_runner.entry.sealed import SealedFile, read_sealed
from fastflow_runner.entry.staging import unpack

MB = 1_000_000
SIZE = 120 * MB
ALLOWED = 24 * MB
"""What may be in memory at once, however large the folder is."""


@contextmanager
def frugal() -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < ALLOWED
    finally:
        tracemalloc.stop()


def through_a_pipe(pieces: Iterable[bytes], work: Callable[[int], None]) -> None:
    read, write = os.pipe()

    def send() -> None:
        with os.fdopen(write, "wb") as pipe:
            pipe.writelines(pieces)

    sender = threading.Thread(target=send)
    sender.start()
    try:
        work(read)
    finally:
        sender.join()
        os.close(read)


async def test_its_code_is_packed_sent_and_unpacked_piece_by_piece(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "origin")
    commit = repository.commit({"hello/main.py": "", "hello/zeros": bytes(SIZE)})
    settings = GitSyncSettings(git_url=repository.url, home=tmp_path / "home")
    [(name, watched)] = of_environment(settings, None).items()
    async with open_source(settings, name, watched.configured, watched.access) as source:
        await source.fetch(None)
        [folder] = await source.folders(commit)
        await source.complete([folder])
        with frugal():
            async with source.archive(folder.tree) as file:
                file.seek(0)
                bundle = file.read()
    assert len(bundle) < MB

    def unpacked(fd: int) -> None:
        read_sealed(fd)
        archive = SealedFile(fd)
        unpack(archive, str(tmp_path / "code"))
        archive.check()

    with frugal():
        order = stage_order("/code", bundle, "00")
        through_a_pipe(order, unpacked)
    assert (tmp_path / "code/zeros").stat().st_size == SIZE
    assert [len(piece) for piece in order] == [len(piece) for piece in order]  # it can be sent again


async def test_one_that_is_too_large_is_refused_by_git_sync_and_by_validate_in_the_same_words(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "origin")
    zeros = repository.make_blob(bytes(10 * MB))
    main = repository.make_blob(b"")
    many = "".join(f"100644 blob {zeros}\tz{n:02}\n" for n in range(MAX_BYTES // (10 * MB) + 1))
    tree = repository.make_tree(f"100644 blob {main}\tmain.py\n{many}")
    repository.commit_tree(repository.make_tree(f"040000 tree {tree}\thello\n"))
    settings = GitSyncSettings(git_url=repository.url, home=tmp_path / "home")
    [(name, watched)] = of_environment(settings, None).items()
    async with open_source(settings, name, watched.configured, watched.access) as source:
        head = await source.fetch(None)
        [folder] = await source.folders(head.commit)
        await source.complete([folder])
        with pytest.raises(TooLargeError, match="the folder holds more than 500 MB"):
            await source.look(lambda copy: copy.entries(folder.tree))
    disk = tmp_path / "disk/hello"
    disk.mkdir(parents=True)
    (disk / "main.py").touch()
    with (disk / "zeros").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    [checked] = check(disk)
    assert checked.errors == ("the folder holds more than 500 MB",)


def test_requirements_that_include_too_much_are_refused_without_reading_it(tmp_path: Path) -> None:
    (tmp_path / "main.py").touch()
    names = [f"r{n:02}.txt" for n in range(12)]
    (tmp_path / "requirements.txt").write_text("".join(f"-r {name}\n" for name in names))
    for name in names:
        with (tmp_path / name).open("wb") as file:
            file.write(b"#" * (2 * MB))
    [checked] = check(tmp_path)
    assert checked.errors == ('the files that requirements include are too large, as is "r10.txt"',)


def test_a_bundle_that_unpacks_to_nothing_of_ours_is_no_order() -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w"):
        pass
    pieces = list(stage_order("/code", zstandard.ZstdCompressor().compress(buffer.getvalue()), "00"))
    assert b"".join(pieces).endswith(buffer.getvalue())
