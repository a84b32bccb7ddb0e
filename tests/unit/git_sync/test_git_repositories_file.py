"""The repositories of the environment are read strictly, and a sync that fails is tried again ever more rarely."""

from pathlib import Path

import pytest
from fastflow_events.aggregates.repository.events import RepositoryConfigured
from fastflow_events.errors import SettingsError
from fastflow_git_sync.bell import LAST_RETRY_S, pause_s
from fastflow_git_sync.core.repositories import of_environment
from fastflow_git_sync.settings import GitSyncSettings

JSON, TOML = Path("repositories.json"), Path("repositories.toml")


def settings(file: Path | None = None, **more: str) -> GitSyncSettings:
    return GitSyncSettings(repositories_file=file, **more)  # type: ignore[arg-type]


def test_no_repository_at_all_is_allowed() -> None:
    assert of_environment(settings(), None) == {}


def test_variables_and_a_file_name_repositories_together() -> None:
    content = b'[{"name": "b", "url": "git@git.example:team/b", "subfolder": "/flows/", "ssh_key_file": "/keys/b"}]'
    found = of_environment(settings(JSON, git_url="https://ann@git.example/a", git_name="a"), content)
    assert list(found) == ["a", "b"]
    assert found["a"].configured == RepositoryConfigured(url="https://git.example/a", branch="main")
    assert found["a"].access.user == "ann"
    assert found["b"].configured.subfolder == "flows"
    assert found["b"].access.ssh_key_file == Path("/keys/b")
    assert found["b"].access.trusted


def test_a_toml_file_says_the_same() -> None:
    content = b'[[repositories]]\nname = "b"\nurl = "/srv/b"\nbranch = "next"\n'
    [found] = of_environment(settings(TOML), content).values()
    assert (found.configured.url, found.configured.branch) == ("file:///srv/b", "next")


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        (JSON, b"{", "cannot be used"),
        (TOML, b"=", "cannot be used"),
        (JSON, b'[{"name": "b"}]', "url"),
        (JSON, b'[{"name": "b", "url": "/b", "brunch": "x"}]', "brunch"),
        (JSON, b'[{"name": "", "url": "/b"}]', "name"),
        (JSON, b'[{"name": "b", "url": "ext::sh"}]', 'the repository "b" cannot be: the url is no address'),
        (JSON, b'[{"name": "b", "url": "https://x:pw@h/b"}]', "a token is given beside the url"),
        (JSON, b'[{"name": "b", "url": "/b", "branch": "-x"}]', "branch"),
        (JSON, b'[{"name": "b", "url": "/b"}, {"name": "b", "url": "/c"}]', 'two repositories are called "b"'),
    ],
)
def test_what_cannot_be_is_said_before_the_service_starts(file: Path, content: bytes, words: str) -> None:
    with pytest.raises(SettingsError) as refused:
        of_environment(settings(file), content)
    assert words in str(refused.value)
    assert "pw" not in str(refused.value)


def test_after_each_failure_the_pause_doubles_up_to_a_quarter_of_an_hour() -> None:
    assert [pause_s(n, 0) for n in range(6)] == [None, 5, 10, 20, 40, 80]
    assert [pause_s(n, 30) for n in range(6)] == [30, 30, 30, 30, 40, 80]
    assert pause_s(10_000, 30) == LAST_RETRY_S
    assert pause_s(10_000, 3600) == 3600


@pytest.mark.parametrize("everywhere", [True, False])
def test_which_commits_may_run_is_said_for_all_or_for_one(everywhere: bool) -> None:
    content = b"""[{"name": "a", "url": "/a"}, {"name": "b", "url": "/b", "any_commit": true},
        {"name": "c", "url": "/c", "any_commit": false}]"""
    found = of_environment(GitSyncSettings(git_any_commit=everywhere, repositories_file=JSON), content)
    assert [found[name].access.any_commit for name in "abc"] == [everywhere, True, False]
