"""Links to the pages of Git hosts: right for each kind, none where nobody knows, and never with who may fetch."""

import pytest
from fastflow_gateway.core.git_hosts import commit_url, folder_url, repository_url
from hypothesis import given
from hypothesis import strategies as st

COMMIT = "c" * 40
GITHUB = "https://github.com/team/jobs"
LAB = "https://gitlab.example/team/sub/jobs"
TEA = "https://gitea.example:3000/team/jobs"
CLOUD = "https://bitbucket.org/team/jobs"
CENTER = "https://bitbucket.example/projects/TEAM/repos/jobs"


@pytest.mark.parametrize(
    ("address", "page", "commit", "folder"),
    [
        (f"{GITHUB}.git", GITHUB, f"/commit/{COMMIT}", f"/tree/{COMMIT}/jobs/a%20b"),
        ("git@github.com:team/jobs.git", GITHUB, f"/commit/{COMMIT}", f"/tree/{COMMIT}/jobs/a%20b"),
        ("ssh://git@ssh.github.com:443/team/jobs.git", GITHUB, f"/commit/{COMMIT}", f"/tree/{COMMIT}/jobs/a%20b"),
        (f"{LAB}.git", LAB, f"/-/commit/{COMMIT}", f"/-/tree/{COMMIT}/jobs/a%20b"),
        ("ssh://git@gitlab.example:2222/team/sub/jobs", LAB, f"/-/commit/{COMMIT}", f"/-/tree/{COMMIT}/jobs/a%20b"),
        (f"{TEA}.git", TEA, f"/commit/{COMMIT}", f"/src/commit/{COMMIT}/jobs/a%20b"),
        (
            "git@codeberg.org:team/jobs",
            "https://codeberg.org/team/jobs",
            f"/commit/{COMMIT}",
            f"/src/commit/{COMMIT}/jobs/a%20b",
        ),
        ("git@bitbucket.org:team/jobs.git", CLOUD, f"/commits/{COMMIT}", f"/src/{COMMIT}/jobs/a%20b"),
        (
            "https://bitbucket.example/scm/TEAM/jobs.git",
            CENTER,
            f"/commits/{COMMIT}",
            f"/browse/jobs/a%20b?at={COMMIT}",
        ),
        (
            "ssh://git@bitbucket.example:7999/~ann/jobs.git",
            "https://bitbucket.example/users/ann/repos/jobs",
            f"/commits/{COMMIT}",
            f"/browse/jobs/a%20b?at={COMMIT}",
        ),
    ],
)
def test_each_kind_of_host_has_its_own_pages(address: str, page: str, commit: str, folder: str) -> None:
    assert repository_url(address) == page
    assert commit_url(address, COMMIT) == page + commit
    assert folder_url(address, COMMIT, "jobs", "a b") == page + folder
    assert folder_url(address, COMMIT, "", "") == (page + folder).replace("/jobs/a%20b", "")


@pytest.mark.parametrize(
    "address",
    ["", "file:///srv/github", "/srv/x", "https://git.example/a/b", "https://github.com/a", "https://a:b@c/d/e"],
)
def test_an_address_whose_pages_nobody_knows_has_no_link(address: str) -> None:
    assert (repository_url(address), commit_url(address, COMMIT), folder_url(address, COMMIT, "x")) == (None,) * 3


def test_without_a_commit_there_is_no_page_of_it() -> None:
    assert commit_url(GITHUB, None) is None


@given(user=st.from_regex(r"[a-z0-9][a-z0-9._]{6,20}x", fullmatch=True), folder=st.text(max_size=20))
def test_a_link_never_says_who_fetches_and_never_leaves_the_repository(user: str, folder: str) -> None:
    for host in ("github.com", "gitlab.example", "gitea.example", "bitbucket.org", "stash.example"):
        for address in (f"https://{user}@{host}/team/jobs", f"ssh://{user}@{host}/team/jobs"):
            page = repository_url(address)
            assert page is not None
            assert user not in page
            assert (folder_url(address, COMMIT, folder.encode("utf-8", "replace").decode()) or "").startswith(page)
