import os
from pathlib import Path

from fastflow_runner.entry.bytecode import share


def laid(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def linked(source: Path, target: Path) -> Path:
    for path in sorted(source.rglob("*")):
        if path.is_file():
            (target / path.relative_to(source)).parent.mkdir(parents=True, exist_ok=True)
            os.link(path, target / path.relative_to(source))
    return target


def test_byte_code_of_one_environment_is_linked_from_by_the_next(tmp_path: Path) -> None:
    files = {"p/a.py": "", "p/data.txt": "", "top.py": "", "p-1.dist-info/METADATA": ""}
    archive = laid(tmp_path / "archives/x", files)
    other = laid(tmp_path / "archives/y", {"p/a.py": "", "p-1.dist-info/METADATA": "another"})
    packages = linked(archive, tmp_path / "packages")
    cached = {"p/__pycache__/a.cpython-311.pyc": "1", "p/__pycache__/theirs.pyc": "2", "__pycache__/top.pyc": "3"}
    laid(packages, cached)
    share(str(tmp_path / "archives"), str(packages))
    share(str(tmp_path / "archives"), str(packages))
    found = {str(path.relative_to(archive)) for path in archive.rglob("*.pyc")}
    assert found == {"p/__pycache__/a.cpython-311.pyc", "__pycache__/top.pyc"}
    assert all((archive / name).samefile(packages / name) for name in found)
    assert not list(other.rglob("*.pyc"))
