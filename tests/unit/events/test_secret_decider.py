"""Versions of a secret count up for ever, and the key that was published last is the one in use."""

import pytest
from fastflow_events.aggregates.keyring.commands import PublishKey
from fastflow_events.aggregates.keyring.decider import Keyring, keyring_decider
from fastflow_events.aggregates.keyring.events import KeyPublished
from fastflow_events.aggregates.secret.commands import RemoveSecret, SecretCommand, SetSecret
from fastflow_events.aggregates.secret.decider import VersionTakenError, secret_decider
from fastflow_events.aggregates.secret.events import SecretRemoved, SecretSet
from fastflow_events.errors import NotFoundError
from fastflow_events.fact import Fact

REMOVED = SecretRemoved(who="ann")


def was_set(version: int, sealed: str = "s") -> SecretSet:
    return SecretSet(version=version, sealed=sealed, who="ann")


def set_to(version: int, sealed: str = "s") -> SetSecret:
    return SetSecret(version=version, sealed=sealed, who="ann")


def when(command: SecretCommand, given: list[Fact]) -> list[Fact]:
    return secret_decider.decide(command, secret_decider.fold(given))


def test_versions_count_up_over_removals() -> None:
    assert when(set_to(1), []) == [was_set(1)]
    assert when(set_to(2, "t"), [was_set(1)]) == [was_set(2, "t")]
    assert when(set_to(3), [was_set(1), was_set(2), REMOVED]) == [was_set(3)]


@pytest.mark.parametrize("version", [0, 1, 2, 4])
def test_a_value_sealed_for_another_version_is_refused(version: int) -> None:
    with pytest.raises(VersionTakenError):
        when(set_to(version, "mine"), [was_set(1), was_set(2)])


def test_saying_the_same_twice_is_saying_it_once() -> None:
    assert when(set_to(1), [was_set(1)]) == []
    assert when(RemoveSecret(who="ann"), [was_set(1), REMOVED]) == []
    with pytest.raises(VersionTakenError):
        when(set_to(1), [was_set(1), REMOVED])


def test_what_never_was_cannot_be_removed() -> None:
    assert when(RemoveSecret(who="ann"), [was_set(1)]) == [REMOVED]
    with pytest.raises(NotFoundError):
        when(RemoveSecret(who="ann"), [])


def test_a_key_is_published_once_and_the_older_ones_stay_known() -> None:
    first, second = (KeyPublished(key_id=id, public_key=f"{id}=", runner="r1") for id in "ab")
    command = PublishKey(key_id="b", public_key="b=", runner="r1")
    assert keyring_decider.decide(command, keyring_decider.fold([first])) == [second]
    assert keyring_decider.decide(command, keyring_decider.fold([first, second])) == []
    assert keyring_decider.fold([first, second]) == Keyring(current="b", keys={"a": "a=", "b": "b="})
    assert keyring_decider.decide(command, keyring_decider.fold([second, first])) == [second]
