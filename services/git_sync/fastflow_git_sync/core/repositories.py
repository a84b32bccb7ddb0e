"""The repositories the environment names: one by its own variables, more in a file; pure."""

import tomllib
from collections.abc import Mapping
from pathlib import Path

import msgspec
from fastflow_events import subjects
from fastflow_events.aggregates.repository.events import RepositoryConfigured
from fastflow_events.errors import ContractError, SettingsError
from fastflow_events.types import RepositoryName
from fastflow_rules.remote import check_branch, check_subfolder, remote
from msgspec import Struct

from fastflow_git_sync.core.access import Access, Watched
from fastflow_git_sync.settings import GitSyncSettings


class _Entry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One repository of the file."""

    name: RepositoryName
    url: str
    branch: str = "main"
    subfolder: str = ""
    token_file: Path | None = None
    ssh_key_file: Path | None = None
    known_hosts_file: Path | None = None
    any_commit: bool | None = None
    """None is what `FASTFLOW_GIT_ANY_COMMIT` says."""


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    """The file when it is a table and no bare list, as TOML needs it."""

    repositories: list[_Entry]


def of_environment(settings: GitSyncSettings, content: bytes | None) -> Mapping[str, Watched]:
    """Return every repository the environment names, by its name; `content` is that of `repositories_file`.

    Raises:
        SettingsError: one of them cannot be, or two have the same name.
    """
    entries = _listed(settings.repositories_file, content)
    if settings.git_url:
        own = _Entry(
            name=settings.git_name,
            url=settings.git_url,
            branch=settings.git_branch,
            subfolder=settings.git_subfolder,
            token_file=settings.git_token_file,
            ssh_key_file=settings.git_ssh_key_file,
            known_hosts_file=settings.git_known_hosts_file,
        )
        entries = [own, *entries]
    found: dict[str, Watched] = {}
    for entry in entries:
        if entry.name in found:
            raise SettingsError(f'two repositories are called "{entry.name}"')
        found[entry.name] = _watched(entry, settings)
    return found


def _listed(path: Path | None, content: bytes | None) -> list[_Entry]:
    if path is None or content is None:
        return []
    try:
        if path.suffix == ".toml":
            plain: object = tomllib.loads(content.decode())
        else:
            plain = msgspec.json.decode(content)
        if isinstance(plain, list):
            return msgspec.convert(plain, list[_Entry], dec_hook=_construct)
        return msgspec.convert(plain, _File, dec_hook=_construct).repositories
    except (msgspec.MsgspecError, tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise SettingsError(f"the file FASTFLOW_REPOSITORIES_FILE names cannot be used: {exc}") from exc


def _watched(entry: _Entry, settings: GitSyncSettings) -> Watched:
    try:
        subjects.encode(entry.name)
        place = remote(entry.url)
        configured = RepositoryConfigured(
            url=place.shown, branch=check_branch(entry.branch), subfolder=check_subfolder(entry.subfolder)
        )
    except ContractError as exc:
        raise SettingsError(f'the repository "{entry.name}" cannot be: {exc}') from exc
    access = Access(
        user=place.user if place.protocol != "ssh" else "",
        token_file=entry.token_file,
        ssh_key_file=entry.ssh_key_file,
        known_hosts_file=entry.known_hosts_file,
        trusted=True,
        redirects=settings.git_allow_redirects,
        any_commit=settings.git_any_commit if entry.any_commit is None else entry.any_commit,
    )
    return Watched(configured=configured, access=access)


def _construct(type_: type, value: object) -> object:
    if type_ is Path and isinstance(value, str):
        return Path(value)
    raise NotImplementedError(type_)
