"""Messages of Git hosts are believed when the sender knows a secret, and understood as each host writes them."""

import hmac
import json
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlencode

import pytest
from fastflow_events.errors import InfrastructureError
from fastflow_gateway.adapters.secret_files import hook_secrets
from fastflow_gateway.core.errors import InvalidBodyError
from fastflow_gateway.core.push_hooks import Host, Push, delivery_of, is_genuine, read_push, secrets_in

OLD, NEW = "0123456789abcdef-old", "0123456789abcdef-nöw"
BODY = json.dumps(
    {
        "ref": "refs/heads/main",
        "repository": {"clone_url": "https://git.example/t/p.git", "ssh_url": "git@git.example:t/p"},
    }
).encode()
PUSHED = Push(urls=("https://git.example/t/p.git", "git@git.example:t/p"), branch="main")


def signed(secret: str, body: bytes = BODY) -> str:
    return hmac.new(secret.encode(), body, sha256).hexdigest()


@pytest.mark.parametrize(
    ("host", "header"),
    [("github", "x-hub-signature-256"), ("gitea", "x-gitea-signature"), ("gitea", "x-forgejo-signature")],
)
def test_a_signature_with_any_of_the_secrets_is_believed(host: Host, header: str) -> None:
    prefix = "sha256=" if host == "github" else ""
    for secret in (OLD, NEW):
        assert is_genuine(host, {header: prefix + signed(secret)}, BODY, [OLD, NEW])
    assert not is_genuine(host, {header: prefix + signed("other")}, BODY, [OLD, NEW])
    assert not is_genuine(host, {header: prefix + signed(OLD)}, BODY + b" ", [OLD, NEW])
    assert not is_genuine(host, {header: prefix + signed(OLD)}, BODY, [])
    assert not is_genuine(host, {header: "ünsinn"}, BODY, [OLD])
    assert not is_genuine(host, {}, BODY, [OLD, NEW])


def test_gitlab_shows_the_secret_itself() -> None:
    assert is_genuine("gitlab", {"x-gitlab-token": NEW}, BODY, [OLD, NEW])
    assert not is_genuine("gitlab", {"x-gitlab-token": "no"}, BODY, [OLD, NEW])
    assert not is_genuine("gitlab", {"x-gitlab-token": ""}, BODY, [""])


def test_one_secret_per_line_is_read() -> None:
    assert secrets_in(f"# for github\n{OLD}\n\n  {NEW}  \n") == [OLD, NEW]


def test_a_delivery_cannot_be_renumbered_where_only_the_body_is_signed() -> None:
    first = delivery_of("github", {"x-github-delivery": "1"}, BODY)
    assert delivery_of("github", {"x-github-delivery": "2"}, BODY) == first
    assert delivery_of("github", {}, BODY + b" ") != first
    numbered = delivery_of("gitlab", {"x-gitlab-event-uuid": "1"}, BODY)
    assert delivery_of("gitlab", {"x-gitlab-event-uuid": "2"}, BODY) != numbered


def test_a_push_is_read_as_each_host_writes_it() -> None:
    assert read_push("github", {"x-github-event": "push"}, BODY) == PUSHED
    assert read_push("gitea", {"x-gitea-event": "push"}, BODY) == PUSHED
    gitlab = {
        "object_kind": "push",
        "ref": "refs/heads/a/b",
        "project": {"git_http_url": "https://git.example/t/p.git"},
    }
    found = read_push("gitlab", {"x-gitlab-event": "Push Hook"}, json.dumps(gitlab).encode())
    assert found == Push(urls=("https://git.example/t/p.git",), branch="a/b")
    form = urlencode({"payload": BODY.decode()}).encode()
    headers = {"x-github-event": "push", "content-type": "application/x-www-form-urlencoded"}
    assert read_push("github", headers, form) == PUSHED


def test_what_is_no_push_of_a_branch_is_nothing() -> None:
    assert read_push("github", {"x-github-event": "ping"}, b"{}") is None
    assert read_push("gitlab", {"x-gitlab-event": "System Hook"}, b'{"object_kind": "tag_push"}') is None
    tag = BODY.replace(b"refs/heads/main", b"refs/tags/v1")
    push = read_push("github", {"x-github-event": "push"}, tag)
    assert push is not None
    assert push.branch == ""


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"ref": 1, "repository": {}}', b"[" * 9000, b"\xff"])
def test_what_cannot_be_read_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidBodyError):
        read_push("github", {"x-github-event": "push"}, body)


def test_secrets_come_from_a_file_that_is_read_anew_and_have_to_be_long(tmp_path: Path) -> None:
    assert hook_secrets(None) == []
    file = tmp_path / "secrets"
    with pytest.raises(InfrastructureError):
        hook_secrets(file)
    file.write_text(f"{OLD}\n")
    assert hook_secrets(file) == [OLD]
    file.write_text(f"{OLD}\nshort\n")
    with pytest.raises(InfrastructureError) as refused:
        hook_secrets(file)
    assert "short" not in str(refused.value)
