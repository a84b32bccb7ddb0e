"""Values are read carefully, sealed here, and the keys that open them go to the runner alone."""

import base64
import io
import sys
from pathlib import Path

import pytest
from fastflow_cli.commands.secrets import decoded, read_value, rotate_key, seal, sealed
from fastflow_cli.errors import UsageError
from fastflow_cli.local.services import environment
from fastflow_events.errors import SettingsError
from fastflow_events.sealing import for_variable, new_private_key, parse, public_key_of, unseal
from fastflow_events.service.sealing_keys import make_keys_file, read_keys

PRIVATE = new_private_key()
PUBLIC = public_key_of(PRIVATE)


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (b"hunter22\n", "hunter22"),
        (b"hunter22\r\n", "hunter22"),
        (b"two\nlines\n\n", "two\nlines\n"),
        (b" a b ", " a b "),
    ],
)
def test_one_newline_at_the_end_is_not_part_of_a_value(tmp_path: Path, content: bytes, value: str) -> None:
    file = tmp_path / "value"
    file.write_bytes(content)
    assert read_value("TOKEN", file) == value


def test_what_is_no_text_or_cannot_be_read_is_a_mistake_of_the_caller(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    for file in (tmp_path / "binary", tmp_path / "none"):
        with pytest.raises(UsageError):
            read_value("TOKEN", file)
    with pytest.raises(UsageError, match="empty"):
        sealed(PUBLIC, for_variable("p", "A"), "")
    with pytest.raises(UsageError, match="--public-key"):
        decoded("no base64!")


async def test_a_value_is_sealed_for_a_pipeline_without_a_gateway(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"hunter22\n")))
    assert await seal("daily report", "TOKEN", public_key_base64=base64.b64encode(PUBLIC).decode()) == 0
    text = capsys.readouterr().out.strip()
    assert unseal(PRIVATE, for_variable("daily report", "TOKEN"), parse(text).box) == "hunter22"


def test_a_new_key_is_added_to_the_installation_on_this_machine(tmp_path: Path) -> None:
    file = tmp_path / "runner" / "sealing.keys"
    with pytest.raises(SettingsError):
        rotate_key(home=tmp_path)
    make_keys_file(file)
    assert rotate_key(home=tmp_path) == 0
    assert len(read_keys(file)) == 2


def test_only_the_runner_is_told_the_key_of_an_older_installation() -> None:
    ours = {"PATH": "/bin", "ENCRYPTION_KEY": "k", "FASTFLOW_ENCRYPTION_KEY_FILE": "/k"}
    runner = environment(ours, {"FASTFLOW_EXECUTOR": "process"})
    gateway = environment(ours, {"FASTFLOW_PORT": "0"})
    assert {"ENCRYPTION_KEY", "FASTFLOW_ENCRYPTION_KEY_FILE"} <= runner.keys()
    assert not {"ENCRYPTION_KEY", "FASTFLOW_ENCRYPTION_KEY_FILE"} & gateway.keys()
