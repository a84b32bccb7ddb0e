"""The runners' private keys: a file of one line per key, readable by its owner only, the newest last.

All runners that share it can open the same values. Older keys stay, because facts and Git hold what they sealed.
"""

import base64
from pathlib import Path

from fastflow_events import sealing
from fastflow_events.errors import SettingsError
from fastflow_events.service.private_files import make_once, replace

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
    return make_once(path, _HEAD + _line_of(sealing.new_private_key()))


def add_key(path: Path) -> str:
    """Append a new key, which is in use from the runners' next start on; returns its id.

    Raises:
        SettingsError: the file cannot be used.
    """
    read_keys(path)
    private_key = sealing.new_private_key()
    text = path.read_text()
    replace(path, text + ("" if text.endswith("\n") else "\n") + _line_of(private_key))
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
