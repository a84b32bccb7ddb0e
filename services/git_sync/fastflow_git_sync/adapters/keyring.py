"""What git_sync keeps to itself, under its home: keys for sealed tokens, a deploy key per repository.

```
<home>/git_sync/sealing.keys                    private keys, 0600
<home>/git_sync/<repository>/deploy_key[.pub]   private half 0600
<home>/git_sync/<repository>/deploy_key.for     the address it was made for
<home>/git_sync/<repository>/known_hosts        what the facts say of the host, which is public
<secrets>/<file>                                a token or a private key that repositories of the API may name,
<secrets>/<file>.for                            and the addresses it may be used at, one a line
```
"""

import asyncio
import base64
import shutil
from pathlib import Path

from fastflow_events import sealing, subjects
from fastflow_events.aggregates.repository.events import Credentials, RepositoryConfigured
from fastflow_events.errors import ContractError, SettingsError
from fastflow_events.service.sealing_keys import make_keys_file, read_keys
from fastflow_rules.remote import Remote, remote

from fastflow_git_sync.core import faults
from fastflow_git_sync.core.access import Access, may_go_to
from fastflow_git_sync.ports import GitError
from fastflow_git_sync.settings import GitSyncSettings

KEYS_FILE = "sealing.keys"
DEPLOY_KEY = "deploy_key"
MADE_WITHIN_S = 30.0


class Keyring:
    """`Keys` under a home."""

    def __init__(self, settings: GitSyncSettings) -> None:
        self._settings = settings
        self._home = settings.home / "git_sync"

    def open(self) -> None:
        """Make the key for sealed tokens where there is none.

        Raises:
            SettingsError: the file cannot be used.
        """
        self._home.mkdir(parents=True, exist_ok=True)
        make_keys_file(self._home / KEYS_FILE)
        self.public_key()

    def public_key(self) -> str:
        """What others seal tokens with, base64; the newest key.

        Raises:
            SettingsError: the file cannot be used.
        """
        newest = list(read_keys(self._home / KEYS_FILE).values())[-1]
        return base64.b64encode(sealing.public_key_of(newest)).decode()

    def access(self, name: str, configured: RepositoryConfigured) -> Access:
        """How a repository of the API is reached.

        Raises:
            GitError: a file it names is not there, or something it names is not meant for its address.
        """
        given, settings, place = configured.credentials, self._settings, remote(configured.url)
        folder = self._folder(name)
        known_hosts = folder / "known_hosts" if given.known_hosts else None
        if known_hosts:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            known_hosts.write_text(given.known_hosts.rstrip("\n") + "\n")
        return Access(
            user=given.user or place.user,
            token_file=self._secret_file(given.token_file, place),
            token=self._token(name, given, place),
            ssh_key_file=self._secret_file(given.ssh_key_file, place) or self.deploy_key(name, place),
            known_hosts_file=known_hosts or settings.git_known_hosts_file,
            files=settings.git_allow_files,
            private=settings.git_allow_private,
            redirects=settings.git_allow_redirects,
            any_commit=settings.git_any_commit,
        )

    def deploy_key(self, name: str, place: Remote) -> Path | None:
        """The private key that was made for a repository, if one was.

        Raises:
            GitError: it was made for another address.
        """
        file = self._folder(name) / DEPLOY_KEY
        if place.protocol != "ssh" or not file.is_file():
            return None
        if not may_go_to(_read(_named_beside(file)), place):
            raise GitError(faults.KeyOfAnotherAddress())
        return file

    async def new_deploy_key(self, repository: str, url: str) -> tuple[str, str]:
        """Make a new SSH key in place of the old one."""
        folder = self._folder(repository)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        made, kept = folder / f"{DEPLOY_KEY}.new", folder / DEPLOY_KEY
        for old in (made, made.with_name(f"{made.name}.pub")):
            old.unlink(missing_ok=True)
        comment = f"fastflow-{subjects.encode(repository)}"
        await _ssh_keygen("-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(made))
        public = made.with_name(f"{made.name}.pub").read_text().strip()
        listed = await _ssh_keygen("-l", "-E", "sha256", "-f", str(made))
        made.chmod(0o600)
        meant = _named_beside(kept)
        meant.unlink(missing_ok=True)  # until it is there again no key is used
        made.rename(kept)
        made.with_name(f"{made.name}.pub").rename(folder / f"{DEPLOY_KEY}.pub")
        meant.write_text(f"{url}\n")
        return public, listed.split()[1]

    async def forget(self, repository: str) -> None:
        """Delete everything that is kept of a repository."""
        await asyncio.to_thread(shutil.rmtree, self._folder(repository), ignore_errors=True)

    def _folder(self, name: str) -> Path:
        return self._home / subjects.encode(name)

    def _secret_file(self, name: str, place: Remote) -> Path | None:
        if not name:
            return None
        folder = self._settings.git_secrets_dir
        if folder is None:
            raise GitError(faults.NoSecretsFolder())
        file = folder / name
        if Path(name).name != name or not file.is_file():
            raise GitError(faults.NoSecretFile(name))
        beside = _named_beside(file)
        if not beside.is_file():
            raise GitError(faults.FileUnbound(name, beside.name))
        if not may_go_to(_read(beside), place):
            raise GitError(faults.FileElsewhere(name, place.shown, beside.name))
        return file

    def _token(self, name: str, given: Credentials, place: Remote) -> str:
        """The token, when it was sealed for the address or for something that the address lies in."""
        if not given.sealed_token:
            return ""
        try:
            sealed = sealing.parse(given.sealed_token)
            key = read_keys(self._home / KEYS_FILE).get(sealed.key_id)
        except (ContractError, SettingsError) as exc:
            raise GitError(faults.TokenUnopened(exc.statement)) from exc
        if key is None:
            raise GitError(faults.TokenKeyGone())
        why = sealing.NotOpenedError(faults.NoTokenThere())
        for address in place.addresses:
            try:
                return sealing.unseal(key, sealing.for_repository(name, address), sealed.box)
            except sealing.NotOpenedError as exc:
                why = exc
        raise GitError(faults.TokenElsewhere(place.shown, why.statement)) from why


def _named_beside(file: Path) -> Path:
    return file.with_name(f"{file.name}.for")


def _read(file: Path) -> str:
    try:
        return file.read_text()
    except (OSError, UnicodeDecodeError):
        return ""


async def _ssh_keygen(*arguments: str) -> str:
    try:
        process = await asyncio.create_subprocess_exec(
            "ssh-keygen",
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
    except FileNotFoundError as exc:
        raise GitError(faults.NoSshKeygen()) from exc
    async with asyncio.timeout(MADE_WITHIN_S):
        out, err = await process.communicate()
    if process.returncode:
        raise GitError(faults.NoSshKey(err.decode(errors="replace").strip()[:200]))
    return out.decode()
