"""What may be asked of the keyring."""

from msgspec import Struct


class PublishKey(Struct, frozen=True, kw_only=True):
    """Let others seal for this key."""

    key_id: str
    public_key: str
    runner: str


KeyringCommand = PublishKey
