"""An environment linked from what uv has unpacked before, if that is what the wheels hold; else from them alone."""

import glob
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence

from fastflow_runner.entry.adopting import drop_cache
from fastflow_runner.entry.bytecode import foreign, record
from fastflow_runner.entry.comparing import Contents
from fastflow_runner.entry.manifest import UNREAD, ChangedError, Entry, contents_of, looked_at
from fastflow_runner.entry.uv import NeedsBuildError, RefusedError, Uv


def linked(
    uv: Uv,
    environment: str,
    filled: Callable[[Uv], dict[str, str]],
    compiled: Callable[[Mapping[str, Entry]], None],
    *,
    wheels: Sequence[str],
    held: Sequence[str],
    key: bytes,
    findings: list[str],
) -> Mapping[str, Entry]:
    """Have the environment `filled`, which says what was in there before the wheels, and `compiled`; what is in it.

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
        strange, found = [str(error)], UNREAD
    else:
        strange, found = _compared(environment, before, wheels, key)
        if strange:
            _anew(uv, filled)
            found = UNREAD
    if strange:
        root = os.path.dirname(uv.cache)  # noqa: PTH120 - os calls throughout
        findings.append(f"{uv.cache}: {ChangedError(*strange)}")
        drop_cache(root)
    compiled(found)
    found = looked_at(environment, found)
    contents = Contents(wheels, _packages(environment))
    try:
        record(contents, contents_of(found), held, key)
    finally:
        contents.close()
    return found


def _compared(
    environment: str, before: dict[str, str], wheels: Sequence[str], key: bytes
) -> tuple[list[str], dict[str, Entry]]:
    """What in there is of no wheel, and everything that stays."""
    contents = Contents(wheels, _packages(environment))
    try:
        found = looked_at(environment)
        digests = contents_of(found)
        # Byte code of nobody knows whom may be older than what was written down of it: it is made again, and no more.
        for path in foreign(contents, digests, key):
            os.unlink(f"{environment}/{path}")  # noqa: PTH108
            del found[path]
        return [f"{path} is of no wheel" for path in contents.strange(environment, digests, before)], found
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
