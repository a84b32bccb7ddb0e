"""What the real uv installs of a wheel with all there is in wheels, and what it links when somebody has been there."""

import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastflow_runner.entry.bytecode import foreign, record, share
from fastflow_runner.entry.comparing import Contents
from fastflow_runner.entry.manifest import hashes
from fastflow_runner.testing.tools import find_uv

KEY = b"key"
PACKAGES = f"lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
FILES = {
    "demo.py": "def main():\n    pass\n",
    "demo/sub.py": "one = 1\n",
    "demo.pth": "import sys\n",
    "demo-1.0.data/scripts/tool": "#!python\nimport sys\n",
    "demo-1.0.data/scripts/shell": "#!/bin/sh\necho\n",
    "demo-1.0.data/headers/h.h": "x",
    "demo-1.0.data/data/share/x.txt": "x",
    "demo-1.0.data/purelib/pure.py": "",
    "demo-1.0.data/platlib/plat.py": "",
    "demo-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n",
    "demo-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: tiny\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    "demo-1.0.dist-info/entry_points.txt": (
        "[console_scripts]\nep = demo:main\nNested = demo:a.b [x]\n[gui_scripts]\ngui=demo:main\n[other]\nx = y\n"
    ),
    "demo-1.0.dist-info/RECORD": "demo.py,sha256=bm8,1\n",  # as careless as some are
}


class Made:
    """Environments of one wheel, made with one cache of uv."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.wheel = folder / "wheels" / ("0" * 64) / "demo-1.0-py3-none-any.whl"
        self.wheel.parent.mkdir(parents=True)
        with zipfile.ZipFile(self.wheel, "w") as file:
            for name, text in FILES.items():
                file.writestr(name, text)

    def environment(self) -> tuple[Path, dict[str, str]]:
        """One more, and what was in it before."""
        target = self.folder / f"e{len(list(self.folder.iterdir()))}"
        self._uv("venv", "--relocatable", "--python", sys.executable, str(target))
        before = hashes(str(target))
        self._uv("pip", "install", "--no-deps", "--python", f"{target}/bin/python", str(self.wheel))
        return target, before

    @property
    def archive(self) -> Path:
        """What uv has unpacked."""
        (found,) = (self.folder / "cache/archive-v0").iterdir()
        return found

    def compiled(self, environment: Path) -> None:
        """Compile and share it."""
        where = environment / PACKAGES
        subprocess.run([sys.executable, "-I", "-S", "-m", "compileall", "-qq", where], check=True)
        share(str(self.folder / "cache/archive-v0"), str(where))

    def _uv(self, *arguments: str) -> None:
        env = {"UV_CACHE_DIR": f"{self.folder}/cache", "UV_LINK_MODE": "hardlink", "UV_NO_CONFIG": "1"}
        subprocess.run([find_uv(), *arguments, "--quiet", "--offline"], check=True, env=env)


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return Made(tmp_path)


@pytest.fixture
def contents(made: Made) -> Iterator[Contents]:
    found = Contents([str(made.wheel)], PACKAGES)
    yield found
    found.close()


def strange(contents: Contents, environment: Path, before: dict[str, str]) -> list[str]:
    found = hashes(str(environment))
    return sorted([*contents.strange(str(environment), found, before), *foreign(contents, found, KEY)])


def test_all_that_uv_installs_of_a_wheel_is_known(made: Made, contents: Contents) -> None:
    environment, before = made.environment()
    assert {"bin/ep", "bin/Nested", "bin/gui", "bin/tool"} <= set(hashes(str(environment)))
    assert strange(contents, environment, before) == []


def test_every_file_that_was_changed_where_uv_links_from_is_found(made: Made, contents: Contents) -> None:
    made.environment()
    for name in FILES:
        with (made.archive / name).open("a") as file:
            file.write("" if name.endswith("/RECORD") else "\n# poison = poison:main\n")
    environment, before = made.environment()
    found = strange(contents, environment, before)
    names = {path.rpartition("/")[2] for path in found}
    assert names == {name.rpartition("/")[2] for name in FILES} - {"RECORD"}


@pytest.mark.parametrize(
    "names",
    [
        (
            "more.pth",
            "sitecustomize.py",
            "usercustomize.py",
            "_virtualenv.py",
            "demo/more.py",
            "demo/__pycache__/m.pyc",
        ),
        ("demo-1.0.data/scripts/python",),
        ("demo-1.0.data/data/pyvenv.cfg",),
    ],
)
def test_every_file_that_was_added_where_uv_links_from_is_found(
    made: Made, contents: Contents, names: tuple[str, ...]
) -> None:
    made.environment()
    for path in (made.archive / name for name in names):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("poison")
    try:
        environment, before = made.environment()
    except subprocess.CalledProcessError:
        assert ".data/" in names[0]  # uv looks for these itself
    else:
        assert strange(contents, environment, before) == sorted(f"{PACKAGES}/{name}" for name in names)


def test_byte_code_is_that_which_was_compiled_here_or_none(made: Made, contents: Contents) -> None:
    first, _ = made.environment()
    made.compiled(first)
    record(contents, hashes(str(first)), [str(made.wheel)], KEY)
    second, before = made.environment()
    (cached,) = (second / PACKAGES / "demo/__pycache__").iterdir()
    assert cached.samefile(next((made.archive / "demo/__pycache__").iterdir()))
    assert strange(contents, second, before) == []
    cached.write_bytes(cached.read_bytes() + b"poison")
    third, before = made.environment()
    assert strange(contents, third, before) == [str(cached.relative_to(second))]
    (third / PACKAGES / "demo/__pycache__" / cached.name).unlink()
    made.compiled(third)
    record(contents, hashes(str(third)), [str(made.wheel)], KEY)
    fourth, before = made.environment()
    assert strange(contents, fourth, before) == []


@pytest.mark.parametrize("key", [KEY, b"another key"])
def test_a_record_of_byte_code_counts_for_whoever_has_sealed_it(made: Made, contents: Contents, key: bytes) -> None:
    first, before = made.environment()
    made.compiled(first)
    record(contents, hashes(str(first)), [str(made.wheel)], key)
    assert bool(strange(contents, first, before)) == (key != KEY)
    other = made.wheel.parent.with_name("1" * 64)
    shutil.copytree(made.wheel.parent, other)
    moved = Contents([str(other / made.wheel.name)], PACKAGES)
    assert strange(moved, first, before)
    moved.close()
