import os
from pathlib import Path

from fastflow_runner.entry.bytecode import share, uncompiled


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


HERE = "lib/python3.11/site-packages"
COMPILED = [
    *(f"{HERE}/{path}" for path in ("p/a.py", "p/__pycache__/a.cpython-311.pyc", "p/data.txt")),
    *(f"{HERE}/{path}" for path in ("top.py", "__pycache__/top.cpython-311.pyc")),
    "bin/activate_this.py",
]


def test_what_was_linked_with_its_byte_code_is_not_compiled_again() -> None:
    assert uncompiled(HERE, COMPILED) == []


def test_only_packages_that_miss_byte_code_of_this_interpreter_are_compiled() -> None:
    more = [f"{HERE}/q/deep/b.py", f"{HERE}/q/deep/__pycache__/b.cpython-310.pyc", f"{HERE}/six.py"]
    assert uncompiled(HERE, [*COMPILED, *more]) == ["q", "six.py"]
    other = [path.replace("python3.11", "python3.13t") for path in COMPILED]
    assert uncompiled(HERE.replace("3.11", "3.13t"), other) == ["p", "top.py"]


def test_much_is_compiled_together_and_so_is_what_nobody_has_looked_at() -> None:
    assert uncompiled(HERE, [f"{HERE}/m{n}/a.py" for n in range(5)]) == [""]
    assert uncompiled(HERE, []) == [""]
