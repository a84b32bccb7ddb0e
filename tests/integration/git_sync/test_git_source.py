"""Git repositories over files, HTTP and SSH are read without a work tree, and nothing of theirs is executed."""

import asyncio
import io
import os
import socket
import tarfile
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
import zstandard
from fastflow_events.testing.stored_files import stored_files
from fastflow_git_sync.adapters.git import GitSource, open_source
from fastflow_git_sync.core.repositories import of_environment
from fastflow_git_sync.ports import CommitMissingError, GitError, TooLargeError
from fastflow_git_sync.settings import GitSyncSettings
from fastflow_git_sync.testing.http_server import http_host
from fastflow_git_sync.testing.repository import Repository
from fastflow_git_sync.testing.ssh_server import find_sshd, ssh_host
from fastflow_rules.folder import MAX_FILES

HELLO = {"hello/main.py": "print('hello')\n"}


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "origin")


def opened(tmp_path: Path, url: str, **more: object) -> AbstractAsyncContextManager[GitSource]:
    settings = GitSyncSettings(git_url=url, home=tmp_path / "home", **more)  # type: ignore[arg-type]
    [(name, watched)] = of_environment(settings, None).items()
    return open_source(settings, name, watched.configured, watched.access)


async def names(source: GitSource) -> list[str]:
    head = await source.fetch(None)
    return [folder.name for folder in await source.folders(head.commit)]


def unpack(bundle: bytes) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(zstandard.ZstdDecompressor().stream_reader(bundle).read())) as tar:
        return {member.name: member for member in tar.getmembers()}


async def test_folders_are_listed_by_name_whatever_their_letters(tmp_path: Path, repository: Repository) -> None:
    folders = ["Büro Köln", "a.b", "hello", "with space", ".hidden"]
    commit = repository.commit({f"{folder}/main.py": "" for folder in folders} | {"main.py": "", "README.md": ""})
    async with opened(tmp_path, repository.url) as source:
        assert (await source.fetch(None)).commit == commit
        assert await names(source) == sorted(set(folders) - {".hidden"})


async def test_a_subfolder_is_looked_in_and_a_missing_one_is_said(tmp_path: Path, repository: Repository) -> None:
    repository.commit({"team/pipelines/hello/main.py": "", "other/main.py": ""})
    async with opened(tmp_path, repository.url, git_subfolder="team/pipelines") as source:
        assert await names(source) == ["hello"]
    async with opened(tmp_path, repository.url, git_subfolder="teams") as source:
        with pytest.raises(GitError, match='no folder "teams"'):
            await names(source)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda r: None, "is empty"),
        (lambda r: (r.commit(HELLO), r.git("branch", "-m", "other")), 'has no branch "main"'),
        (lambda r: r.path.rename(r.path.with_name("gone")), "there is no repository"),
    ],
)
async def test_what_cannot_be_fetched_is_said_in_one_sentence(
    tmp_path: Path, repository: Repository, make: object, words: str
) -> None:
    make(repository)  # type: ignore[operator]
    async with opened(tmp_path, repository.url) as source:
        with pytest.raises(GitError, match=words):
            await source.fetch(None)


async def test_a_rewritten_history_is_noticed_and_the_old_head_is_kept(tmp_path: Path, repository: Repository) -> None:
    first = repository.commit(HELLO)
    old = repository.commit({"hello/main.py": "print('old')"})
    async with opened(tmp_path, repository.url) as source:
        assert not (await source.fetch(first)).rewritten
        repository.git("reset", "--hard", first)
        new = repository.commit({"hello/main.py": "print('new')"})
        assert (await source.fetch(old)).rewritten
        repository.git("reflog", "expire", "--expire=now", "--all")
        repository.git("gc", "--prune=now", "--quiet")
        await source.require(old)
        [folder] = await source.folders(old)
        [entry] = await source.look(lambda copy: copy.entries(folder.tree))
        assert (await source.look(lambda copy: copy.read([entry])))["main.py"] == b"print('old')"
        assert not (await source.fetch(new)).rewritten


async def test_a_commit_of_another_branch_is_fetched_where_any_may_run(tmp_path: Path, repository: Repository) -> None:
    repository.commit(HELLO)
    async with opened(tmp_path, repository.url, git_any_commit=True) as source:
        await source.fetch(None)
        repository.git("checkout", "--quiet", "-b", "feature/x")
        commit = repository.commit({"hello/main.py": "print('feature')"})
        await source.require(commit)
        assert [folder.name for folder in await source.folders(commit)] == ["hello"]


async def test_a_commit_that_the_watched_branch_does_not_hold_is_not_given_out(
    tmp_path: Path, repository: Repository
) -> None:
    first = repository.commit(HELLO)
    async with opened(tmp_path, repository.url) as source:
        await source.fetch(None)
        repository.git("checkout", "--quiet", "-b", "feature/x")
        commit = repository.commit({"hello/main.py": "print('not looked at by anybody')"})
        repository.git("tag", "v1")
        for _ in range(2):
            with pytest.raises(
                CommitMissingError, match=f'the watched branch "main" does not hold the commit {commit}'
            ):
                await source.require(commit)
            assert await source.branch("feature/x") == commit, "a plan of it may be asked for all the same"
        await source.require(first)
        repository.git("checkout", "--quiet", "main")
        repository.git("merge", "--quiet", "feature/x")
        await source.require(commit)


async def test_a_commit_that_is_on_no_branch_is_not_given_out(tmp_path: Path, repository: Repository) -> None:
    repository.commit(HELLO)
    foreign = repository.git("commit-tree", "HEAD^{tree}", "-m", "from a fork")
    repository.git("update-ref", "refs/pull/1/head", foreign)
    repository.git("config", "uploadpack.allowAnySHA1InWant", "true")
    async with opened(tmp_path, repository.url) as source:
        await source.fetch(None)
        for commit in (foreign, "f" * 40):
            with pytest.raises(CommitMissingError):
                await source.require(commit)


async def test_many_questions_for_commits_that_nobody_has_cost_two_fetches(
    tmp_path: Path, repository: Repository
) -> None:
    repository.commit(HELLO)
    (tmp_path / "token").write_text("pw")
    with http_host(tmp_path, user="x-access-token", password="pw") as host:
        url, access = f"{host.url}origin/.git", {"git_token_file": tmp_path / "token", "git_allow_private": True}
        async with opened(tmp_path, url, **access) as source:
            await source.fetch(None)
            host.seen.clear()
            asked = [source.require(f"{number:040x}") for number in range(1, 20)]
            found = await asyncio.gather(*asked, source.branch(f"{99:040x}"), return_exceptions=True)
            assert all(isinstance(error, CommitMissingError) for error in found), found
            fetches = [line for line in host.seen if "info/refs" in line and "Basic" in line]
            assert 1 <= len(fetches) <= 2, host.seen
            await source.require(repository.commit({"hello/main.py": "print('later')"}))  # asked later: fetched again


async def test_the_same_tree_makes_the_same_bundle(tmp_path: Path, repository: Repository) -> None:
    files: dict[str, str | bytes] = {**HELLO, "hello/data/ä b.txt": b"\x00\xff", "hello/run.sh": "#!/bin/sh\n"}
    repository.commit(files, {"hello/data/link": "../main.py"})
    repository.path.joinpath("hello/run.sh").chmod(0o755)
    repository.git("commit", "--quiet", "-a", "-m", "Make it executable")
    bundles = []
    for home in ("one", "two"):
        async with opened(tmp_path / home, repository.url) as source:
            head = await source.fetch(None)
            [folder] = await source.folders(head.commit)
            assert folder.tree == repository.tree("hello")
            async with source.archive(folder.tree) as file:
                file.seek(0)
                bundles.append(file.read())
    assert bundles[0] == bundles[1]
    members = unpack(bundles[0])
    assert list(members) == ["data", "data/link", "data/ä b.txt", "main.py", "run.sh"]
    assert members["run.sh"].mode == 0o755
    assert members["main.py"].mode == 0o644
    assert members["data/link"].linkname == "../main.py"
    assert {member.mtime for member in members.values()} == {0}


async def test_attributes_filters_and_hooks_of_the_repository_do_nothing(
    tmp_path: Path, repository: Repository
) -> None:
    mark = tmp_path / "executed"
    repository.commit({**HELLO, "hello/x.txt": "$Id$", "hello/.gitattributes": "* export-ignore filter=evil ident\n"})
    hook = repository.path / ".git/hooks/post-checkout"
    hook.write_text(f"#!/bin/sh\ntouch {mark}\n")
    hook.chmod(0o755)
    repository.git("config", "filter.evil.smudge", f"touch {mark}")
    async with opened(tmp_path, repository.url) as source:
        head = await source.fetch(None)
        [folder] = await source.folders(head.commit)
        entries = await source.look(lambda copy: copy.entries(folder.tree))
        assert (await source.look(lambda copy: copy.read(entries)))["x.txt"] == b"$Id$"
    assert not mark.exists()


async def test_a_bomb_is_refused_at_once(tmp_path: Path, repository: Repository) -> None:
    tree = repository.make_tree(f"100644 blob {repository.make_blob(b'x' * 1000)}\tf\n")
    for _ in range(10):
        tree = repository.make_tree("".join(f"040000 tree {tree}\td{n}\n" for n in range(10)))
    main = repository.make_blob(b"")
    bomb = repository.make_tree(f"100644 blob {main}\tmain.py\n040000 tree {tree}\td\n")
    repository.commit_tree(repository.make_tree(f"040000 tree {bomb}\tbomb\n"))
    async with opened(tmp_path, repository.url) as source:
        head = await source.fetch(None)
        [folder] = await source.folders(head.commit)
        with pytest.raises(TooLargeError, match=str(MAX_FILES)):
            await source.look(lambda copy: copy.entries(folder.tree))


async def test_a_locked_and_a_damaged_copy_heal(tmp_path: Path, repository: Repository) -> None:
    repository.commit(HELLO)
    async with opened(tmp_path, repository.url) as source:
        await source.fetch(None)
    [copy] = (tmp_path / "home/git_sync/main").glob("copy-*.git")
    (copy / "refs/fastflow/head/main.lock").touch()
    repository.commit({"second/main.py": ""})
    async with opened(tmp_path, repository.url) as source:
        assert await names(source) == ["hello", "second"]
    for file in copy.rglob("objects/**/*"):
        if file.is_file():
            file.chmod(0o600)
            file.write_bytes(b"")
    repository.commit({"third/main.py": ""})
    async with opened(tmp_path, repository.url) as source:
        assert await names(source) == ["hello", "second", "third"]


async def test_a_server_that_never_answers_ends_in_a_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/p.git"
        async with opened(tmp_path, url, git_timeout_s=1) as source:
            with pytest.raises(GitError, match="not done after 1 seconds"):
                await source.fetch(None)


async def test_over_http_the_token_comes_from_its_file_and_is_stored_nowhere(
    tmp_path: Path, repository: Repository
) -> None:
    repository.commit(HELLO)
    token = tmp_path / "token"
    token.write_text("wrong-t0ken\n")
    with http_host(tmp_path, user="x-access-token", password="s3cret-t0ken") as host:
        async with opened(tmp_path, f"{host.url}origin/.git", git_token_file=token) as source:
            with pytest.raises(GitError, match="refuses these credentials") as refused:
                await source.fetch(None)
            assert "t0ken" not in str(refused.value)
            token.write_text("s3cret-t0ken\n")
            assert await names(source) == ["hello"]
            with pytest.raises(GitError):
                async with opened(tmp_path / "b", f"{host.url}missing.git", git_token_file=token) as other:
                    await other.fetch(None)
    assert any("Basic" in line for line in host.seen)
    stored = b"".join(content for _, content in stored_files(tmp_path / "home"))
    assert b"t0ken" not in stored


async def test_over_ssh_the_key_and_the_host_key_come_from_files(tmp_path: Path, repository: Repository) -> None:
    sshd = find_sshd()
    if sshd is None:
        if os.environ.get("CI") or os.environ.get("FASTFLOW_TEST_STRICT"):
            pytest.fail("sshd is not installed")
        pytest.skip("sshd is not installed: apt-get install openssh-server")
    repository.commit(HELLO)
    with ssh_host(tmp_path / "ssh", sshd) as host:
        url = f"{host.url}{repository.path}"
        trusted = {"git_known_hosts_file": host.known_hosts_file}
        async with opened(tmp_path / "a", url, git_ssh_key_file=host.key_file, **trusted) as source:
            assert await names(source) == ["hello"]
        async with opened(tmp_path / "b", url, git_ssh_key_file=host.stranger_key_file, **trusted) as source:
            with pytest.raises(GitError, match="refuses the SSH key"):
                await source.fetch(None)
        nobody = tmp_path / "nobody"
        nobody.touch()
        async with opened(tmp_path / "c", url, git_ssh_key_file=host.key_file, git_known_hosts_file=nobody) as source:
            with pytest.raises(GitError, match="host key"):
                await source.fetch(None)
