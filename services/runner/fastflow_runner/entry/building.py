"""Mode `build`: wheels of packages that come as sources, made by executing them where nothing else can be reached.

```text
order -> interpreter -> lock (given, or resolved with building allowed) -> installed aside -> what was built comes out
```

The folder `out` then holds `lock.txt` and the wheels; whoever ordered them takes them from there. No credentials of
package indexes come here, because a package's own code runs.
"""

import glob
import json
import os
import shutil
from typing import Any

from fastflow_runner.entry.answering import answered
from fastflow_runner.entry.bounding import bound
from fastflow_runner.entry.fetching import download
from fastflow_runner.entry.folder import unpacked
from fastflow_runner.entry.installing import resolve, sync
from fastflow_runner.entry.sealed import read_sealed
from fastflow_runner.entry.uv import OutageError, uv_of
from fastflow_runner.entry.wanted import Wanted

_ORDER_BYTES = 16 << 20


def build(order: dict[str, Any]) -> str:
    """Fill the folder `out` of the order; the lock of what is in it.

    Raises:
        RefusedError: something cannot be resolved or built.
        OutageError: a package index does not answer, or the disk is full.
    """
    root, out = order["root"], order["out"]
    asked, folder = Wanted(**order["asked"]["wanted"]), ""
    if order["asked"]["folder"]:
        folder = f"{root}/folder"
        unpacked(order["asked"]["folder"], folder)
    with uv_of(order) as uv:
        python = uv.interpreter(order["python"], asked.requires)
        lock = order["lock"] or resolve(uv, python, asked, folder, build=True)
        uv("venv", "--quiet", "--no-project", "--clear", "--python", python, f"{root}/built")
        options = ("--verify-hashes", "--python", f"{root}/built/bin/python")
        heeding = asked.heeding or bool(asked.lock_of)
        sync(uv, lock, folder, *options, where=asked.where, asked=asked, heeding=heeding)
        # uv keeps every wheel it has built itself beside the sources.
        built = glob.glob(f"{root}/cache/sdists-v*/**/*.whl", recursive=True)  # noqa: PTH207
        if "store" in order:
            download(uv, python, lock, {**order, "folder": folder}, where=asked.where, built=built)
    try:
        os.makedirs(out, exist_ok=True)  # noqa: PTH103 - os calls throughout
        for wheel in built:
            shutil.copy(wheel, out)
        with open(f"{out}/lock.txt", "w", encoding="utf-8") as file:  # noqa: PTH123
            file.write(lock)
    except OSError as error:
        raise OutageError(f"the wheels cannot be kept: {error}") from error
    return lock


def main() -> int:
    """An exit code of `codes`; with 0 the wheels are in their folder."""
    return answered(_obeyed)


def _obeyed() -> object:
    order = json.loads(read_sealed(0, _ORDER_BYTES))
    bound(order, order["root"])
    return {"lock": build(order), "there": []}
