"""How the modes end that make environments: a result on standard output, or words on standard error; and a code."""

import json
import sys
from collections.abc import Callable

from fastflow_runner.entry import codes
from fastflow_runner.entry.sealed import UnsealedError
from fastflow_runner.entry.uv import NeedsBuildError, NeedsFetchError, NeedsPythonError, OutageError, RefusedError
from fastflow_runner.entry.wanted import NotStagedError

_CODES = {
    RefusedError: codes.REFUSED,
    OutageError: codes.OUTAGE,
    UnsealedError: codes.OUTAGE,
    NotStagedError: codes.NOT_STAGED,
    NeedsFetchError: codes.NEEDS_FETCH,
    NeedsPythonError: codes.NEEDS_PYTHON,
}


def answered(work: Callable[[], object]) -> int:
    """0 with what `work` returns as one line of JSON, or a code of `codes` with the reason; and what is to be built."""
    try:
        result = work()
    except NeedsBuildError as error:
        why, asked = error.args
        sys.stdout.write(json.dumps(asked) + "\n")
        sys.stderr.write(f"{why}\n")
        return codes.NEEDS_BUILD
    except tuple(_CODES) as error:
        sys.stderr.write(f"{error}\n")
        return _CODES[type(error)]
    sys.stdout.write(json.dumps(result) + "\n")
    return 0
