"""What a run holds on the disk, however it writes it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from fastflow_runner.entry import disk
from fastflow_runner.entry.disk import Holding, is_too_full, limit_of
from hypothesis import given
from hypothesis import strategies as st

MIB = 1 << 20


def written(path: Path, size: int) -> Path:
    path.write_bytes(os.urandom(size))
    return path


def held(folder: Path, *, contained: bool = False, cache: str = "") -> int:
    return Holding(str(folder), cache, contained=contained).measure()


def test_files_of_every_folder_below_count_as_the_disk_counts_them(tmp_path: Path) -> None:
    before = held(tmp_path)
    (tmp_path / "a" / "b").mkdir(parents=True)
    written(tmp_path / "a" / "b" / "file", 2 * MIB)
    assert 2 * MIB <= held(tmp_path) - before < 3 * MIB
    with (tmp_path / "sparse").open("wb") as sparse:
        sparse.truncate(1 << 40)
    assert held(tmp_path) - before < 3 * MIB, "a hole takes no room"


def test_a_file_with_two_names_counts_once_and_a_link_to_elsewhere_does_not(tmp_path: Path) -> None:
    own, other = tmp_path / "own", tmp_path / "other"
    own.mkdir()
    other.mkdir()
    first = written(own / "first", 2 * MIB)
    (own / "second").hardlink_to(first)
    (own / "link").symlink_to(other, target_is_directory=True)
    written(other / "file", 4 * MIB)
    assert 2 * MIB <= held(own) < 3 * MIB


def test_of_a_cache_that_outlives_runs_only_what_is_added_counts(tmp_path: Path) -> None:
    own, cache = tmp_path / "own", tmp_path / "cache"
    own.mkdir()
    cache.mkdir()
    written(cache / "before", 4 * MIB)
    holding = Holding(str(own), str(cache), contained=False)
    assert holding.measure() < MIB
    written(cache / "added", 2 * MIB)
    assert 2 * MIB <= holding.measure() < 3 * MIB
    (cache / "before").unlink()
    assert holding.measure() < MIB, "what others have left is nobody's credit"


@contextmanager
def alone_with(script: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A process that has done what the script says, and is the only other one there."""
    code = f"{script}\nprint(flush=True)\ninput()"
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"\n"
        monkeypatch.setattr(disk, "_processes", lambda _: iter([str(process.pid)]))
        yield
        process.communicate(b"\n")


@pytest.mark.parametrize("names", [1, 3])
def test_what_is_deleted_and_still_open_counts_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, names: int
) -> None:
    script = f"""
import os
file = open("file", "wb")
file.write(os.urandom(2 << 20)); file.flush()
more = [os.dup(file.fileno()) for _ in range({names - 1})]
os.unlink("file")
"""
    with alone_with(script, tmp_path, monkeypatch):
        assert held(tmp_path) < MIB
        assert 2 * MIB <= held(tmp_path, contained=True) < 3 * MIB


HIDING = {
    "in memory only": """
import ctypes, mmap, os
file = open("file", "w+b")
file.write(bytes(1 << 20)); file.flush()
call = ctypes.CDLL(None).mmap
call.argtypes, call.restype = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long], ctypes.c_void_p
call(None, 1 << 20, mmap.PROT_READ, mmap.MAP_SHARED, file.fileno(), 0)
file.close(); os.unlink("file")
""",
    "in a path that is too long": """
import os
for _ in range(20):
    os.mkdir("n" * 250); os.chdir("n" * 250)
open("file", "wb").write(bytes(1 << 20))
""",
}


@pytest.mark.parametrize("how", HIDING)
def test_what_is_hidden_is_charged_with_all_that_the_disk_has_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    free = iter([100 * MIB, 58 * MIB, 58 * MIB])
    monkeypatch.setattr(disk, "free_bytes", lambda _: next(free))
    holding = Holding(str(tmp_path), "", contained=True)
    with alone_with(HIDING[how], tmp_path, monkeypatch):
        assert holding.measure() == 42 * MIB
    monkeypatch.setattr(disk, "_processes", lambda _: iter(()))
    if how == "in memory only":
        assert holding.measure() < MIB, "nobody hides anything any more"


def test_who_hides_nothing_is_not_charged_for_what_others_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = iter([100 * MIB, 1 * MIB])
    monkeypatch.setattr(disk, "free_bytes", lambda _: next(free))
    monkeypatch.setattr(disk, "_processes", lambda _: iter(()))
    assert held(tmp_path, contained=True) < MIB


def test_the_limit_is_what_was_said_else_a_share_of_what_is_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "free_bytes", lambda _: 100 * MIB)
    assert limit_of(str(tmp_path), 7, 5) == 7
    assert limit_of(str(tmp_path), 0, 5) == 0, "no limit"
    assert limit_of(str(tmp_path), None, 5) == 20 * MIB
    monkeypatch.setattr(disk, "free_bytes", lambda _: None)
    assert limit_of(str(tmp_path), None, 5) == 0


@given(size_mib=st.integers(1, 1 << 24), free_part=st.floats(0, 1))
def test_nothing_is_started_into_the_last_of_any_disk(size_mib: int, free_part: float) -> None:
    blocks = size_mib << 8
    about = os.statvfs_result((4096, 4096, blocks, 0, int(blocks * free_part), 0, 0, 0, 0, 255))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "statvfs", lambda _: about)
        why = is_too_full("/anywhere")
    reserve = min(1 << 30, (size_mib << 20) // 20)
    assert bool(why) == (about.f_bavail * 4096 < reserve)
    assert not why or "no space left on device" in why


def test_more_than_the_limit_is_told_and_measuring_ends(tmp_path: Path) -> None:
    written(tmp_path / "file", 2 * MIB)
    told: list[int] = []
    Holding(str(tmp_path), "", contained=False).watch(MIB, told.append)
    assert len(told) == 1
    assert told[0] >= 2 * MIB
