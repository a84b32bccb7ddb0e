"""Credentials of package indexes, kept apart from everything that uv expands, follows or hands on.

uv puts variables of its environment in the place of `${NAME}` nearly everywhere: in lines of requirements, in files
they include, in addresses, in what packages say of their own needs. So nothing secret stands in its environment. It
reads credentials from a file of its own, where each is bound to a scheme, host and port that the runner's owner has
named; an index that a pipeline gives the same name has no part in them.
"""

import json
import re
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

_NAMED = re.compile(r"UV_INDEX_(.+)_(USERNAME|PASSWORD)")
_SECRET = ("PASSWORD", "TOKEN", "SECRET")
_INDEXES = ("UV_INDEX", "UV_DEFAULT_INDEX")
_USERINFO = re.compile(r"(?<=://)[^/?#\s]*@")


class Credential(NamedTuple):
    """Who one is at a service."""

    service: str
    """Address that whatever is asked has to begin with."""
    username: str
    password: str


class Apart(NamedTuple):
    """Settings of uv, cut in two."""

    settings: dict[str, str]
    """What may stand in an environment: addresses without what precedes their host."""
    credentials: list[Credential]


def apart(settings: dict[str, str]) -> Apart:
    """The settings, and the credentials that were among them."""
    plain: dict[str, str] = {}
    named: dict[str, dict[str, str]] = {}
    found: list[Credential] = []
    for name, value in settings.items():
        if match := _NAMED.fullmatch(name):
            named.setdefault(match[1], {})[match[2]] = value
        elif not any(word in name for word in _SECRET):
            plain[name] = value
    for name in _INDEXES:
        entries = [_with_named(entry, named, found) for entry in plain.get(name, "").split()]
        if name in plain:
            plain[name] = " ".join(entries)
    keyring = plain.get("UV_KEYRING_PROVIDER", "disabled") != "disabled"
    for name, value in plain.items():
        plain[name] = " ".join(_without(word, found, keyring=keyring) for word in value.split(" "))
    return Apart(plain, found)


def toml(credentials: list[Credential]) -> str:
    """The file that uv reads, one entry for each address: the first that is said of it."""
    services: dict[str, Credential] = {}
    for credential in credentials:
        services.setdefault(credential.service, credential)
    for credential in credentials:
        # An index names files that lie beside it.
        services.setdefault(_origin(credential.service), credential)
    return "".join(
        f'[[credential]]\nservice = {_text(service)}\nscheme = "basic"\n'
        f"username = {_text(credential.username)}\npassword = {_text(credential.password)}\n"
        for service, credential in services.items()
    )


def _with_named(entry: str, named: dict[str, dict[str, str]], found: list[Credential]) -> str:
    """The entry of an index as it may be known; what its name has of credentials is added to those found."""
    name, equals, url = entry.partition("=")
    credential = named.get(re.sub(r"[^A-Z0-9]", "_", name.upper()), {}) if equals and "://" not in name else {}
    if not credential:
        return entry
    address = _USERINFO.sub("", url)
    if "PASSWORD" in credential:
        found.append(Credential(address, credential.get("USERNAME", ""), credential["PASSWORD"]))
        return f"{name}={address}"
    scheme, _, rest = address.partition("://")
    return f"{name}={scheme}://{credential['USERNAME']}@{rest}"  # a keyring is asked for the rest


def _without(word: str, found: list[Credential], *, keyring: bool) -> str:
    match = _USERINFO.search(word)
    # A keyring has the passwords of users; without one, a token may stand where a user would.
    if match is None or (keyring and ":" not in match[0]):
        return word
    username, _, password = match[0][:-1].partition(":")
    address = word[: match.start()] + word[match.end() :]
    name, equals, url = address.partition("=")
    service = url if equals and "://" not in name else address
    found.append(Credential(service, unquote(username), unquote(password)))
    return address


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
