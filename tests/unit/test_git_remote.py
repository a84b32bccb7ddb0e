"""Addresses, branches and Git's complaints are read the way people mean them."""

from pathlib import Path

import pytest
from fastflow_events.errors import SettingsError
from fastflow_git_sync.credentials import environment, options
from fastflow_git_sync.reasons import reason, scrub
from fastflow_git_sync.remote import check_branch, check_subfolder, remote
from fastflow_git_sync.settings import GitSyncSettings


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
    with pytest.raises(SettingsError):
        remote(url)


def test_a_password_in_the_address_is_refused_without_repeating_it() -> None:
    with pytest.raises(SettingsError) as refused:
        remote("https://ann:s3cret@git.example/p")
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize("branch", ["", "-x", "a..b", "a b", "a~1", "/a", "a/", "a.lock", "@", "a@{1}", "a\\b", "a\n"])
def test_a_branch_name_git_does_not_know_is_refused(branch: str) -> None:
    with pytest.raises(SettingsError):
        check_branch(branch)


def test_ordinary_branches_and_folders_are_taken() -> None:
    assert check_branch("release/2026-q1") == "release/2026-q1"
    assert check_subfolder("/team/pipelines/") == "team/pipelines"
    assert check_subfolder("") == ""


@pytest.mark.parametrize("subfolder", ["..", "a/../b", "a//b", ".git", "./a"])
def test_a_subfolder_outside_is_refused(subfolder: str) -> None:
    with pytest.raises(SettingsError):
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
        ("warning: a\nfatal: something new with https://ann:pw@x/", "Git failed: fatal: something new"),
        ("", "without a word"),
    ],
)
def test_a_complaint_becomes_one_sentence(stderr: str, expected: str) -> None:
    sentence = reason(stderr, url="https://x/", branch="main")
    assert expected in sentence
    assert "pw" not in sentence
    assert "\n" not in sentence


def test_secrets_are_struck_out() -> None:
    assert scrub("token abc at https://u:p@h/x", ["abc"]) == "token *** at https://***@h/x"


def test_no_secret_and_no_stranger_reaches_git(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("s3cret")
    settings = GitSyncSettings(git_url="https://git.example/p", git_token_file=token)
    env = environment(settings, remote(settings.git_url), tmp_path)
    assert "s3cret" not in str(env)
    assert env["GIT_ALLOW_PROTOCOL"] == "https"
    assert "protocol.ext.allow=never" in options()
    assert "FASTFLOW_ASKPASS_FILE" not in environment(settings, remote("/srv/p"), tmp_path)
