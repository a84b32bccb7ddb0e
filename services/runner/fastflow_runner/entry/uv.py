"""Calls of uv: its errors in its own words, cut by what can be done about them."""

import json
import os
import re
import subprocess

_OUTAGE = re.compile(
    r"error sending request|dns error|connection (refused|reset|closed)|timed out|operation timed out"
    r"|status (code|server error) .?5\d\d|no space left",
    re.IGNORECASE,
)
_PYTHON = re.compile(r"[A-Za-z0-9][A-Za-z0-9.@+-]{0,49}|[<>=!~][<>=!~0-9.,* ]{0,49}")
_ABOUT = """
import json, platform, sys, sysconfig
print(json.dumps([sys.implementation.name, platform.python_version(), *platform.python_build(),
                  sysconfig.get_platform(), *platform.libc_ver(), sysconfig.get_config_var("SOABI")]))
"""


class RefusedError(Exception):
    """The packages or the interpreter cannot be had, however often one asks."""


class OutageError(Exception):
    """Something that should answer did not; asking again later may help."""


class Uv:
    """One uv binary with its folders and settings."""

    def __init__(self, binary: str, root: str, settings: dict[str, str]) -> None:
        self._binary = binary
        self._env = {
            **os.environ,
            **settings,
            "UV_CACHE_DIR": f"{root}/cache",
            "UV_PYTHON_INSTALL_DIR": f"{root}/python",
            "UV_PYTHON_INSTALL_BIN": "0",
            "UV_PYTHON_PREFERENCE": "system",
            "UV_PYTHON_DOWNLOADS": "manual",
            "UV_LINK_MODE": "hardlink",
            "UV_NO_PROGRESS": "1",
            "UV_NO_CONFIG": "1",
            "NO_COLOR": "1",
        }
        # A virtual environment of the caller must not be taken for an interpreter.
        for name in ("VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONHOME", "PYTHONPATH"):
            self._env.pop(name, None)

    def __call__(self, *arguments: str, text: str = "") -> str:
        """Standard output of one call.

        Raises:
            RefusedError: uv says no.
            OutageError: a package index or the disk failed.
        """
        return self._run([self._binary, *arguments], text)

    def version(self) -> str:
        """Such as `0.9.11`."""
        return self("--version").split()[1]

    def interpreter(self, wanted: str) -> str:
        """Path of a Python that is `wanted`, installed now only when there is none."""
        if not _PYTHON.fullmatch(wanted):
            raise RefusedError(f"{wanted!r} is no Python version")
        find = ("python", "find", "--no-project", "--system", wanted)
        try:
            return self(*find).strip()
        except RefusedError:
            self("python", "install", "--no-bin", wanted)
        found = self(*find).strip()
        self._run([found, "-I", "-m", "compileall", "-q", self._run([found, "-I", "-c", _LIBRARY], "").strip()], "")
        return found

    def about(self, interpreter: str) -> list[str]:
        """Implementation, version, build, platform and C library of an interpreter; all that binaries depend on."""
        return [str(part) for part in json.loads(self._run([interpreter, "-I", "-c", _ABOUT], ""))]

    def _run(self, argv: list[str], text: str) -> str:
        try:
            done = subprocess.run(argv, input=text, capture_output=True, text=True, env=self._env, check=False)
        except OSError as error:
            raise OutageError(f"{argv[0]}: {error.strerror}") from error
        if done.returncode != 0:
            words = done.stderr.strip() or f"{' '.join(argv[:3])} ended with code {done.returncode}"
            raise (OutageError if done.returncode < 0 or _OUTAGE.search(words) else RefusedError)(words)
        return done.stdout


_LIBRARY = "import sysconfig; print(sysconfig.get_path('stdlib'))"
