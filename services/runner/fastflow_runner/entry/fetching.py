"""Mode `fetch`: packages resolved and downloaded where the network and the credentials are, and nothing can be changed.

```text
order -> interpreter -> lock (given, or resolved) -> where each wheel is -> those that the store has not -> `out`
```

uv says which packages there are and where; pip takes the wheels that fit, because uv keeps none as they are. Neither of
them executes a package: nothing is built. What comes out is checked by whoever takes it, against the lock.
"""

import html
import json
import os
import ssl
import subprocess
import sys
import tomllib
from collections.abc import Collection, Sequence
from hashlib import file_digest
from typing import Any, NamedTuple
from urllib.parse import quote, unquote, urlsplit

from fastflow_runner.entry.answering import answered
from fastflow_runner.entry.bounding import bound
from fastflow_runner.entry.credentials import Credential, apart
from fastflow_runner.entry.folder import shown
from fastflow_runner.entry.installing import listed, resolve
from fastflow_runner.entry.locks import asks, is_pylock, normal, placed
from fastflow_runner.entry.preparing import question
from fastflow_runner.entry.sealed import read_sealed
from fastflow_runner.entry.store import is_kept
from fastflow_runner.entry.uv import NeedsBuildError, OutageError, RefusedError, Uv, is_outage, scrubbed, uv_of
from fastflow_runner.entry.wanted import wanted

_ORDER_BYTES = 16 << 20
_PIP = ("-I", "-m", "pip", "--isolated", "--disable-pip-version-check", "--no-input", "--no-cache-dir")
_OPTIONS = ("--quiet", "--no-deps", "--only-binary", ":all:", "--no-index", "--retries", "2", "--timeout", "30")
_FIND_PIP = """
import glob, importlib.util, os
if importlib.util.find_spec("pip"):
    print("pip")
else:
    import ensurepip
    print(*glob.glob(os.path.join(os.path.dirname(ensurepip.__file__), "_bundled", "pip-*.whl"))[:1])
"""
_NONE_FITS = ("No matching distribution found", "is not a supported wheel")


class Wheel(NamedTuple):
    """A file that a lock names."""

    file: str
    url: str
    sha256: str


def fetch(order: dict[str, Any]) -> dict[str, object]:
    """The lock of what `order` asks for, its wheels in the folder `out`, but for those that are in the store already.

    Raises:
        NeedsBuildError: packages have to be built first; `asked` of it is what the builder has to know.
        RefusedError: they cannot be had.
        OutageError: they cannot be had now.
        NotStagedError: the code is not there to be read.
    """
    with uv_of(order) as uv:
        asked = wanted(order, uv)
        python = uv.interpreter(order["python"], asked.requires)
        lock = order["lock"] or ""
        try:
            lock = lock or resolve(uv, python, asked, order["folder"])
            there = download(uv, python, lock, order, where=asked.where) if asks(lock) else []
        except NeedsBuildError as error:
            raise NeedsBuildError(str(error), question(asked, lock, order["folder"])) from error
    return {"lock": lock, "there": there}


def download(
    uv: Uv, python: str, lock: str, order: dict[str, Any], *, where: str, built: Sequence[str] = ()
) -> list[str]:
    """Wheels of the lock that are in the store, as `hash/file`; all others are in `out` now, but for those `built`.

    Raises:
        NeedsBuildError: something has no wheel for this platform.
        RefusedError: a file is not there, or not what the lock says.
        OutageError: a package index does not answer.
    """
    folder, out, store = order["folder"], order["out"], order["store"]
    os.makedirs(f"{order['root']}/tmp", exist_ok=True)  # noqa: PTH103 - os calls throughout
    os.makedirs(out, exist_ok=True)  # noqa: PTH103
    made = {(normal(name.split("-")[0]), name.split("-")[1]) for name in map(os.path.basename, built)}
    with shown(folder, {"pylock.toml": ""} if is_pylock(lock) else {}) as here:
        text = placed(lock, here)
        packages = tomllib.loads(
            text if is_pylock(lock) else listed(uv, python, where + text, here, build="asked" in order)
        )["packages"]
        lines: list[str] = []
        pages: list[Wheel] = []
        for package in packages:
            wheels = _wheels(package, here)
            if not wheels and "marker" not in package and not _is_made(package, made):
                raise NeedsBuildError(f"{package['name']} has no wheel")
            if wheels and not _is_made(package, made):
                lines.append(_line(package, wheels))
                pages += wheels
        _download(python, lines, pages, order, store)
    return _known(out, store)


def _is_made(package: dict[str, Any], made: Collection[tuple[str, str]]) -> bool:
    versions = {version for name, version in made if name == normal(package["name"])}
    return bool(versions) and package.get("version", next(iter(versions))) in versions


def _wheels(package: dict[str, Any], here: str) -> list[Wheel]:
    """The wheels of one package of a `pylock.toml`."""
    found = []
    for artifact in [*package.get("wheels", ()), package.get("archive", {})]:
        url = artifact.get("url", "") or (
            f"file://{quote(os.path.join(here, artifact['path']))}" if "path" in artifact else ""  # noqa: PTH118
        )
        file = unquote(urlsplit(url).path.rpartition("/")[2])
        if file.endswith(".whl"):
            found.append(Wheel(file, url, artifact.get("hashes", {}).get("sha256", "")))
    return found


def _line(package: dict[str, Any], wheels: Sequence[Wheel]) -> str:
    marker = f" ; {package['marker']}" if "marker" in package else ""
    hashes = "".join(f" --hash=sha256:{digest}" for digest in dict.fromkeys(wheel.sha256 for wheel in wheels))
    if any(not wheel.sha256 for wheel in wheels):
        raise RefusedError(f"the lock has no hash of {package['name']}, and its index tells none")
    return f"{package['name']}=={wheels[0].file.split('-')[1].replace('_', '-')}{marker}{hashes}\n"


def _download(python: str, lines: Sequence[str], wheels: Sequence[Wheel], order: dict[str, Any], store: str) -> None:
    root, credentials = order["root"], apart(order["env"]).credentials
    links = [_link(wheel, store, credentials) for wheel in wheels]
    for name, text in (("links.html", "\n".join(links)), ("wanted.txt", "".join(lines))):
        with os.fdopen(os.open(f"{root}/{name}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(text)
    # The system's certificates, as for uv in this image, and not those that pip may bring along.
    trusted = os.environ.get("SSL_CERT_FILE") or ssl.get_default_verify_paths().cafile
    command = [*_pip(python), "download", *_OPTIONS, *(("--cert", trusted) if trusted else ()), "--require-hashes"]
    command += ["--find-links", f"{root}/links.html", "--requirement", f"{root}/wanted.txt", "--dest", order["out"]]
    env = {**os.environ, "TMPDIR": f"{root}/tmp"}
    done = subprocess.run(command, capture_output=True, text=True, env=env, cwd=root, check=False)
    if done.returncode:
        words = scrubbed(done.stderr.strip(), [each.password for each in credentials if each.password])
        if any(word in words for word in _NONE_FITS):
            raise NeedsBuildError(words)
        raise (OutageError if done.returncode < 0 or is_outage(words) else RefusedError)(words)


def _pip(python: str) -> list[str]:
    """The interpreter's own pip, which knows what fits it, or the one it brings to install; ours where it has none."""
    found = subprocess.run([python, "-I", "-c", _FIND_PIP], capture_output=True, text=True, check=False).stdout.strip()
    if found.endswith(".whl"):
        return [python, "-I", f"{found}/pip", *_PIP[3:]]
    return [python, *_PIP] if found else [sys.executable, *_PIP, "--python", python]


def _link(wheel: Wheel, store: str, credentials: Sequence[Credential]) -> str:
    """Where pip finds the file: in the store, or where the lock says, with the credential that belongs there."""
    url = wheel.url
    if is_kept(kept := f"{store}/{wheel.sha256}/{wheel.file}", wheel.sha256):
        url = f"file://{quote(kept)}"
    elif credential := next((each for each in credentials if _is_bound(each, url)), None):
        scheme, _, rest = url.partition("://")
        url = f"{scheme}://{quote(credential.username, '')}:{quote(credential.password, '')}@{rest}"
    return f'<a href="{html.escape(url)}#sha256={wheel.sha256}">{html.escape(wheel.file)}</a>'


def _is_bound(credential: Credential, url: str) -> bool:
    """True for an address of the same scheme, host and port: an index names files that lie beside it."""
    ours, theirs = urlsplit(credential.service), urlsplit(url)
    return (ours.scheme, ours.netloc) == (theirs.scheme, theirs.netloc)


def _known(out: str, store: str) -> list[str]:
    """What the store has is not handed over: it stays with its name."""
    there = []
    for file in sorted(os.listdir(out)):  # noqa: PTH208
        with open(f"{out}/{file}", "rb") as read:  # noqa: PTH123
            digest = file_digest(read, "sha256").hexdigest()
        name = f"{digest}/{file}"
        if is_kept(f"{store}/{name}", digest):
            os.unlink(f"{out}/{file}")  # noqa: PTH108
            there.append(name)
    return there


def main() -> int:
    """An exit code of `codes`."""
    return answered(_obeyed)


def _obeyed() -> object:
    order = json.loads(read_sealed(0, _ORDER_BYTES))
    bound(order, order["root"])
    return fetch(order)
