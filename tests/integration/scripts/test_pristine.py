"""`make pristine`: everything of ours goes, unless somebody uses it; nothing of anybody else's does."""

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from fastflow_cli.errors import MissingError
from fastflow_cli.local.engine import Address, Engine, used

ROOT = Path(__file__).parents[3]
CLEANED = (".venv", ".tools", ".mypy_cache", "services/__pycache__")
# An engine that does not see the networks and sockets of this machine, with an image, a volume and a container.
STORY = """
mount -t tmpfs tmpfs /run
ip link set lo up
eval "$(scripts/docker-up)"
tar -C scripts -cf - lib.sh | docker import - thing:1
docker volume create kept
docker network create --driver bridge lonely
docker create --volume kept:/kept thing:1 nothing
scripts/pristine
[ ! -e "$FASTFLOW_ENGINE_HOME/data" ] && [ ! -e "$FASTFLOW_ENGINE_RUN" ]
ip link show docker0 && exit 1
grep -F "$FASTFLOW_ENGINE_HOME" /proc/mounts /proc/[0-9]*/cmdline && exit 1
scripts/pristine
"""


@pytest.fixture
def clone() -> Iterator[Path]:
    """A folder with the targets and what they set up; with a short path, as sockets of an engine need."""
    with TemporaryDirectory(prefix="ff-") as folder:
        yield made(Path(folder))


def made(base: Path) -> Path:
    clone = base / "clone"
    shutil.copytree(ROOT / "scripts", clone / "scripts")
    shutil.copy(ROOT / "Makefile", clone)
    for name in CLEANED:
        (clone / name).mkdir(parents=True)
    (base / "cache/fastflow").mkdir(parents=True)
    return clone


def shell(clone: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    """Run it there, with an engine of the clone's own below the folder it lies in."""
    base = clone.parent
    env = {"PATH": os.environ["PATH"], "HOME": str(base), "XDG_CACHE_HOME": str(base / "cache")}
    env |= {"FASTFLOW_ENGINE_HOME": str(base / "engine"), "FASTFLOW_ENGINE_RUN": str(base / "run")}
    return subprocess.run(argv, cwd=clone, env=env, check=False, capture_output=True, text=True, timeout=120)


def test_nothing_goes_while_somebody_uses_the_engine(clone: Path) -> None:
    run = clone.parent / "run"
    run.mkdir()
    (run / "in-use").touch()
    with used(Engine(Address(f"unix://{run}/docker.sock"), "20.10", "1.41")):
        refused = shell(clone, "scripts/pristine")
    assert refused.returncode != 0
    assert f"  {os.getpid()}  " in refused.stderr
    assert "is in use by these processes: end them first" in refused.stderr
    assert all((clone / name).is_dir() for name in CLEANED)
    assert (clone.parent / "cache/fastflow").is_dir()


def test_nobody_begins_to_use_an_engine_that_is_being_removed(tmp_path: Path) -> None:
    engine = Engine(Address(f"unix://{tmp_path}/docker.sock"), "20.10", "1.41")
    with (tmp_path / "in-use").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(MissingError, match="is just being removed"), used(engine):
            raise AssertionError("used")
    with used(engine):
        pass


@pytest.mark.docker
def test_an_engine_of_ours_goes_with_all_it_holds(clone: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("an engine of the test's own needs root")
    somebodys = clone.parent / "engine/notes.txt"
    somebodys.parent.mkdir()
    somebodys.touch()
    printed = shell(clone, "unshare", "--net", "--mount", "sh", "-exc", STORY)
    assert printed.returncode == 0, printed.stderr
    assert "removed the engine under" in printed.stderr
    assert printed.stderr.count("pristine: the next target starts from nothing") == 2
    assert not [name for name in CLEANED if (clone / name).exists()]
    assert not (clone.parent / "cache/fastflow").exists()
    assert somebodys.exists()
