import io
import os
import tarfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fastflow_runner.entry.staging import UnsafeArchiveError, check_link, check_path, delete, unpack
from fastflow_runner.entry.tree import copy_whole


def archive(*members: tuple[str, bytes, str, str, int]) -> io.BytesIO:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, kind, target, content, mode in members:
            member = tarfile.TarInfo(name)
            member.type, member.linkname, member.size, member.mode = kind, target, len(content), mode
            tar.addfile(member, io.BytesIO(content.encode()))
    buffer.seek(0)
    return buffer


def file(name: str, content: str = "x", mode: int = 0o644) -> tuple[str, bytes, str, str, int]:
    return name, tarfile.REGTYPE, "", content, mode


def link(name: str, target: str) -> tuple[str, bytes, str, str, int]:
    return name, tarfile.SYMTYPE, target, "", 0o777


@pytest.mark.parametrize("name", ["/etc/passwd", "../x", "a/../../x", "a/..", "\0"])
def test_a_path_out_of_the_folder_is_refused(name: str) -> None:
    with pytest.raises(UnsafeArchiveError):
        check_path(name, set())


def test_a_path_behind_a_link_is_refused() -> None:
    with pytest.raises(UnsafeArchiveError, match="behind"):
        check_path("a/b/c", {"a/b"})


@pytest.mark.parametrize("target", ["/etc", "..", "../..", "a/../../..", "a/../b", "../../x"])
def test_a_link_out_of_the_folder_is_refused(target: str) -> None:
    with pytest.raises(UnsafeArchiveError):
        check_link("sub" if target == ".." else "sub/link", target)


@pytest.mark.parametrize("target", ["x", "./x", "../x", "deep/er/x", "../other/x"])
def test_a_link_that_stays_inside_is_kept(target: str) -> None:
    check_link("sub/link", target)


@pytest.mark.parametrize("kind", [tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_only_files_folders_and_links_are_unpacked(tmp_path: Path, kind: bytes) -> None:
    with pytest.raises(UnsafeArchiveError, match="no file"):
        unpack(archive(("x", kind, "y", "", 0o644)), str(tmp_path / "code"))


def test_a_file_cannot_be_written_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("safe")
    with pytest.raises((UnsafeArchiveError, FileExistsError)):
        unpack(archive(link("x", "y"), file("x", "evil")), str(tmp_path / "code"))


def test_what_was_staged_is_copied_with_its_execute_bits_and_links(tmp_path: Path) -> None:
    staged, app = tmp_path / "code", tmp_path / "app"
    members = (file("main.py"), file("bin/tool", "#!", 0o755), link("bin/same", "tool"), file(".fastflow/x"))
    unpack(archive(*members), str(staged))
    app.mkdir()
    copy_whole(str(staged), str(app), leave_out=".fastflow")
    assert sorted(str(path.relative_to(app)) for path in app.rglob("*")) == ["bin", "bin/same", "bin/tool", "main.py"]
    assert (app / "bin/same").read_text() == "#!"
    assert (app / "bin/tool").stat().st_mode & 0o111
    assert not (app / "main.py").stat().st_mode & 0o111
    assert (app / "main.py").stat().st_mode & 0o200


def test_deleted_code_is_gone_and_so_is_what_a_killed_deletion_left(tmp_path: Path) -> None:
    staged, other, left = tmp_path / "code", tmp_path / "other", tmp_path / "code.gone"
    for folder in (staged, other, left):
        unpack(archive(file("main.py"), file("deep/er/x")), str(folder))
    delete([str(staged), str(tmp_path / "never")])
    assert [path.name for path in tmp_path.iterdir()] == ["other"]
    delete([str(staged)])
    assert (other / "deep/er/x").read_text() == "x"


@pytest.mark.parametrize("staged_again", [False, True])
def test_a_copy_during_which_the_code_is_deleted_counts_for_nothing(tmp_path: Path, *, staged_again: bool) -> None:
    staged, app = tmp_path / "code", tmp_path / "app"
    unpack(archive(file("main.py")), str(staged))
    os.mkfifo(staged / "halfway")
    app.mkdir()
    with ThreadPoolExecutor(1) as thread:
        copy = thread.submit(copy_whole, str(staged), str(app), leave_out="")
        with (staged / "halfway").open("wb"):  # once the copy has come to it; it waits there for the end of the file
            delete([str(staged)])
            if staged_again:
                unpack(archive(file("main.py")), str(staged))
        with pytest.raises(FileNotFoundError):
            copy.result(10)
