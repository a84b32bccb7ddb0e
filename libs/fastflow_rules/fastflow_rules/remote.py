"""The address of a repository: what may be fetched from, and how it is shown; pure."""

import re
from typing import Literal, TypeAlias
from urllib.parse import SplitResult, quote, unquote, urlsplit

from fastflow_events.errors import ContractError
from msgspec import Struct

from fastflow_rules import remote_faults as faults
from fastflow_rules.hosts import NoHostError, bracketed, canonical

Protocol: TypeAlias = Literal["file", "http", "https", "ssh"]
_SCP = re.compile(r"([A-Za-z0-9_][A-Za-z0-9._-]*)@([A-Za-z0-9][A-Za-z0-9.-]*):(?!/?/)([^\s]+)")
_SSH_USER = re.compile(r"(?:[A-Za-z0-9_][A-Za-z0-9._+-]*)?")
_USER = re.compile(r"//[^/@]*@")
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
    """As it stands in `url`: with the port, where it is not the usual one."""
    name: str = ""
    """The host alone, in the form that everybody looks up."""
    port: int = 0
    """The one that is used; 0 for files."""
    path: str = ""
    user: str = ""

    @property
    def shown(self) -> str:
        """For people: without the user."""
        return self.url if self.protocol == "ssh" else _USER.sub("//", self.url, count=1)

    @property
    def addresses(self) -> list[str]:
        """What a credential may be bound to and still be used here: the repository, what it lies in, the host.

        `https://git.example:443/team/reports`, `https://git.example:443/team`, `https://git.example:443`; for a folder
        of this machine there are none.
        """
        if self.protocol == "file":
            return []
        origin = f"{self.protocol}://{bracketed(self.name)}:{self.port}"
        steps = [step for step in self.path.strip("/").removesuffix(".git").split("/") if step]
        return ["/".join((origin, *steps[:n])) for n in range(len(steps), -1, -1)]


def remote(url: str) -> Remote:
    """Read an address; what Git is given has one meaning for everybody.

    Raises:
        InvalidRemoteError: it is none we fetch from, or it holds a password.
    """
    if any(not c.isprintable() for c in url) or url.startswith("-"):
        raise InvalidRemoteError(faults.NoAddress(_ALLOWED))
    if url.startswith("/"):
        return Remote(url=f"file://{url}", protocol="file", path=url)
    if match := _SCP.fullmatch(url):
        user, host, path = match[1], _host(match[2]), _path(match[3])
        return Remote(
            url=f"{user}@{host}:{path}", protocol="ssh", host=host, name=host, port=_PORTS["ssh"], path=path, user=user
        )
    try:
        parts = urlsplit(url)
    except ValueError as exc:
        raise InvalidRemoteError(faults.NoAddress(_ALLOWED)) from exc
    if parts.password is not None:
        raise InvalidRemoteError(faults.PasswordInUrl())
    match parts.scheme:
        case "file" if parts.netloc in ("", "localhost") and parts.path.startswith("/"):
            return Remote(url=url, protocol="file", path=parts.path)
        case ("http" | "https" | "ssh") as protocol if parts.hostname:
            return _of_host(protocol, parts)
        case _:
            raise InvalidRemoteError(faults.NoAddress(_ALLOWED))


def _of_host(protocol: Protocol, parts: SplitResult) -> Remote:
    if parts.query:
        raise InvalidRemoteError(faults.QueryInUrl())
    name, port, path = _host(parts.hostname or ""), _port(parts) or _PORTS[protocol], _path(parts.path)
    host = bracketed(name) if port == _PORTS[protocol] else f"{bracketed(name)}:{port}"
    user = unquote(parts.username or "")
    if protocol == "ssh" and not _SSH_USER.fullmatch(user):
        raise InvalidRemoteError(faults.UserInUrl())
    before = f"{quote(user, safe='')}@" if user else ""
    url = f"{protocol}://{before}{host}{path}"
    return Remote(url=url, protocol=protocol, host=host, name=name, port=port, path=path, user=user)


def _host(text: str) -> str:
    try:
        return canonical(text)
    except NoHostError as exc:
        raise InvalidRemoteError(exc.statement) from exc


def _path(path: str) -> str:
    """The path as it is, when it leads down only: whoever reads `..` would end elsewhere."""
    if {".", ".."}.intersection(re.split(r"[/\\]", unquote(path))):
        raise InvalidRemoteError(faults.DotsInPath())
    return path


def _port(parts: SplitResult) -> int | None:
    try:
        return parts.port
    except ValueError as exc:
        raise InvalidRemoteError(faults.NoPort()) from exc


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
        raise InvalidRemoteError(faults.NoBranchName())
    return branch


def check_subfolder(subfolder: str) -> str:
    """Return the folder inside the repository, without slashes around it; empty is the root.

    Raises:
        InvalidRemoteError: it leads out of the repository.
    """
    bare = subfolder.strip("/")
    if bare and any(part in ("", ".", "..") or part.lower() == ".git" for part in bare.split("/")):
        raise InvalidRemoteError(faults.NoSubfolder())
    return bare
