import io
import tarfile
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

import pytest
from fastflow_runner.entry.locks import hashes
from fastflow_runner.entry.store import hold, kept, received, sweep
from fastflow_runner.entry.uv import OutageError, RefusedError

IDNA, EVIL = b"the wheel of idna", b"another wheel"
FILE, OTHER = "idna-3.10-py3-none-any.whl", "e_vil-1.0-py3-none-any.whl"


def digest(content: bytes) -> str:
    return sha256(content).hexdigest()


LOCK = f"idna==3.10 \\\n    --hash=sha256:{digest(IDNA)}\ne-vil==1.0 --hash=sha256:{digest(EVIL)}\n"
FILED = (
    'lock-version = "1.0"\n\n[[packages]]\nname = "idna"\nversion = "3.10"\n'
    f'wheels = [{{ url = "https://h/{FILE}", hashes = {{ sha256 = "{digest(IDNA)}" }} }}]\n\n'
    '[[packages]]\nname = "e-vil"\nversion = "1.0"\n'
    f'archive = {{ url = "https://h/{OTHER}", hashes = {{ sha256 = "{digest(EVIL)}" }} }}\n'
)


def archive(files: Mapping[str, bytes]) -> io.BytesIO:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return io.BytesIO(buffer.getvalue())


@pytest.mark.parametrize("lock", [LOCK, FILED])
def test_a_lock_of_either_kind_says_which_content_each_package_has(lock: str) -> None:
    assert hashes(lock) == {"idna": {digest(IDNA)}, "e-vil": {digest(EVIL)}}


@pytest.mark.parametrize("lock", [LOCK, FILED])
def test_wheels_are_kept_below_the_hash_that_was_worked_out_here(tmp_path: Path, lock: str) -> None:
    paths = received(str(tmp_path), archive({f"out/{FILE}": IDNA, OTHER: EVIL}), lock, None)
    assert paths == sorted(
        f"{tmp_path}/wheels/{digest(content)}/{name}" for name, content in ((FILE, IDNA), (OTHER, EVIL))
    )
    assert kept(str(tmp_path), [f"{digest(IDNA)}/{FILE}"], lock) == [f"{tmp_path}/wheels/{digest(IDNA)}/{FILE}"]
    assert sorted(path.name for path in (tmp_path / "wheels").iterdir()) == sorted([digest(IDNA), digest(EVIL)])


@pytest.mark.parametrize(
    "files",
    [{FILE: EVIL}, {FILE: b"changed"}, {f"more-{FILE}": IDNA}, {"other-1-py3-none-any.whl": IDNA}, {OTHER: IDNA}],
)
def test_what_is_no_wheel_of_the_lock_never_gets_into_the_store(tmp_path: Path, files: dict[str, bytes]) -> None:
    with pytest.raises(RefusedError):
        received(str(tmp_path), archive(files), LOCK, None)
    assert list((tmp_path / "wheels").iterdir()) == []


def test_what_was_built_is_laid_where_nobody_else_finds_it(tmp_path: Path) -> None:
    (tmp_path / "aside").mkdir()
    (path,) = received(str(tmp_path), archive({FILE: b"built"}), LOCK, str(tmp_path / "aside"))
    assert path == f"{tmp_path}/aside/{FILE}"
    assert list((tmp_path / "wheels").iterdir()) == []


def test_another_file_in_the_place_of_a_stored_wheel_is_never_taken_for_it(tmp_path: Path) -> None:
    (path,) = received(str(tmp_path), archive({FILE: IDNA}), LOCK, None)
    Path(path).write_bytes(EVIL)
    with pytest.raises(OutageError, match="as it was stored"):
        kept(str(tmp_path), [f"{digest(IDNA)}/{FILE}"], LOCK)
    assert not Path(path).exists()


def test_a_wheel_that_comes_again_takes_the_place_of_another_file(tmp_path: Path) -> None:
    (path,) = received(str(tmp_path), archive({FILE: IDNA}), LOCK, None)
    Path(path).write_bytes(EVIL)
    assert received(str(tmp_path), archive({FILE: IDNA}), LOCK, None) == [path]
    assert Path(path).read_bytes() == IDNA


def test_a_wheel_that_is_there_is_not_replaced(tmp_path: Path) -> None:
    (path,) = received(str(tmp_path), archive({FILE: IDNA}), LOCK, None)
    before = Path(path).stat().st_ino
    assert received(str(tmp_path), archive({FILE: IDNA}), LOCK, None) == [path]
    assert Path(path).stat().st_ino == before


def test_an_archive_that_was_cut_is_asked_for_again(tmp_path: Path) -> None:
    whole = archive({FILE: IDNA * 1000}).getvalue()
    for length in (0, 100, 600, 5000):
        with pytest.raises(OutageError):
            received(str(tmp_path), io.BytesIO(whole[:length]), LOCK, None)


@pytest.mark.parametrize(
    "name", ["../x", f"{digest(IDNA)}/../{FILE}", f"{digest(EVIL)}/{FILE}", FILE, f"{digest(IDNA)}/"]
)
def test_no_other_file_is_taken_for_a_wheel_of_the_store(tmp_path: Path, name: str) -> None:
    with pytest.raises(RefusedError):
        kept(str(tmp_path), [name], LOCK)


def test_a_wheel_goes_with_the_last_environment_that_holds_it(tmp_path: Path) -> None:
    paths = received(str(tmp_path), archive({FILE: IDNA, OTHER: EVIL}), LOCK, None)
    (tmp_path / "envs/one").mkdir(parents=True)
    hold([path for path in paths if FILE in path], str(tmp_path / "envs/one"))
    assert sweep(str(tmp_path)) == len(EVIL)
    assert [path for path in paths if Path(path).exists()] == [path for path in paths if FILE in path]
    (tmp_path / "envs/one").rename(tmp_path / "gone")
    assert sweep(str(tmp_path)) == len(IDNA)
