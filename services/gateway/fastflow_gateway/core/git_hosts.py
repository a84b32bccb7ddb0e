"""Links to the pages of Git hosts: pure, and nothing of who may fetch is in them.

| host | a commit | a folder at a commit |
|---|---|---|
| GitHub | `/commit/ID` | `/tree/ID/PATH` |
| GitLab | `/-/commit/ID` | `/-/tree/ID/PATH` |
| Gitea, Forgejo | `/commit/ID` | `/src/commit/ID/PATH` |
| Bitbucket Cloud | `/commits/ID` | `/src/ID/PATH` |
| Bitbucket Data Center | `/projects/P/repos/R/commits/ID` | `/projects/P/repos/R/browse/PATH?at=ID` |

A host whose name does not say what it is has no links: a wrong one is worse.
"""

from typing import Literal, TypeAlias
from urllib.parse import quote

from fastflow_rules.hosts import bracketed
from fastflow_rules.remote import InvalidRemoteError, Remote, remote

Kind: TypeAlias = Literal["github", "gitlab", "gitea", "bitbucket", "data_center"]
_BY_WORD: dict[str, Kind] = {
    "github": "github",
    "gitlab": "gitlab",
    "gitea": "gitea",
    "forgejo": "gitea",
    "codeberg": "gitea",
    "bitbucket": "data_center",
    "stash": "data_center",
}
_OF_CLOUD = "bitbucket.org"
_OTHER_DOORS = {
    "ssh.github.com": "github.com",
    "altssh.gitlab.com": "gitlab.com",
    "altssh.bitbucket.org": _OF_CLOUD,
}
"""Where SSH answers on port 443."""
_WEB_PORTS = {"http": 80, "https": 443}


def commit_url(url: str, commit: str | None) -> str | None:
    """The page of a commit; None where there is none that is known."""
    base = _base(url)
    if base is None or not commit:
        return None
    kind, web = base
    match kind:
        case "gitlab":
            return f"{web}/-/commit/{commit}"
        case "bitbucket" | "data_center":
            return f"{web}/commits/{commit}"
        case _:
            return f"{web}/commit/{commit}"


def folder_url(url: str, commit: str, *folders: str) -> str | None:
    """The page of a folder at a commit; empty names are passed over. None where there is none that is known."""
    base = _base(url)
    if base is None or not commit:
        return None
    kind, web = base
    path = "".join(f"/{quote(folder.strip('/'))}" for folder in folders if folder.strip("/"))
    match kind:
        case "github":
            return f"{web}/tree/{commit}{path}"
        case "gitlab":
            return f"{web}/-/tree/{commit}{path}"
        case "gitea":
            return f"{web}/src/commit/{commit}{path}"
        case "bitbucket":
            return f"{web}/src/{commit}{path}"
        case "data_center":
            return f"{web}/browse{path}?at={commit}"


def repository_url(url: str) -> str | None:
    """The page of the repository; None where there is none that is known."""
    base = _base(url)
    return base[1] if base is not None else None


def _base(url: str) -> tuple[Kind, str] | None:
    """What the host is, and the page of the repository."""
    try:
        place = remote(url)
    except InvalidRemoteError:
        return None
    name = _OTHER_DOORS.get(place.name, place.name)
    kind = _kind(name)
    steps = [step for step in place.path.strip("/").removesuffix(".git").split("/") if step]
    if place.protocol == "file" or kind is None or len(steps) < 2:
        return None
    origin = _origin(place, name)
    if kind == "data_center":
        project, repository = steps[-2:]
        owner = f"users/{quote(project[1:])}" if project.startswith("~") else f"projects/{quote(project)}"
        return kind, f"{origin}/{owner}/repos/{quote(repository)}"
    return kind, f"{origin}/{'/'.join(quote(step, safe='~%') for step in steps)}"


def _origin(place: Remote, name: str) -> str:
    """Pages are read over HTTPS, unless the address itself says otherwise; the port of SSH is none of theirs."""
    if place.protocol == "ssh":
        return f"https://{bracketed(name)}"
    port = "" if place.port == _WEB_PORTS[place.protocol] else f":{place.port}"
    return f"{place.protocol}://{bracketed(name)}{port}"


def _kind(name: str) -> Kind | None:
    if name == _OF_CLOUD:
        return "bitbucket"
    words = name.lower().split(".")
    return next((kind for word, kind in _BY_WORD.items() if any(word in label for label in words)), None)
