"""An environment linked from what uv has unpacked before, if that is what the wheels hold; else from them alone."""

import glob
import os
import tempfile
from collections.abc import Callable, Sequence

from fastflow_runner.entry.adopting import drop_cache
from fastflow_runner.entry.bytecode import foreign, record
from fastflow_runner.entry.comparing import Contents
from fastflow_runner.entry.manifest import ChangedError, hashes
from fastflow_runner.entry.uv import NeedsBuildError, RefusedError, Uv


def linked(
    uv: Uv,
    environment: str,
    filled: Callable[[Uv], dict[str, str]],
    compiled: Callable[[], None],
    *,
    wheels: Sequence[str],
    held: Sequence[str],
    key: bytes,
    findings: list[str],
) -> None:
    """Have the environment `filled`, which says what was in there before the wheels, and `compiled`.

    What is not of the wheels shows that uv's cache is not what uv has made: that is in `findings`, the cache is
    dropped, and the wheels are unpacked anew, beside it.
    """
    try:
        before = filled(uv)
    except NeedsBuildError:
        raise
    except RefusedError as error:
        # It may be for what lies in the cache.
        _anew(uv, filled)
        strange = [str(error)]
    else:
        strange = _compared(environment, before, wheels, key)
        if strange:
            _anew(uv, filled)
    if strange:
        root = os.path.dirname(uv.cache)  # noqa: PTH120 - os calls throughout
        findings.append(f"{uv.cache}: {ChangedError(*strange)}")
        drop_cache(root)
    compiled()
    contents = Contents(wheels, _packages(environment))
    try:
        record(contents, hashes(environment), held, key)
    finally:
        contents.close()


def _compared(environment: str, before: dict[str, str], wheels: Sequence[str], key: bytes) -> list[str]:
    contents = Contents(wheels, _packages(environment))
    try:
        found = hashes(environment)
        # Byte code of nobody knows whom may be older than what was written down of it: it is made again, and no more.
        for path in foreign(contents, found, key):
            os.unlink(f"{environment}/{path}")  # noqa: PTH108
        return [f"{path} is of no wheel" for path in contents.strange(environment, found, before)]
    finally:
        contents.close()


def _anew(uv: Uv, filled: Callable[[Uv], dict[str, str]]) -> None:
    root = os.path.dirname(uv.cache)  # noqa: PTH120
    os.makedirs(f"{root}/aside", exist_ok=True)  # noqa: PTH103
    with tempfile.TemporaryDirectory(dir=f"{root}/aside", suffix=".new") as cache:
        filled(uv.apart(cache))


def _packages(environment: str) -> str:
    found = glob.glob(f"{environment}/lib/*/site-packages")  # noqa: PTH207
    return os.path.relpath(found[0], environment) if found else "?"
