import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from fastflow_runner.entry.adopting import adopted
from fastflow_runner.entry.manifest import ChangedError, check, looked_at, sealed, write
from hypothesis import given
from hypothesis import strategies as st

KEY, OTHER = b"key", b"another key"
INSTANT = 1_700_000_000_000_000_000


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "envs" / "0123"
    (folder / "lib" / "deep").mkdir(parents=True)
    (folder / "lib" / "one.py").write_text("one = 1\n")
    (folder / "lib" / "deep" / "\udcff.py").write_bytes(b"\0")
    (folder / "bin").symlink_to("lib")
    return folder


def _append(tree: Path) -> None:
    with (tree / "lib/one.py").open("a") as file:
        file.write("\n")


def _replace_later(tree: Path) -> None:
    (tree / "lib/one.py").write_text("one = 2\n")


def _add(tree: Path) -> None:
    (tree / "lib/evil.pth").write_text("import os\n")


def _add_folder(tree: Path) -> None:
    (tree / "lib/empty").mkdir()


def _remove(tree: Path) -> None:
    (tree / "lib/one.py").unlink()


def _open(tree: Path) -> None:
    (tree / "lib/one.py").chmod(0o666)


def _open_folder(tree: Path) -> None:
    (tree / "lib").chmod(0o777)


def _lead_away(tree: Path) -> None:
    (tree / "bin").unlink()
    (tree / "bin").symlink_to("/tmp")


def _link_file(tree: Path) -> None:
    (tree / "lib/one.py").unlink()
    (tree / "lib/one.py").symlink_to("/etc/hostname")


def _pipe(tree: Path) -> None:
    (tree / "lib/one.py").unlink()
    os.mkfifo(tree / "lib/one.py")


def _forge_manifest(tree: Path) -> None:
    _add(tree)
    write(str(tree), OTHER)


def _link_manifest(tree: Path) -> None:
    (tree / ".fastflow").rename(tree.parent / "kept")
    (tree / ".fastflow").symlink_to("../kept")


def _cut_manifest(tree: Path) -> None:
    manifest = tree / ".fastflow/manifest"
    manifest.write_bytes(manifest.read_bytes()[:-1])


CHANGES = (
    _append,
    _replace_later,
    _add,
    _add_folder,
    _remove,
    _open,
    _open_folder,
    _lead_away,
    _link_file,
    _pipe,
    _forge_manifest,
    _link_manifest,
    _cut_manifest,
)


def test_a_tree_is_what_its_maker_left_wherever_it_is_looked_at(tree: Path) -> None:
    digest = write(str(tree), KEY)
    for whole in (False, True):
        check(str(tree), digest, whole=whole)
    assert sealed(str(tree), KEY) == digest == adopted(str(tree), KEY, [])


@pytest.mark.parametrize("change", CHANGES)
def test_any_change_that_shows_is_found_without_reading_a_file(tree: Path, change: Callable[[Path], None]) -> None:
    digest = write(str(tree), KEY)
    change(tree)
    with pytest.raises(ChangedError):
        check(str(tree), digest)


@pytest.mark.parametrize("change", CHANGES)
def test_what_has_changed_is_set_aside_and_not_adopted(tree: Path, change: Callable[[Path], None]) -> None:
    write(str(tree), KEY)
    change(tree)
    findings: list[str] = []
    assert adopted(str(tree), KEY, findings) == ""
    assert len(findings) == 1
    assert not tree.exists()
    assert tree.with_name("0123.spoiled").is_dir()


def test_other_content_of_the_same_size_and_time_is_found_by_who_reads_every_file(tree: Path) -> None:
    digest, file = write(str(tree), KEY), tree / "lib/one.py"
    before = file.stat()
    file.write_text("one = 2\n")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    check(str(tree), digest)
    with pytest.raises(ChangedError, match=r"lib/one\.py has other content"):
        check(str(tree), digest, whole=True)


def test_a_tree_under_the_name_of_another_is_not_that_one(tree: Path) -> None:
    write(str(tree), KEY)
    tree.rename(tree.with_name("4567"))
    with pytest.raises(ChangedError, match="somebody else"):
        sealed(str(tree.with_name("4567")), KEY)


def test_a_tree_that_is_renamed_when_it_is_complete_is_sealed_for_its_last_name(tree: Path) -> None:
    half = tree.with_name("4567.new")
    tree.rename(half)
    digest = write(str(half), KEY, name="4567")
    half.rename(tree.with_name("4567"))
    assert sealed(str(tree.with_name("4567")), KEY) == digest


def test_a_manifest_that_somebody_else_has_brought_is_not_taken_for_ours(tree: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("safe")
    (tree / ".fastflow").mkdir()
    (tree / ".fastflow/manifest").symlink_to(outside)
    check(str(tree), write(str(tree), KEY))
    assert outside.read_text() == "safe"
    shutil.rmtree(tree / ".fastflow")
    (tree / ".fastflow").symlink_to(tmp_path)
    check(str(tree), write(str(tree), KEY))
    assert not (tmp_path / "manifest").exists()


def test_nobody_but_the_owner_writes_to_what_is_sealed_and_everybody_reads_it(tree: Path) -> None:
    (tree / "lib/lock").touch()
    (tree / "lib/lock").chmod(0o666)
    (tree / "lib/one.py").chmod(0o4600)
    (tree / "lib").chmod(0o700)
    write(str(tree), KEY)
    for path in (tree, *tree.rglob("*")):
        if not path.is_symlink():
            assert path.stat().st_mode & 0o7022 == 0
            assert path.stat().st_mode & 0o444 == 0o444


@given(st.binary(max_size=2000))
def test_junk_in_place_of_a_manifest_is_a_change_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, junk: bytes
) -> None:
    tree = tmp_path_factory.mktemp("tree")
    write(str(tree), KEY)
    (tree / ".fastflow/manifest").write_bytes(junk)
    with pytest.raises(ChangedError):
        sealed(str(tree), KEY)


def test_what_was_looked_at_is_what_is_sealed_and_what_was_written_since_is_read_again(tree: Path) -> None:
    known = looked_at(str(tree))
    _append(tree)
    _add(tree)
    check(str(tree), write(str(tree), KEY, known=known), whole=True)


def test_a_file_that_is_changed_behind_its_time_after_it_was_looked_at_is_found_out(tree: Path) -> None:
    path = tree / "lib/one.py"
    known, before = looked_at(str(tree)), path.stat()
    path.write_text("one = 2\n")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    digest = write(str(tree), KEY, known=known)
    with pytest.raises(ChangedError, match=r"lib/one\.py has other content"):
        check(str(tree), digest, whole=True)
