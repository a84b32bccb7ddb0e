"""A host has one form, the one that curl, ssh and resolvers look up; what a credential is bound to follows from it."""

import pytest
from fastflow_git_sync.core.access import Access, may_go_to
from fastflow_git_sync.core.credentials import options, ssh
from fastflow_rules.hosts import NoHostError, canonical
from fastflow_rules.remote import InvalidRemoteError, remote
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("typed", "looked_up"),
    [
        ("https://bücher.example/p", "https://xn--bcher-kva.example/p"),
        ("https://BÜCHER.example/p", "https://xn--bcher-kva.example/p"),
        ("https://bücher。example./p", "https://xn--bcher-kva.example/p"),
        ("https://Git.Example./p", "https://git.example/p"),
        ("https://git.example:443/p", "https://git.example/p"),
        ("https://git.example:8443/p", "https://git.example:8443/p"),
        ("https://１９２.0.2.1/p", "https://192.0.2.1/p"),
        ("https://[2001:DB8:0::1]:8443/p", "https://[2001:db8::1]:8443/p"),
        ("https://me@x.example@git.example/p", "https://me%40x.example@git.example/p"),
        ("https://good\\@evil.example/p", "https://good%5C@evil.example/p"),
        ("ssh://git@Git.Example:22/p", "ssh://git@git.example/p"),
        ("git@Git.Example:team/p", "git@git.example:team/p"),
    ],
)
def test_git_is_given_the_host_as_it_is_looked_up(typed: str, looked_up: str) -> None:
    place = remote(typed)
    assert place.url == looked_up
    assert place.host in looked_up
    assert remote(place.url) == place


@pytest.mark.parametrize(
    "host",
    [
        "2130706433",
        "0x7f000001",
        "127.1",
        "0177.0.0.1",
        "127.0.0.1.5",
        "0x7f.0.0.0x1",
        "git%2Eexample",
        "git%2eexample%00",
        "straße.example",
        "a\u200db.example",
        "git..example",
        ".",
        "[fe80::1%25eth0]",
        "[::1%eth0]",
        "-x.example",
        "☃" * 80 + ".example",
    ],
)
def test_a_host_that_is_not_read_alike_by_everybody_is_refused_with_a_sentence(host: str) -> None:
    with pytest.raises(InvalidRemoteError):
        remote(f"https://{host}/p")


@given(st.text(max_size=40))
def test_every_host_has_one_form_or_none(text: str) -> None:
    try:
        once = canonical(text)
    except NoHostError:
        return
    assert once.isascii()
    assert once == once.lower()
    assert canonical(once) == once


@pytest.mark.parametrize(
    "url",
    [
        "https://git.example/team/../other",
        "https://git.example/team/%2e%2E/other",
        "https://git.example/team/..%2fother",
        "https://git.example/./p",
        "https://git.example/p?x=1",
        "git@git.example:team/../other",
        "ssh://x%2Fy@git.example/p",
    ],
)
def test_an_address_that_ends_elsewhere_than_it_says_is_refused(url: str) -> None:
    with pytest.raises(InvalidRemoteError):
        remote(url)


def test_a_name_is_pinned_as_it_is_looked_up_and_an_address_needs_no_pin() -> None:
    assert "http.curloptResolve=xn--bcher-kva.example:443:1.1.1.1" in options(
        Access(), remote("https://Bücher.example./p"), ["1.1.1.1"]
    )
    for url in ("https://[2001:db8::1]/p", "https://192.0.2.1/p"):
        assert not any("curloptResolve" in word for word in options(Access(), remote(url), ["192.0.2.1"]))


def test_a_credential_is_bound_to_protocol_host_port_and_path() -> None:
    assert remote("https://ann@Git.Example/team/reports.git").addresses == [
        "https://git.example:443/team/reports",
        "https://git.example:443/team",
        "https://git.example:443",
    ]
    assert remote("git@git.example:team/p").addresses == remote("ssh://git.example:22/team/p.git/").addresses
    assert remote("file:///srv/p").addresses == []


@pytest.mark.parametrize(
    ("listed", "url", "allowed"),
    [
        ("https://git.example/team", "https://git.example/team/p", True),
        ("https://git.example/team", "https://git.example/team", True),
        ("# ours\n\nhttps://git.example # all of it", "https://git.example:443/x/y", True),
        ("https://git.example/team", "https://git.example/teams/p", False),
        ("https://git.example/team", "https://git.example/", False),
        ("https://git.example", "http://git.example/p", False),
        ("https://git.example", "https://git.example:8443/p", False),
        ("https://git.example", "https://git.example.evil.example/p", False),
        ("https://git.example", "ssh://git@git.example/p", False),
        ("ssh://git.example/team", "git@git.example:team/p", True),
        ("", "https://git.example/p", False),
        ("nonsense\next::x", "https://git.example/p", False),
        ("/srv", "/srv/p", False),
    ],
)
def test_a_file_of_secrets_goes_where_its_list_says_and_nowhere_else(listed: str, url: str, allowed: bool) -> None:
    assert may_go_to(listed, remote(url)) is allowed


def test_a_stranger_is_offered_no_key_of_this_machine_and_its_owner_is() -> None:
    place = remote("git@git.example:p")
    assert "-o IdentityFile=none -o IdentitiesOnly=yes -o IdentityAgent=none" in ssh(Access(), place)
    assert "Identit" not in ssh(Access(trusted=True), place)
