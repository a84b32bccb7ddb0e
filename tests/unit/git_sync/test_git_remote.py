"""Addresses, branches and Git's complaints are read the way people mean them."""

from pathlib import Path

import pytest
from fastflow_git_sync.core.access import Access, is_private, why_not
from fastflow_git_sync.core.credentials import environment, options, ssh
from fastflow_git_sync.core.reasons import reason, scrub
from fastflow_rules.remote import InvalidRemoteError, check_branch, check_subfolder, remote, same_place


@pytest.mark.parametrize(
    ("url", "protocol", "shown"),
    [
        ("https://git.example/team/p.git", "https", "https://git.example/team/p.git"),
        ("https://ann@git.example:8443/p", "https", "https://git.example:8443/p"),
        ("ssh://git@git.example:2222/p", "ssh", "ssh://git@git.example:2222/p"),
        ("git@git.example:team/p.git", "ssh", "git@git.example:team/p.git"),
        ("file:///srv/p.git", "file", "file:///srv/p.git"),
        ("/srv/p.git", "file", "file:///srv/p.git"),
    ],
)
def test_an_address_is_read(url: str, protocol: str, shown: str) -> None:
    found = remote(url)
    assert (found.protocol, found.shown) == (protocol, shown)


@pytest.mark.parametrize(
    "url",
    [
        "ext::sh -c id",
        "--upload-pack=id",
        "-oProxyCommand=id",
        "ssh://-oProxyCommand=id/x",
        "git://git.example/p",
        "p.git",
        "https://",
        "https:///p",
        "file://other/p",
        "git@-oProxyCommand=id:p",
        "https://git.example/p\nx",
        "",
    ],
)
def test_an_address_that_could_do_something_else_is_refused(url: str) -> None:
    with pytest.raises(InvalidRemoteError):
        remote(url)


def test_a_password_in_the_address_is_refused_without_repeating_it() -> None:
    with pytest.raises(InvalidRemoteError) as refused:
        remote("https://ann:s3cret@git.example/p")
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize("branch", ["", "-x", "a..b", "a b", "a~1", "/a", "a/", "a.lock", "@", "a@{1}", "a\\b", "a\n"])
def test_a_branch_name_git_does_not_know_is_refused(branch: str) -> None:
    with pytest.raises(InvalidRemoteError):
        check_branch(branch)


def test_ordinary_branches_and_folders_are_taken() -> None:
    assert check_branch("release/2026-q1") == "release/2026-q1"
    assert check_subfolder("/team/pipelines/") == "team/pipelines"
    assert check_subfolder("") == ""


@pytest.mark.parametrize("subfolder", ["..", "a/../b", "a//b", ".git", "./a"])
def test_a_subfolder_outside_is_refused(subfolder: str) -> None:
    with pytest.raises(InvalidRemoteError):
        check_subfolder(subfolder)


@pytest.mark.parametrize(
    ("stderr", "expected"),
    [
        ("fatal: couldn't find remote ref refs/heads/main", 'has no branch "main"'),
        ("fatal: Authentication failed for 'https://x/'", "refuses these credentials"),
        ("fatal: could not read Username for 'https://x': terminal prompts disabled", "refuses these credentials"),
        ("Host key verification failed.\nfatal: Could not read from remote repository.", "host key"),
        ("git@x: Permission denied (publickey).\nfatal: Could not read from remote repository.", "SSH key"),
        ("fatal: unable to access 'https://x/': Could not resolve host: x", "is not known"),
        ("fatal: unable to access: Failed to connect to x port 1: Connection refused", "nothing answers"),
        ("fatal: repository 'https://x/' not found", "there is no repository"),
        ("fatal: unable to access 'https://x/': The requested URL returned error: 403", "refuses these credentials"),
        ("No ED25519 host key is known for [x]:40399 and you have asked.\nHost key verification failed.", "host key"),
        ("ssh: connect to host x port 4403: Connection refused", "nothing answers"),
        ("fatal: unable to access 'https://x/ssl/timed out/': Could not resolve host: x", "is not known"),
        (
            "fatal: unable to access 'https://x/': server certificate verification failed. CAfile: /x",
            "the certificate of",
        ),
        ("fatal: 'ssl' does not appear to be a git repository", "there is no repository"),
        ("fatal: something new with https://x/403/ssl.git", "Git failed: fatal: something new"),
        ("warning: a\nfatal: something new with https://ann:pw@x/", "Git failed: fatal: something new"),
        ("", "without a word"),
    ],
)
def test_a_complaint_becomes_one_sentence(stderr: str, expected: str) -> None:
    sentence = str(reason(stderr, url="https://x/", branch="main"))
    assert expected in sentence
    assert "pw" not in sentence
    assert "\n" not in sentence


def test_secrets_are_struck_out() -> None:
    assert scrub("token abc at https://u:p@h/x", ["abc"]) == "token *** at https://***@h/x"


def test_no_secret_and_no_stranger_reaches_git(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("s3cret")
    access, place = Access(token_file=token), remote("https://git.example/p")
    env = environment(access, place, tmp_path)
    assert "s3cret" not in str(env)
    assert env["GIT_ALLOW_PROTOCOL"] == "https"
    assert "protocol.ext.allow=never" in options(access, place)
    assert "FASTFLOW_ASKPASS_FILE" not in environment(access, remote("/srv/p"), tmp_path)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "::1",
        "fe80::1%eth0",
        "fd00::1",
        "::ffff:10.0.0.1",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::",
    ],
)
def test_a_private_address_is_known_however_it_is_written(address: str) -> None:
    assert is_private(address)
    refusal = why_not(remote("https://git.example/p"), Access(), ["1.1.1.1", address])
    assert refusal == "git.example is at a private address; that needs FASTFLOW_GIT_ALLOW_PRIVATE"
    assert why_not(remote("https://git.example/p"), Access(private=True), [address]) is None
    assert why_not(remote("https://git.example/p"), Access(trusted=True), [address]) is None


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700:4700::1111", "64:ff9b::101:101"])
def test_a_public_address_is_allowed(address: str) -> None:
    assert not is_private(address)
    assert why_not(remote("ssh://git@git.example/p"), Access(), [address]) is None


def test_a_folder_of_this_machine_has_to_be_allowed() -> None:
    assert "FASTFLOW_GIT_ALLOW_FILES" in (why_not(remote("/srv/p"), Access(private=True), []) or "")
    assert why_not(remote("/srv/p"), Access(files=True), []) is None


def test_git_connects_to_the_address_that_was_looked_at_and_to_no_other() -> None:
    place = remote("https://git.example:8443/p")
    assert "http.curloptResolve=git.example:8443:1.1.1.1,2.2.2.2" in options(Access(), place, ["1.1.1.1", "2.2.2.2"])
    command = ssh(Access(), remote("ssh://git@git.example:2222/p"), ["1.1.1.1"])
    assert "-o HostName=1.1.1.1 -o 'HostKeyAlias=[git.example]:2222'" in command
    assert "HostKeyAlias=git.example" in ssh(Access(), remote("git@git.example:p"), ["1.1.1.1"])


def test_redirects_are_followed_only_when_allowed() -> None:
    place = remote("https://git.example/p")
    assert "http.followRedirects=false" in options(Access(), place)
    assert "http.followRedirects=initial" in options(Access(redirects=True, trusted=True), place)
    assert "http.followRedirects=initial" in options(Access(redirects=True, private=True), place)
    assert "http.followRedirects=false" in options(Access(redirects=True), place)  # it could lead to a private address


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://git.example/Team/p.git", "git@git.example:team/p", True),
        ("ssh://git@git.example:2222/team/p/", "https://git.example/team/p.git", True),
        ("https://git.example/team/p", "https://git.example/team/q", False),
        ("https://git.example/team/p", "https://evil.example/team/p", False),
    ],
)
def test_two_addresses_of_one_repository_are_recognised(one: str, other: str, same: bool) -> None:
    assert same_place(remote(one), remote(other)) is same
