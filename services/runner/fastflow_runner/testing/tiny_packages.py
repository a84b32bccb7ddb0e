"""Packages of a few bytes, as wheels and as sources that build without anything else; and an index of them as files."""

import io
import tarfile
import tomllib
import zipfile
from collections import defaultdict
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType

from msgspec import json

BACKEND = """
import pathlib, tomllib, zipfile

def _project():
    return tomllib.loads(pathlib.Path("pyproject.toml").read_text())["project"]

def _files():
    said = _project()
    name, info = said["name"].replace("-", "_"), f"{said['name'].replace('-', '_')}-{said['version']}.dist-info"
    needs = "".join(f"Requires-Dist: {need}\\n" for need in said.get("dependencies", []))
    about = f"Metadata-Version: 2.1\\nName: {said['name']}\\nVersion: {said['version']}\\nSummary: built\\n{needs}"
    wheel = "Wheel-Version: 1.0\\nGenerator: tiny\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
    return {f"{name}.py": "", f"{info}/METADATA": about, f"{info}/WHEEL": wheel, f"{info}/RECORD": ""}

def build_wheel(folder, config_settings=None, metadata_directory=None):
    said = _project()
    file = f"{said['name'].replace('-', '_')}-{said['version']}-py3-none-any.whl"
    with zipfile.ZipFile(f"{folder}/{file}", "w") as wheel:
        for name, text in _files().items():
            wheel.writestr(name, text)
    return file

build_editable = build_wheel
"""
BUILD = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
LIBRARY = f'[project]\nname = "my-lib"\nversion = "0.1"\nrequires-python = ">=3.8"\ndependencies = ["beta"]\n{BUILD}'


def building(name: str, does: str) -> dict[str, str]:
    """Files of a package in the folder `lib` whose build does something first."""
    lines = "".join(f"    {line}\n" for line in does.splitlines())
    backend = BACKEND.replace("    said = _project()\n    file", f"{lines}    said = _project()\n    file")
    assert backend != BACKEND
    project = f'[project]\nname = "{name}"\nversion = "1"\n{BUILD}'
    return {"lib/pyproject.toml": project, "lib/backend.py": backend}


def wheel(
    name: str,
    version: str,
    *,
    summary: str = "",
    more: str = "",
    code: str = "",
    others: Mapping[str, str] = MappingProxyType({}),
) -> bytes:
    """A wheel that every platform takes; its summary says where it is from, `others` are files besides its module."""
    buffer, plain = io.BytesIO(), name.replace("-", "_")
    info = f"{plain}-{version}.dist-info"
    about = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nSummary: {summary}\n{more}"
    tags = "Wheel-Version: 1.0\nGenerator: tiny\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    files = {f"{plain}.py": code, f"{info}/METADATA": about, f"{info}/WHEEL": tags, f"{info}/RECORD": ""}
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, text in {**files, **others}.items():
            archive.writestr(zipfile.ZipInfo(path), text)
    return buffer.getvalue()


def sdist(name: str, version: str, requires: list[str]) -> bytes:
    """The sources of a package."""
    plain = f"{name.replace('-', '_')}-{version}"
    needs = "".join(f"Requires-Dist: {need}\n" for need in requires)
    project = f'[project]\nname = "{name}"\nversion = "{version}"\ndependencies = {requires}\n{BUILD}'
    about = f"Metadata-Version: 2.2\nName: {name}\nVersion: {version}\n{needs}"
    files = {"PKG-INFO": about, "pyproject.toml": project, "backend.py": BACKEND}
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for path, text in files.items():
            member = tarfile.TarInfo(f"{plain}/{path}")
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
    return buffer.getvalue()


def index_of(description: str) -> dict[str, bytes]:
    """Every file of the indexes that a TOML text describes, by its path below their address."""
    files: dict[str, bytes] = {}
    pages: defaultdict[str, list[dict[str, object]]] = defaultdict(list)
    links: defaultdict[str, list[str]] = defaultdict(list)
    for each in tomllib.loads(description)["package"]:
        index, name, version = each["index"], each["name"], each["version"]
        more = "".join(f"Provides-Extra: {extra}\n" for extra in each.get("extras", ()))
        more += "".join(f"Requires-Dist: {need}\n" for need in each.get("requires", ()))
        if each.get("kind") == "sdist":
            file = f"{name.replace('-', '_')}-{version}.tar.gz"
            content = sdist(name, version, each.get("requires", []))
        else:
            file = f"{name.replace('-', '_')}-{version}-py3-none-any.whl"
            content = wheel(name, version, summary=index, more=more)
        files[f"files/{index}/{file}"] = content
        links[index].append(f'<a href="/files/{index}/{file}">{file}</a>\n')
        metadata: dict[str, object] = {
            "filename": file,
            "url": f"/files/{index}/{file}",
            "hashes": {} if index == "cut" else {"sha256": sha256(content).hexdigest()},
            "upload-time": f"{each.get('uploaded', '2024-01-01')}T00:00:00Z",
            "yanked": each.get("yanked", False),
        }
        pages[f"{index}/{name}"].append(
            {**metadata, "requires-python": each["python"]} if "python" in each else metadata
        )
    for page, listed in pages.items():
        about = {"meta": {"api-version": "1.1"}, "name": page.rpartition("/")[2], "files": listed, "versions": []}
        files[f"{page}/index.json"] = json.encode(about)
    files["flat/index.html"] = "".join(links["flat"]).encode()
    return files


def content_of(path: str, text: str) -> bytes:
    """What a file of a case holds; a word with `@` stands for what is no text."""
    name, version = [*Path(path).name.removesuffix(".tar.gz").split("-"), ""][:2]
    made: Mapping[str, bytes] = {
        "@wheel": wheel(name, version or "1.0", summary="file"),
        "@library": LIBRARY.encode(),
        "@backend": BACKEND.encode(),
        "@sdist": sdist(name.replace("_", "-"), version or "1.0", []),
    }
    return made.get(text, text.encode())
