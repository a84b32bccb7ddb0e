"""The address of a repository: what may be fetched from, and how it is shown; pure."""

import re
from typing import Literal, TypeAlias
from urllib.parse import urlsplit, urlunsplit

from fastflow_events.errors import SettingsError
from msgspec import Struct

Protocol: TypeAlias = Literal["file", "http", "https", "ssh"]
_SCP = re.compile(r"([A-Za-z0-9_][A-Za-z0-9._-]*)@([A-Za-z0-9][A-Za-z0-9.-]*):(?!/?/)([^\s]+)")
_ALLOWED = "https://, http://, ssh://, file://, user@host:path or the absolute path of a folder"
_BRANCH_FORBIDDEN = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|\.lock(/|$)|/\.|^\.|^[-/]|[/.]$")


class Remote(Struct, frozen=True, kw_only=True):
    """Where a repository is."""

    url: str
    """For Git; never holds a password."""
    protocol: Protocol
    host: str = ""
    """With the port, where there is one."""
    user: str = ""

    @property
    def shown(self) -> str:
        """For people: without the user."""
        return self.url if self.protocol == "ssh" else self.url.replace(f"//{self.user}@", "//", 1)


def remote(url: str) -> Remote:
    """Read an address.

    Raises:
        SettingsError: it is none we fetch from, or it holds a password.
    """
    if any(not c.isprintable() for c in url) or url.startswith("-"):
        raise SettingsError(f"FASTFLOW_GIT_URL is no address of a repository; allowed are {_ALLOWED}")
    if url.startswith("/"):
        return Remote(url=f"file://{url}", protocol="file")
    if match := _SCP.fullmatch(url):
        return Remote(url=url, protocol="ssh", host=match[2], user=match[1])
    parts = urlsplit(url)
    if parts.password is not None:
        raise SettingsError("FASTFLOW_GIT_URL holds a password; put it into the file FASTFLOW_GIT_TOKEN_FILE names")
    match parts.scheme:
        case "file" if parts.netloc in ("", "localhost") and parts.path.startswith("/"):
            return Remote(url=url, protocol="file")
        case ("http" | "https" | "ssh") as protocol if parts.hostname and not parts.hostname.startswith("-"):
            host = parts.netloc.rpartition("@")[2]
            clean = urlunsplit((parts.scheme, parts.netloc, parts.path, parts.query, ""))
            return Remote(url=clean, protocol=protocol, host=host, user=parts.username or "")
        case _:
            raise SettingsError(f"FASTFLOW_GIT_URL is no address of a repository; allowed are {_ALLOWED}")


def check_branch(branch: str) -> str:
    """Return the name of a branch.

    Raises:
        SettingsError: Git has no such names.
    """
    if not branch or _BRANCH_FORBIDDEN.search(branch) or branch == "@":
        raise SettingsError("FASTFLOW_GIT_BRANCH is no name a branch may have")
    return branch


def check_subfolder(subfolder: str) -> str:
    """Return the folder inside the repository, without slashes around it; empty is the root.

    Raises:
        SettingsError: it leads out of the repository.
    """
    bare = subfolder.strip("/")
    if bare and any(part in ("", ".", "..") or part.lower() == ".git" for part in bare.split("/")):
        raise SettingsError("FASTFLOW_GIT_SUBFOLDER has to be a folder inside the repository, as in team/pipelines")
    return bare
