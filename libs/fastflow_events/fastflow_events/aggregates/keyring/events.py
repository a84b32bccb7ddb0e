"""The facts of the keyring; its id is always `main`."""

from fastflow_events.fact import Fact, wire

KEYRING = "main"


@wire("keyring.key_published.v1", scope="runner")
class KeyPublished(Fact, frozen=True, kw_only=True):
    """Whoever seals a value takes this key from now on; what older keys sealed stays readable for who holds them."""

    key_id: str
    public_key: str
    """32 bytes, base64."""
    runner: str
