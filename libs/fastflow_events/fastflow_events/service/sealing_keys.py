"""The runners' private keys: a file of one line per key, readable by its owner only, the newest last.

All runners that share it can open the same values. Older keys stay, because facts and Git hold what they sealed.
"""

import base64
import os
import secrets
from contextlib import suppress
from pathlib import Path

from fastflow_events import sealing
from fastflow_events.errors import SettingsError

FILE_NAME = "sealing.keys"
_KIND = "x25519"
_HEAD = "# Private keys that open sealed values; the last one is in use. Keep a copy in a safe place.\n"


def read_keys(path: Path) -> dict[str, bytes]:
    """Return every private key by its id, in the order of the file.

    Raises:
        SettingsError: there is no such file, others may read it, or it holds something else.
    """
    try:
        mode, text = path.stat().st_mode, path.read_text()
    except (OSError, UnicodeDecodeError) as exc:
        raise SettingsError(f"the sealing keys in {path} cannot be read: {type(exc).__name__}") from None
    if mode & 0o077:
        raise SettingsError(f"others than its owner may read {path}; chmod 600 {path}")
    keys = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        private_key = _key_in(line)
        if private_key is None:
            raise SettingsError(f"line {number} of {path} is no key")
        keys[sealing.key_id(sealing.public_key_of(private_key))] = private_key
    if not keys:
        raise SettingsError(f"there is no key in {path}")
    return keys


def make_keys_file(path: Path) -> bool:
    """Make the file with one new key unless it is there; True when it was made. Safe side by side."""
    if path.exists():
        return False
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = _written(path, _HEAD + _line_of(sealing.new_private_key()))
    try:
        with suppress(FileExistsError):
            # Whoever links first decides; the others read what it made.
            path.hardlink_to(temporary)
            return True
        return False
    finally:
        temporary.unlink()


def add_key(path: Path) -> str:
    """Append a new key, which is in use from the runners' next start on; returns its id.

    Raises:
        SettingsError: the file cannot be used.
    """
    read_keys(path)
    private_key = sealing.new_private_key()
    text = path.read_text()
    _written(path, text + ("" if text.endswith("\n") else "\n") + _line_of(private_key)).replace(path)
    return sealing.key_id(sealing.public_key_of(private_key))


def _key_in(line: str) -> bytes | None:
    kind, _, rest = line.strip().partition(" ")
    try:
        key = base64.b64decode(rest, validate=True)
    except ValueError:
        return None
    return key if kind == _KIND and len(key) == sealing.KEY_BYTES else None


def _line_of(private_key: bytes) -> str:
    return f"{_KIND} {base64.b64encode(private_key).decode()}\n"


def _written(path: Path, text: str) -> Path:
    """A complete file beside `path` that only its owner may read."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return temporary
