"""What git_sync is told by its environment."""

from pathlib import Path
from typing import Annotated

from fastflow_events.service.settings import Settings
from fastflow_events.types import RepositoryName
from msgspec import Meta


class GitSyncSettings(Settings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One repository may be named here, more in a file, others over the API; without any, it waits for one."""

    git_url: str = ""
    """https://, http://, ssh://, file://, user@host:path or an absolute path; never with a password. Empty: none."""
    git_branch: str = "main"
    git_subfolder: str = ""
    """Folder of the repository that holds the pipelines; empty is its root."""
    git_name: RepositoryName = "main"
    """What the repository is called in facts."""
    git_token_file: Path | None = None
    """File with a password or token for HTTP(S); read anew for every fetch."""
    git_ssh_key_file: Path | None = None
    git_known_hosts_file: Path | None = None
    """Host keys that are trusted over SSH; without it only what the system trusts."""
    repositories_file: Path | None = None
    """More repositories, as a JSON or TOML list."""
    git_secrets_dir: Path | None = None
    """Folder of the files that repositories configured over the API may name."""
    git_allow_private: bool = False
    """Repositories configured over the API may be at private addresses."""
    git_allow_files: bool = False
    """Repositories configured over the API may be folders of this machine."""
    git_any_commit: bool = False
    """Runs may name commits of every branch, and not only those that the watched branch holds or held."""
    git_allow_redirects: bool = False
    """A host may send us to another address."""
    git_max_bytes: Annotated[int, Meta(ge=1_000_000)] = 10_000_000_000
    """One fetch that brings more is broken off."""
    git_timeout_s: Annotated[float, Meta(gt=0)] = 300.0
    """For one fetch; a connection that is silent for a minute ends earlier."""
    poll_every_s: Annotated[float, Meta(ge=0)] = 30.0
    """0 fetches at the start and when somebody asks."""
