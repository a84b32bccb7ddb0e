"""One nkey per user of the bus: seeds in files of their own, public keys and rights in one for the server."""

import os
import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import nkeys

from fastflow_events.errors import ContractError
from fastflow_events.nats import topology
from fastflow_events.nats.accounts import DEFAULT_RUNNER, SERVICES, render
from fastflow_events.service.installation import id_of

PUBLIC_FILE = "accounts.conf"
_SEED = ".nk"
RUNNER_NAME = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}"


def make_keys(
    folder: Path, *, runners: Iterable[str] = (), pools: Sequence[str] = (topology.DEFAULT_POOL,)
) -> Mapping[str, str]:
    """Make the keys that are missing and write the accounts of all users; return their public keys. Safe to repeat.

    The installation's id is made with them. Runners whose seeds are there stay; without any there is `runner-1`. Seeds
    are readable by their owner only.

    Raises:
        ContractError: no runner can be called so.
    """
    wanted = [*runners]
    for name in wanted:
        if name in SERVICES or not re.fullmatch(RUNNER_NAME, name):
            raise ContractError("no runner can be called so", name=name[:80])
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    there = sorted(path.name.removesuffix(_SEED) for path in folder.glob(f"*{_SEED}"))
    named = dict.fromkeys([*SERVICES, *(name for name in there if re.fullmatch(RUNNER_NAME, name)), *wanted])
    if len(named) == len(SERVICES):
        named[DEFAULT_RUNNER] = None
    public = {}
    for user in named:
        seed_file = seed_path(folder, user)
        if not seed_file.exists():
            _write_private(seed_file, nkeys.encode_seed(secrets.token_bytes(32), nkeys.PREFIX_BYTE_USER))
        public[user] = nkeys.from_seed(bytearray(seed_file.read_bytes().strip())).public_key.decode()
    partial = folder / f"{PUBLIC_FILE}.part"
    partial.write_text(render(public, pools=pools))
    partial.rename(folder / PUBLIC_FILE)
    id_of(folder)
    return public


def seed_path(folder: Path, user: str) -> Path:
    """The file that holds a user's seed."""
    return folder / f"{user}{_SEED}"


def _write_private(path: Path, content: bytes) -> None:
    """Write a new file that only its owner may read, complete or not at all."""
    partial = path.with_suffix(".part")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    partial.rename(path)
