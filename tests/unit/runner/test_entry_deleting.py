"""An environment goes when nobody is in it, and takes with it what only it had in the cache."""

import os
import time
from pathlib import Path

import pytest
from fastflow_runner.entry.deleting import cache, delete
from fastflow_runner.entry.using import InUseError, alone, use

NAME, OTHER = "a" * 32, "b" * 32


def an_environment(root: Path, name: str, *packages: str) -> Path:
    """Installed as uv does it: from the cache by hard links, and with files of its own."""
    folder = root / "envs" / name
    folder.mkdir(parents=True)
    (folder / "pyvenv.cfg").write_text("x" * 10)
    for package in packages:
        archive = root / "cache/archive-v0" / package
        archive.mkdir(parents=True, exist_ok=True)
        if not (archive / "code.py").exists():
            (archive / "code.py").write_text("y" * 1000)
        (folder / package).mkdir()
        (folder / package / "code.py").hardlink_to(archive / "code.py")
    return folder


def test_who_executes_in_it_shares_it_and_keeps_it(tmp_path: Path) -> None:
    folder = an_environment(tmp_path, NAME)
    first, second = use(str(folder)), use(str(folder))
    assert first is not None
    assert second is not None
    for held in (first, second):
        assert delete(str(tmp_path), [NAME]) == {"freed": {}, "busy": [NAME]}
        assert folder.is_dir()
        os.close(held)
    assert delete(str(tmp_path), [NAME]) == {"freed": {NAME: 10}, "busy": []}
    assert not folder.exists()
    assert delete(str(tmp_path), [NAME]) == {"freed": {NAME: 0}, "busy": []}


def test_nobody_starts_in_what_is_being_deleted(tmp_path: Path) -> None:
    folder = an_environment(tmp_path, NAME)
    held = alone(str(folder))
    assert held is not None
    with pytest.raises(InUseError):
        use(str(folder))
    os.close(held)
    assert use(str(tmp_path)) is None


def test_wheels_in_the_cache_stay_as_long_as_somebody_has_them(tmp_path: Path) -> None:
    an_environment(tmp_path, NAME, "alone", "shared")
    an_environment(tmp_path, OTHER, "shared")
    with cache(str(tmp_path)):  # somebody installs
        assert delete(str(tmp_path), [NAME])["freed"] == {NAME: 10}
    archives = tmp_path / "cache/archive-v0"
    assert {path.name for path in archives.iterdir()} == {"alone", "shared"}
    an_environment(tmp_path, NAME)
    assert delete(str(tmp_path), [NAME])["freed"] == {NAME: 1010}
    assert {path.name for path in archives.iterdir()} == {"shared"}


def test_what_was_interrupted_goes_after_a_day_and_no_name_leads_elsewhere(tmp_path: Path) -> None:
    old, young = (tmp_path / "envs" / f"{NAME}.{end}" for end in ("0", "1"))
    for folder in (old, young):
        folder.mkdir(parents=True)
    day_before = time.time() - 90_000
    os.utime(old, (day_before, day_before))
    assert delete(str(tmp_path), ["..", "", f"{NAME}.1"]) == {"freed": {}, "busy": []}
    assert (old.exists(), young.exists()) == (False, True)
