"""One nkey per user of the bus: the seed in a file of its own, the public keys in one configuration file."""

import os
import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path

import nkeys

from fastflow_events.accounts import DEFAULT_RUNNER, users, variables

PUBLIC_FILE = "public.conf"


def make_keys(folder: Path, *, runners: Iterable[str] = (DEFAULT_RUNNER,)) -> Mapping[str, str]:
    """Make the keys that are missing; return every user's public key. Safe to repeat.

    Seeds are readable by their owner only.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    public = {}
    for user in users(runners):
        seed_file = seed_path(folder, user)
        if not seed_file.exists():
            _write_private(seed_file, nkeys.encode_seed(secrets.token_bytes(32), nkeys.PREFIX_BYTE_USER))
        public[user] = nkeys.from_seed(bytearray(seed_file.read_bytes().strip())).public_key.decode()
    (folder / PUBLIC_FILE).write_text(variables(public))
    return public


def seed_path(folder: Path, user: str) -> Path:
    """The file that holds a user's seed."""
    return folder / f"{user}.nk"


def _write_private(path: Path, content: bytes) -> None:
    """Write a new file that only its owner may read, complete or not at all."""
    partial = path.with_suffix(".part")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    partial.rename(path)
