"""A sealed value opens for who holds the key, for the one purpose it was sealed for, and never speaks in errors."""

import base64
import traceback
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from fastflow_events import sealing
from fastflow_events.errors import ContractError, SettingsError
from fastflow_events.sealing import NotOpenedError, for_secret, for_variable, key_id, public_key_of, seal
from fastflow_events.service.sealing_keys import add_key, make_keys_file, read_keys
from fastflow_runner.core.unsealing import Keys, Opened, legacy_key, open_all, open_text
from hypothesis import given
from hypothesis import strategies as st

PRIVATE = bytes(range(32))
PUBLIC = public_key_of(PRIVATE)
KEYS = Keys(private={key_id(PUBLIC): PRIVATE})
PURPOSE = for_variable("daily", "TOKEN")
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=300)


@given(TEXT, TEXT, TEXT)
def test_what_was_sealed_is_opened(pipeline: str, variable: str, value: str) -> None:
    purpose = for_variable(pipeline, variable)
    assert open_text(KEYS, purpose, seal(PUBLIC, purpose, value)) == value


@pytest.mark.parametrize(
    "other", [for_variable("nightly", "TOKEN"), for_variable("daily", "OTHER"), for_secret("TOKEN", 1)]
)
def test_a_text_that_is_copied_to_another_place_is_not_opened(other: sealing.Purpose) -> None:
    with pytest.raises(NotOpenedError, match="sealed for something else"):
        open_text(KEYS, other, seal(PUBLIC, PURPOSE, "hunter22"))


def test_an_older_version_of_a_secret_is_not_opened_as_a_newer_one() -> None:
    with pytest.raises(NotOpenedError, match="sealed for something else"):
        open_text(KEYS, for_secret("A", 2), seal(PUBLIC, for_secret("A", 1), "hunter22"))


def test_each_sealing_is_different_and_hides_the_length() -> None:
    texts = {seal(PUBLIC, PURPOSE, value) for value in ("hunter22", "hunter22", "h")}
    assert len(texts) == 3
    assert len({len(text) for text in texts}) == 1


@pytest.mark.parametrize("at", [5, 26, 40, -1])
def test_a_damaged_text_is_not_opened(at: int) -> None:
    text = seal(PUBLIC, PURPOSE, "hunter22")
    damaged = text[:at] + ("A" if text[at] != "A" else "B") + (text[at + 1 :] if at >= 0 else "")
    with pytest.raises(NotOpenedError):
        open_text(KEYS, PURPOSE, damaged)


@given(st.text(max_size=200))
def test_no_text_at_all_is_anything_but_opened_or_refused(text: str) -> None:
    with pytest.raises(NotOpenedError):
        open_text(KEYS, PURPOSE, text)
    with pytest.raises(NotOpenedError):
        open_text(KEYS, PURPOSE, f"sealed:v1:{key_id(PUBLIC)}:{text}")


def test_a_key_this_runner_does_not_have_is_named() -> None:
    foreign = public_key_of(bytes(32))
    with pytest.raises(NotOpenedError, match=f"the key {key_id(foreign)}, which this runner does not have"):
        open_text(KEYS, PURPOSE, seal(foreign, PURPOSE, "hunter22"))


@pytest.mark.parametrize("value", ["", "a\0b", "x" * 16_385, "\ud800"])
def test_what_no_environment_variable_can_hold_is_not_sealed(value: str) -> None:
    with pytest.raises(ContractError):
        seal(PUBLIC, PURPOSE, value)


def test_tokens_of_older_installations_open_with_their_key_only() -> None:
    old = Fernet.generate_key()
    token = Fernet(old).encrypt(b"hunter22").decode()
    keys = Keys(private=KEYS.private, legacy=legacy_key(f"{old.decode()}\n"))
    assert open_text(keys, PURPOSE, token) == "hunter22"
    with pytest.raises(NotOpenedError, match="was not given its encryption key"):
        open_text(KEYS, PURPOSE, token)
    with pytest.raises(NotOpenedError, match="another encryption key"):
        open_text(Keys(private={}, legacy=Fernet.generate_key()), PURPOSE, token)
    with pytest.raises(NotOpenedError):
        open_text(keys, for_secret("TOKEN", 1), token)
    with pytest.raises(SettingsError):
        legacy_key("not a key")


def test_what_cannot_be_opened_is_left_out_and_the_rest_is_not() -> None:
    good = seal(PUBLIC, for_variable("p", "A"), "hunter22")
    opened = open_all(KEYS, {"A": (for_variable("p", "A"), good), "B": (for_variable("p", "B"), good)})
    assert opened.values == {"A": "hunter22"}
    assert {name: str(why) for name, why in opened.left_out.items()} == {"B": "it was sealed for something else"}


def test_values_and_keys_do_not_show_in_representations_and_tracebacks() -> None:
    assert "hunter22" not in repr(Opened(values={"A": "hunter22"}))
    assert repr(PRIVATE) not in repr(KEYS)
    value = "hunter22"
    with pytest.raises(NotOpenedError) as caught:
        open_text(KEYS, for_variable("p", "B"), seal(PUBLIC, for_variable("p", "A"), value))
    assert value not in "".join(traceback.format_exception(caught.value)).replace('"hunter22"', "")


def test_a_home_gets_one_key_that_only_its_owner_reads(tmp_path: Path) -> None:
    file = tmp_path / "runner" / "sealing.keys"
    assert [make_keys_file(file), make_keys_file(file)] == [True, False]
    assert file.stat().st_mode & 0o777 == 0o600
    [(id, private)] = read_keys(file).items()
    assert key_id(public_key_of(private)) == id
    assert [path.name for path in file.parent.iterdir()] == ["sealing.keys"]


def test_a_new_key_comes_last_and_the_older_ones_stay(tmp_path: Path) -> None:
    file = tmp_path / "sealing.keys"
    make_keys_file(file)
    [first] = read_keys(file)
    second = add_key(file)
    assert list(read_keys(file)) == [first, second]
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_key_file_that_others_may_read_is_refused_without_showing_it(tmp_path: Path) -> None:
    file = tmp_path / "sealing.keys"
    make_keys_file(file)
    file.chmod(0o640)
    with pytest.raises(SettingsError, match="chmod 600"):
        read_keys(file)
    file.chmod(0o600)
    file.write_text(f"x25519 {base64.b64encode(b'too short').decode()}\n")
    with pytest.raises(SettingsError, match=r"line 1 of .* is no key"):
        read_keys(file)
    file.write_text("# nothing\n")
    with pytest.raises(SettingsError, match="no key"):
        read_keys(file)
    with pytest.raises(SettingsError, match="FileNotFoundError"):
        read_keys(tmp_path / "none")
