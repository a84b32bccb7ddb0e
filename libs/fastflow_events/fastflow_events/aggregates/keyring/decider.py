"""The rules of the keyring: the key that was published last is the one in use."""

from msgspec import Struct

from fastflow_events.aggregates.keyring.commands import KeyringCommand
from fastflow_events.aggregates.keyring.events import KeyPublished
from fastflow_events.decider import Decider
from fastflow_events.fact import Fact


class Keyring(Struct, frozen=True, kw_only=True):
    """Every key ever published."""

    current: str | None = None
    """Id of the key to seal for; None until a runner has started for the first time."""
    keys: dict[str, str] = {}
    """Id to public key."""


def decide(command: KeyringCommand, keyring: Keyring) -> list[Fact]:
    """Return the facts that follow from `command`; an empty list means "already so"."""
    if keyring.current == command.key_id:
        return []
    return [KeyPublished(key_id=command.key_id, public_key=command.public_key, runner=command.runner)]


def evolve(keyring: Keyring, fact: Fact) -> Keyring:
    """Apply one recorded fact. Never refuses: what happened, happened."""
    match fact:
        case KeyPublished():
            return Keyring(current=fact.key_id, keys={**keyring.keys, fact.key_id: fact.public_key})
        case _:
            return keyring


keyring_decider: Decider[KeyringCommand, Keyring] = Decider(
    aggregate="keyring", initial=Keyring(), decide=decide, evolve=evolve
)
