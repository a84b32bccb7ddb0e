"""Calls of uv: its errors in its own words, cut by what can be done about them."""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from typing import Any

from fastflow_runner.entry.credentials import apart, toml

_OUTAGE = re.compile(
    r"error sending request|dns error|connection (refused|reset|closed)|timed out|operation timed out"
    r"|status (code|server error) .?5\d\d|no space left",
    re.IGNORECASE,
)
_STATUS = re.compile(r"HTTP error 5\d\d|connection broken|max retries exceeded", re.IGNORECASE)
_PYTHON = re.compile(r"[A-Za-z0-9][A-Za-z0-9.@+-]{0,49}|[<>=!~][<>=!~0-9.,* ]{0,49}")
_PREFERENCES = {
    "only-system": ("only-system",),
    "only-managed": ("only-managed",),
    "managed": ("only-managed", "only-system"),
    "system": ("only-system", "only-managed"),
}
"""Where an interpreter is looked for, in this order, for each preference uv knows."""
_UNHEEDED = "during settings discovery"
_RELEASE = re.compile(r"\d+(\.\d+)+")
_ABOUT = """
import json, platform, sys, sysconfig
print(json.dumps([sys.implementation.name, platform.python_version(), *platform.python_build(),
                  sysconfig.get_platform(), *platform.libc_ver(), sysconfig.get_config_var("SOABI")]))
"""


class RefusedError(Exception):
    """The packages or the interpreter cannot be had, however often one asks."""


class NeedsBuildError(Exception):
    """Packages have no wheel and have to be built from their sources first; `args` are why, and what is wanted."""


class NeedsFetchError(Exception):
    """Packages are not in the store."""


class NeedsPythonError(Exception):
    """There is no such interpreter, and none may be installed here."""


class OutageError(Exception):
    """Something that should answer did not; asking again later may help."""


class Uv:
    """One uv binary with its folders and settings; credentials that are among them lie in `home`, a private folder."""

    def __init__(
        self,
        binary: str,
        root: str,
        settings: dict[str, str],
        home: str = "/nowhere",
        *,
        pythons: str = "",
        alone: bool = False,
    ) -> None:
        """`pythons` is where interpreters lie, if not below `root`; `alone` is without a network."""
        self._binary = binary
        self._hidden = hidden(settings)
        settings = apart(settings).settings
        self._preference = settings.get("UV_PYTHON_PREFERENCE", "system")
        self._alone = alone
        self.cache = f"{root}/cache"
        """Folder of all that it keeps."""
        self._env = {
            **os.environ,
            **settings,
            **({"UV_OFFLINE": "1"} if alone else {}),
            "UV_CREDENTIALS_DIR": home,
            "NETRC": f"{home}/netrc",
            "UV_CACHE_DIR": self.cache,
            "UV_PYTHON_INSTALL_DIR": pythons or f"{root}/python",
            "UV_PYTHON_INSTALL_BIN": "0",
            "UV_PYTHON_DOWNLOADS": settings.get("UV_PYTHON_DOWNLOADS", "manual"),
            "UV_LINK_MODE": "hardlink",
            "UV_NO_PROGRESS": "1",
            "UV_NO_CONFIG": "1",
            "NO_COLOR": "1",
        }
        # What the folder itself says, above the file that the runner's owner has named, if any.
        self._heeding = {**self._env, "UV_NO_SYSTEM_CONFIG": "1", "XDG_CONFIG_HOME": home, "XDG_CONFIG_DIRS": home}
        for name in ("UV_NO_CONFIG", "UV_CONFIG_FILE"):
            self._heeding.pop(name, None)
        # A virtual environment of the caller must not be taken for an interpreter.
        for name in ("VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONHOME", "PYTHONPATH"):
            self._env.pop(name, None)
            self._heeding.pop(name, None)

    def __call__(self, *arguments: str, text: str = "", folder: str | None = None, heeding: bool = False) -> str:
        """Standard output of one call, in the folder if one is named; `heeding` what files there say of uv's settings.

        Raises:
            RefusedError: uv says no.
            OutageError: a package index or the disk failed.
        """
        return self._run([self._binary, *arguments], text, folder, self._heeding if heeding else self._env)

    def apart(self, cache: str) -> "Uv":
        """The same, with nothing that was kept before."""
        other = copy(self)
        other.cache = cache
        other._env, other._heeding = ({**env, "UV_CACHE_DIR": cache} for env in (self._env, self._heeding))
        return other

    def check_block(self, block: str) -> None:
        """Nothing, when uv understands the block of a script.

        Raises:
            RefusedError: there is a mistake in its `[tool.uv]`.
        """
        with tempfile.TemporaryDirectory() as folder:
            with open(f"{folder}/main.py", "w", encoding="utf-8") as file:  # noqa: PTH123 - os calls throughout
                file.write(block)
            try:
                self("python", "find", "--script", f"{folder}/main.py", folder=folder)
            except RefusedError as error:
                words = str(error).strip().splitlines()
                if words and "TOML parse error" in str(error):
                    raise RefusedError(f"`[tool.uv]` of the block that names its packages: {words[-1]}") from error

    def version(self) -> str:
        """Such as `0.9.11`."""
        return self("--version").split()[1]

    def interpreter(self, wanted: str, requires: str = "") -> str:
        """Path of a Python that is `wanted` and fits `requires`, installed now only when there is none.

        One that is on the machine or in the volume counts; which of them is looked at first, and whether one may be
        installed at all, is uv's own setting UV_PYTHON_PREFERENCE.
        """
        if not _PYTHON.fullmatch(wanted) or (requires and not _PYTHON.fullmatch(requires)):
            raise RefusedError(f"{f'{wanted} {requires}'.strip()!r} is no Python version")
        # Of both together only uv can tell whether they agree.
        if _RELEASE.fullmatch(wanted):
            both = f"{_range(wanted)},{requires}" if requires else wanted
        else:
            both = f"{wanted},{requires}" if requires and not wanted[0].isalnum() else wanted
        places = _PREFERENCES.get(self._preference, _PREFERENCES["system"])
        if not both[0].isalnum():
            ours = "=={}.{}.*".format(*sys.version_info)  # the one that is there already, where any of several will do
            if found := self._find(f"{ours},{both}", places):
                return found
        if found := self._find(both, places):
            return found
        if requires and self._find(wanted, places):
            raise RefusedError(f"the script wants Python {requires}, its pipeline says {wanted}")
        if places == _PREFERENCES["only-system"]:
            raise RefusedError(f"there is no Python {wanted}, and UV_PYTHON_PREFERENCE=only-system installs none")
        if self._alone:
            raise NeedsPythonError(f"there is no Python {wanted}")
        self("python", "install", "--no-bin", wanted)
        found = self._find(both, ("only-managed",))
        if found is None:
            raise RefusedError(f"Python {wanted} was installed, and does not fit {both}")
        library = self._run([found, *_BARE, "-c", _LIBRARY]).strip()
        self.compile(found, library, library)
        return found

    def compile(self, interpreter: str, folder: str, known_as: str) -> None:
        """Byte code for what lies in `folder`, as if that were `known_as`; nothing in it is executed.

        The interpreter is one that no package was installed into: of another one, `site` would execute what lies
        beside the packages. Byte code saves time and no more, so a file that cannot be compiled goes without.
        """
        command = [interpreter, *_BARE, "-m", "compileall", "-qq", "-j", "0", "-d", known_as, folder]
        try:
            subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, env=self._env, cwd="/", check=False)
        except OSError as error:
            raise OutageError(f"{interpreter}: {error.strerror}") from error

    def _find(self, wanted: str, places: tuple[str, ...]) -> str | None:
        for place in places:
            try:
                found = self("python", "find", "--no-project", "--system", "--python-preference", place, wanted)
            except RefusedError:
                continue
            return found.strip()
        return None

    def about(self, interpreter: str) -> list[str]:
        """Implementation, version, build, platform and C library of an interpreter; all that binaries depend on."""
        return [str(part) for part in json.loads(self._run([interpreter, *_BARE, "-c", _ABOUT]))]

    def _run(
        self, argv: list[str], text: str = "", folder: str | None = None, env: dict[str, str] | None = None
    ) -> str:
        env = self._env if env is None else env
        try:
            done = subprocess.run(argv, input=text, capture_output=True, text=True, env=env, cwd=folder, check=False)
        except OSError as error:
            raise OutageError(f"{argv[0]}: {error.strerror}") from error
        if done.returncode != 0:
            words = scrubbed(done.stderr.strip(), self._hidden)
            words = words or f"{' '.join(argv[:3])} ended with code {done.returncode}"
            raise (OutageError if done.returncode < 0 or is_outage(words) else RefusedError)(words)
        if env == self._heeding and _UNHEEDED in done.stderr:
            # uv would go on without them, to other places than those that were named.
            raise RefusedError(scrubbed(done.stderr.strip(), self._hidden))
        return done.stdout


@contextmanager
def uv_of(order: dict[str, Any]) -> Iterator[Uv]:
    """The uv of an order; the credentials it was given lie in a folder of its own while the block runs."""
    with tempfile.TemporaryDirectory() as home:
        _write(f"{home}/credentials.toml", toml(apart(order["env"]).credentials))
        _write(f"{home}/netrc", "")
        if file := order["env"].get("UV_CONFIG_FILE"):
            os.mkdir(f"{home}/uv")  # noqa: PTH102 - os calls throughout
            os.symlink(file, f"{home}/uv/uv.toml")  # noqa: PTH211
        pythons, alone = order.get("pythons", ""), order.get("alone", False)
        yield Uv(order["uv"], order["root"], order["env"], home, pythons=pythons, alone=alone)


def is_outage(words: str) -> bool:
    """True when they say that something did not answer."""
    return bool(_OUTAGE.search(words) or _STATUS.search(words))


def _write(path: str, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)


_LIBRARY = "import sysconfig; print(sysconfig.get_path('stdlib'))"
_BARE = ("-I", "-S", "-B")
"""No variables, no folder that one is in, no `site`: only the standard library is imported, and nothing is left."""
_FULL = 2
"""Dots in a whole version."""


def _range(release: str) -> str:
    return f"=={release}{'.*' if release.count('.') < _FULL else ''}"


_USERINFO = re.compile(r"(?<=://)[^/@\s]+@")


def hidden(settings: dict[str, str]) -> list[str]:
    """What of the settings must not be said: passwords, tokens, and what stands before the host of an address."""
    found = {value for name, value in settings.items() if any(word in name for word in ("PASSWORD", "TOKEN", "SECRET"))}
    for value in settings.values():
        for userinfo in _USERINFO.findall(value):
            found.update((userinfo.rstrip("@"), userinfo.rstrip("@").partition(":")[2]))
    return sorted((value for value in found if value), key=len, reverse=True)


def scrubbed(words: str, secrets: list[str]) -> str:
    """The words without any of the secrets, and without what stands before the host of an address."""
    for secret in secrets:
        words = words.replace(secret, "****")
    return _USERINFO.sub("****@", words)
