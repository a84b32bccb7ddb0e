"""Mode `prepare`: an environment that is complete, will not change, and was made without executing any package.

```text
interpreter -> lock (given, or compiled) -> hash of lock, Python build, platform, uv -> there? -> build aside, rename
```
"""

import json
import os
import shutil
import sys
import time
from hashlib import sha256
from typing import Any

from fastflow_runner.entry.requirements_text import has_packages, index_options, refusal
from fastflow_runner.entry.sealed import UnsealedError, read_sealed
from fastflow_runner.entry.uv import OutageError, RefusedError, Uv

REFUSED = 3
"""Exit code when the packages cannot be had."""
OUTAGE = 4
"""Exit code when asking again later may help."""
_ORDER_BYTES = 16 << 20
_SOURCES = ("none", "requirements", "requirements_lock")


def identity(lock: str, about: list[str], uv: str) -> str:
    """Name of the environment: the same for the same files on the same kind of machine, 32 hex digits."""
    parts = [sha256(lock.encode()).hexdigest(), *about, uv.split(".", 1)[0]]
    return sha256("\n".join(parts).encode()).hexdigest()[:32]


def prepare(order: dict[str, Any]) -> dict[str, object]:
    """The environment that `order` asks for, built unless it is there.

    Raises:
        RefusedError: it cannot be had.
        OutageError: it cannot be had now.
    """
    began = time.monotonic()
    if order["source"] not in _SOURCES:
        raise RefusedError(f"packages from {order['source']!r} cannot be installed by this version")
    text = order["text"] or _text(order)
    if why := refusal(text):
        raise RefusedError(why)
    root = order["root"]
    uv = Uv(order["uv"], root, order["env"])
    version = uv.version()
    python = uv.interpreter(order["python"])
    about = uv.about(python)
    lock = order["lock"] or ("" if order["source"] == "none" else _compile(uv, python, text))
    name = f"base-{about[1]}"
    if has_packages(lock):
        name = identity(lock, about, version)
        base, python = python, f"{root}/envs/{name}/bin/python"
        if not os.path.isdir(f"{root}/envs/{name}"):  # noqa: PTH112 - os calls throughout
            _build(uv, base, f"{root}/envs/{name}", index_options(text) + lock)
    return {
        "environment": name,
        "interpreter": python,
        "python": " ".join(about[:3]),
        "uv": version,
        "lock": lock,
        "prepare_s": round(time.monotonic() - began, 3),
    }


def _text(order: dict[str, Any]) -> str:
    """A file too long to travel with the specification, out of the staged code."""
    if order["source"] == "none" or not order["sha256"]:
        return ""
    try:
        with open(order["file"], "rb") as file:  # noqa: PTH123
            data = file.read()
    except OSError as error:
        raise OutageError(f"{os.path.basename(order['file'])} is not staged: {error.strerror}") from error  # noqa: PTH119
    if sha256(data).hexdigest() != order["sha256"]:
        raise RefusedError(f"{os.path.basename(order['file'])} is not the file that was asked for")  # noqa: PTH119
    return data.decode("utf-8", "replace")


def _compile(uv: Uv, python: str, text: str) -> str:
    if not has_packages(text):
        return ""
    options = ("--generate-hashes", "--no-header", "--no-annotate", "--no-build", "--quiet", "--python", python)
    try:
        return uv("pip", "compile", "-", *options, text=text)
    except RefusedError as error:
        raise RefusedError(_explain(str(error))) from error


def _build(uv: Uv, base: str, target: str, lock: str) -> None:
    temporary = f"{target}.{os.urandom(8).hex()}"
    os.makedirs(os.path.dirname(target), exist_ok=True)  # noqa: PTH103, PTH120
    try:
        # Relocatable: it is built aside and then renamed.
        uv("venv", "--quiet", "--no-project", "--relocatable", "--python", base, temporary)
        options = ("--require-hashes", "--no-build", "--compile-bytecode", "--quiet")
        uv("pip", "sync", *options, "--python", f"{temporary}/bin/python", "-", text=lock)
        os.rename(temporary, target)  # noqa: PTH104
    except RefusedError as error:
        raise RefusedError(_explain(str(error))) from error
    except OSError as error:
        # Somebody else with the same packages was faster; their folder is as good.
        if not os.path.isdir(target):  # noqa: PTH112
            raise OutageError(f"the environment cannot be written: {error}") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _explain(words: str) -> str:
    if "--no-build" in words or "no-build" in words or "Building source distributions" in words:
        return f"{words}\nonly packages with a wheel for this platform can be installed by this version"
    return words


def main() -> int:
    """0 with the result as one JSON line on standard output; 3 or 4 with uv's words on standard error."""
    try:
        result = prepare(json.loads(read_sealed(0, _ORDER_BYTES)))
    except RefusedError as error:
        sys.stderr.write(f"{error}\n")
        return REFUSED
    except (OutageError, UnsealedError) as error:
        sys.stderr.write(f"{error}\n")
        return OUTAGE
    sys.stdout.write(json.dumps(result) + "\n")
    return 0
