"""Packages that leave a mark wherever a part of them is executed, and indexes that agree on all but how one builds."""

import io
import tarfile

from fastflow_runner.testing.tiny_packages import BACKEND, BUILD, wheel

SOURCED = "sourced"
"""Package that comes as its sources, the same ones in either index."""


_MAIN = "def main():\n    pass\n"


def _marking(folder: str, what: str) -> str:
    """One line that leaves a mark in the folder, and never fails."""
    return f'import os; exec(\'try: open("{folder}/executed-{what}", "w").close()\\nexcept OSError: pass\')\n'


def marking_wheels(folder: str) -> dict[str, bytes]:
    """Wheels by their file's name, each with another thing that somebody might execute."""

    def mark(what: str) -> str:
        return _marking(folder, what)

    script = "#!python\n"
    parts: dict[str, dict[str, str]] = {
        "pth": {"pth.pth": mark("pth"), "zzz.pth": mark("pth")},
        "customize": {f"{kind}customize.py": mark(f"{kind}customize") for kind in ("site", "user")},
        "environment": {"_virtualenv.py": mark("virtualenv"), "_virtualenv.pth": mark("virtualenv-pth")},
        "shadows": {f"{name}.py": mark(f"shadow-{name}") for name in ("compileall", "py_compile", "site", "re")},
        "codec": {"encodings/marking.py": mark("codec"), "coded.py": "# -*- coding: marking -*-\n"},
        "points": {"points-1.0.dist-info/entry_points.txt": "[console_scripts]\npip=points:main\nuv=points:main\n"},
        "scripts": {f"scripts-1.0.data/scripts/{name}": script + mark("script") for name in ("pip", "uv", "git")},
        "data": {"data-1.0.data/data/bin/python3x": mark("data"), "data-1.0.data/data/pyvenv.cfg": "home = /tmp\n"},
        "lib": {"lib-1.0.data/purelib/lib.pth": mark("purelib"), "lib-1.0.data/platlib/more.pth": mark("platlib")},
        "broken": {"broken_one.py": "(" * 5000, "broken_two.py": "def f(:\n", "broken_three.py": "\0"},
    }
    return {
        f"{name}-1.0-py3-none-any.whl": wheel(name, "1.0", code=f"{mark(f'module-{name}')}{_MAIN}", others=files)
        for name, files in parts.items()
    }


def marking_sources(folder: str) -> dict[str, str]:
    """Files of a pipeline whose package in a folder leaves a mark when it is built, or asked for what it needs."""
    backend = _marking(folder, "backend") + BACKEND
    project = '[project]\nname = "built"\nversion = "1.0"\ndynamic = ["dependencies"]\n'
    return {"built/pyproject.toml": project + BUILD, "built/backend.py": backend}


def indexes_that_build(words: tuple[str, str]) -> dict[str, bytes]:
    """Files of two indexes, by path: one source, and a tool to build it by which its word is what the index says."""
    project = f'[project]\nname = "{SOURCED}"\nversion = "1.0"\n'
    system = '[build-system]\nrequires = ["tool"]\nbuild-backend = "tool"\n'
    about = f"Metadata-Version: 2.2\nName: {SOURCED}\nVersion: 1.0\n"
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, text in {"PKG-INFO": about, "pyproject.toml": project + system}.items():
            member = tarfile.TarInfo(f"{SOURCED}-1.0/{name}")
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text.encode()))
    files = {}
    for number, word in enumerate(words):
        tool = BACKEND.replace('f"{name}.py": ""', f'f"{{name}}.py": "WORD = {word!r}"')
        for name, file, content in (
            (SOURCED, f"{SOURCED}-1.0.tar.gz", buffer.getvalue()),
            ("tool", "tool-1.0-py3-none-any.whl", wheel("tool", "1.0", code=tool)),
        ):
            files[f"/{number}/{name}/"] = f'<a href="/{number}/files/{file}">{file}</a>'.encode()
            files[f"/{number}/files/{file}"] = content
    return files
