"""The address of a repository: what may be fetched from, and how it is shown; pure."""

import re
from typing import Literal, TypeAlias
from urllib.parse import SplitResult, urlsplit, urlunsplit

from fastflow_events.errors import ContractError
from msgspec import Struct

Protocol: TypeAlias = Literal["file", "http", "https", "ssh"]
_SCP = re.compile(r"([A-Za-z0-9_][A-Za-z0-9._-]*)@([A-Za-z0-9][A-Za-z0-9.-]*):(?!/?/)([^\s]+)")
_PORTS: dict[Protocol, int] = {"http": 80, "https": 443, "ssh": 22}
_ALLOWED = "https://, http://, ssh://, file://, user@host:path or the absolute path of a folder"
_BRANCH_FORBIDDEN = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|\.lock(/|\Z)|/\.|^\.|^[-/]|[/.]\Z")


class InvalidRemoteError(ContractError):
    """The address, the branch or the sub-folder of a repository cannot be."""

    code = "invalid-remote"


class Remote(Struct, frozen=True, kw_only=True):
    """Where a repository is."""

    url: str
    """For Git; never holds a password."""
    protocol: Protocol
    host: str = ""
    """With the port, where there is one."""
    name: str = ""
    """The host alone."""
    port: int = 0
    """The one that is used; 0 for files."""
    path: str = ""
    user: str = ""

    @property
    def shown(self) -> str:
        """For people: without the user."""
        return self.url if self.protocol == "ssh" else self.url.replace(f"//{self.user}@", "//", 1)


def remote(url: str) -> Remote:
    """Read an address.

    Raises:
        InvalidRemoteError: it is none we fetch from, or it holds a password.
    """
    if any(not c.isprintable() for c in url) or url.startswith("-"):
        raise InvalidRemoteError(f"the url is no address of a repository; allowed are {_ALLOWED}")
    if url.startswith("/"):
        return Remote(url=f"file://{url}", protocol="file", path=url)
    if match := _SCP.fullmatch(url):
        host = match[2]
        return Remote(url=url, protocol="ssh", host=host, name=host, port=_PORTS["ssh"], path=match[3], user=match[1])
    try:
        parts = urlsplit(url)
    except ValueError as exc:
        raise InvalidRemoteError(f"the url is no address of a repository; allowed are {_ALLOWED}") from exc
    if parts.password is not None:
        raise InvalidRemoteError("the url holds a password; a token is given beside the url, never in it")
    match parts.scheme:
        case "file" if parts.netloc in ("", "localhost") and parts.path.startswith("/"):
            return Remote(url=url, protocol="file", path=parts.path)
        case ("http" | "https" | "ssh") as protocol if parts.hostname and not parts.hostname.startswith("-"):
            host = parts.netloc.rpartition("@")[2]
            clean = urlunsplit((parts.scheme, parts.netloc, parts.path, parts.query, ""))
            return Remote(
                url=clean,
                protocol=protocol,
                host=host,
                name=parts.hostname,
                port=_port(parts) or _PORTS[protocol],
                path=parts.path,
                user=parts.username or "",
            )
        case _:
            raise InvalidRemoteError(f"the url is no address of a repository; allowed are {_ALLOWED}")


def _port(parts: SplitResult) -> int | None:
    try:
        return parts.port
    except ValueError as exc:
        raise InvalidRemoteError("the url has a port that is no port") from exc


def same_place(one: Remote, other: Remote) -> bool:
    """True when both mean the same repository of a host, whichever protocol they use."""
    return (one.name.lower(), _repository(one)) == (other.name.lower(), _repository(other))


def _repository(remote: Remote) -> str:
    return remote.path.strip("/").removesuffix(".git").lower()


def check_branch(branch: str) -> str:
    """Return the name of a branch.

    Raises:
        InvalidRemoteError: Git has no such names.
    """
    if not branch or _BRANCH_FORBIDDEN.search(branch) or branch == "@":
        raise InvalidRemoteError("the branch has no name a branch may have")
    return branch


def check_subfolder(subfolder: str) -> str:
    """Return the folder inside the repository, without slashes around it; empty is the root.

    Raises:
        InvalidRemoteError: it leads out of the repository.
    """
    bare = subfolder.strip("/")
    if bare and any(part in ("", ".", "..") or part.lower() == ".git" for part in bare.split("/")):
        raise InvalidRemoteError("the subfolder has to be a folder inside the repository, as in team/pipelines")
    return bare
