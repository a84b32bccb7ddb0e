import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fastflow_events.errors import SettingsError
from fastflow_events.nats.keys import make_keys
from fastflow_events.service.installation import id_of
from fastflow_runner.adapters.executors import open_executor
from fastflow_runner.core.names import INSTALLATION
from fastflow_runner.settings import RunnerSettings


def test_an_installation_gets_its_id_with_its_keys_and_keeps_it(tmp_path: Path) -> None:
    make_keys(tmp_path / "keys")
    made = (tmp_path / "keys" / "installation").read_text().strip()
    make_keys(tmp_path / "keys")
    assert id_of(tmp_path / "keys") == made
    assert re.fullmatch(INSTALLATION, made)


def test_two_that_make_it_at_once_make_one(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(id_of, [tmp_path] * 32))) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["installation"]


def opened(**settings: object) -> None:
    with open_executor(RunnerSettings(**settings), b"key", {}):  # type: ignore[arg-type]
        pass


def test_a_runner_is_told_its_installation_as_text_or_in_a_file(tmp_path: Path) -> None:
    opened(installation="0a1b2c3d")
    (tmp_path / "installation").write_text("0a1b2c3d\n")
    opened(installation_file=tmp_path / "installation")


@pytest.mark.parametrize("content", ["", "0a1b2c3", "0a1b2c3d\n4e5f6071\n", "fastflow"])
def test_a_runner_that_belongs_to_nobody_does_not_start(content: str, tmp_path: Path) -> None:
    file = tmp_path / "installation"
    for settings in ({}, {"installation_file": file}):
        with pytest.raises(SettingsError, match="FASTFLOW_INSTALLATION_FILE"):
            opened(**settings)
    file.write_text(content)
    with pytest.raises(SettingsError, match="holds no id"):
        opened(installation_file=file)
