"""Messages of Git hosts: who sent them, whether they came before, and what was pushed; pure.

| host | proof | what makes a message unique |
|---|---|---|
| GitHub | `X-Hub-Signature-256`, HMAC of the body | the body: the delivery's number is not signed |
| Gitea, Forgejo | `X-Gitea-Signature`, `X-Forgejo-Signature`, HMAC of the body | the body |
| GitLab | `X-Gitlab-Token`, the secret itself | `Idempotency-Key` or `X-Gitlab-Event-UUID`, and the body |
"""

import hmac
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, Literal, TypeAlias, get_args
from urllib.parse import parse_qs

import msgspec
from msgspec import Struct

from fastflow_gateway.core.errors import InvalidBodyError
from fastflow_gateway.core.faults import MessageNoObject, MessageNotJson, NoPush

Host: TypeAlias = Literal["github", "gitlab", "gitea"]
HOSTS: tuple[Host, ...] = get_args(Host)
MIN_SECRET = 16
"""Characters; a shorter secret can be guessed."""
_BRANCH = "refs/heads/"
_EVENT = {"github": "x-github-event", "gitlab": "x-gitlab-event", "gitea": "x-gitea-event"}
_PUSH = frozenset({"push", "push hook", "system hook"})
_URLS = ("clone_url", "ssh_url", "html_url", "git_url", "git_http_url", "git_ssh_url", "web_url", "http_url")


class Push(Struct, frozen=True, kw_only=True):
    """Somebody pushed."""

    urls: tuple[str, ...]
    """Every address the host knows the repository by."""
    branch: str
    """Empty for a tag."""


def secrets_in(text: str) -> list[str]:
    """One secret per line; empty lines and those that begin with # are none."""
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def is_genuine(host: Host, headers: Mapping[str, str], body: bytes, secrets: Sequence[str]) -> bool:
    """True when the sender knows one of the secrets; every one is compared, each in constant time."""
    offered = _offered(host, headers)
    found = False
    for secret in secrets:
        expected = secret if host == "gitlab" else hmac.new(secret.encode(), body, sha256).hexdigest()
        found |= hmac.compare_digest(expected.encode(), offered.encode("utf-8", "surrogateescape"))
    return found and bool(offered)


def delivery_of(host: Host, headers: Mapping[str, str], body: bytes) -> str:
    """What is the same when the same message comes again, and cannot be changed by who does not know the secret."""
    number = headers.get("idempotency-key") or headers.get("x-gitlab-event-uuid") or "" if host == "gitlab" else ""
    return sha256(msgspec.json.encode([host, number, sha256(body).hexdigest()])).hexdigest()


def read_push(host: Host, headers: Mapping[str, str], body: bytes) -> Push | None:
    """What was pushed; None when the message is about something else.

    Raises:
        InvalidBodyError: the message is not one of this host's.
    """
    if headers.get(_EVENT[host], "").lower() not in _PUSH:
        return None
    message = _json(headers, body)
    if host == "gitlab" and message.get("object_kind") != "push":
        return None
    place = message.get("project") if host == "gitlab" else message.get("repository")
    ref = message.get("ref")
    if not isinstance(place, dict) or not isinstance(ref, str):
        raise InvalidBodyError(NoPush())
    urls = tuple(url for key in _URLS if isinstance(url := place.get(key), str))
    return Push(urls=urls, branch=ref.removeprefix(_BRANCH) if ref.startswith(_BRANCH) else "")


def _offered(host: Host, headers: Mapping[str, str]) -> str:
    match host:
        case "github":
            return headers.get("x-hub-signature-256", "").removeprefix("sha256=").lower()
        case "gitea":
            return (headers.get("x-forgejo-signature") or headers.get("x-gitea-signature", "")).lower()
        case "gitlab":
            return headers.get("x-gitlab-token", "")


def _json(headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    try:
        if headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            body = parse_qs(body.decode(), strict_parsing=True)["payload"][0].encode()
        message = msgspec.json.decode(body)
    except (msgspec.MsgspecError, ValueError, KeyError, RecursionError) as exc:
        raise InvalidBodyError(MessageNotJson()) from exc
    if not isinstance(message, dict):
        raise InvalidBodyError(MessageNoObject())
    return message
