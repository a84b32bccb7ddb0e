"""What `fastflow doctor --security` makes of what it finds."""

import os
from pathlib import Path

import pytest
from fastflow_cli.doctor.finding import missing, ok, warning
from fastflow_cli.doctor.security import Privacy, apart, files, held_by, judged, verdict
from fastflow_cli.home import Home

HOLDS = {"MemoryLimit": True, "PidsLimit": True, "SecurityOptions": ["name=apparmor", "name=seccomp,profile=default"]}


@pytest.mark.parametrize(("mode", "state"), [(0o600, "ok"), (0o400, "ok"), (0o640, "missing"), (0o604, "missing")])
def test_what_others_may_open_is_a_wall_that_does_not_stand(tmp_path: Path, mode: int, state: str) -> None:
    path = tmp_path / "key"
    path.touch()
    path.chmod(mode)
    finding = judged(Privacy(path, "a key"), path.stat())
    assert finding.state == state
    assert (f"chmod {mode & 0o700:o}" in finding.fix) == (state == "missing")


def test_every_key_of_a_home_and_every_file_that_a_setting_names_is_looked_at(tmp_path: Path) -> None:
    home, token, known = Home(tmp_path / "home"), tmp_path / "token", tmp_path / "known"
    home.make()
    for path in (home.keys / "gateway.nk", home.path / "runner" / "sealing.keys", token, known):
        path.touch(mode=0o644)
        path.chmod(0o644)
    env = {"FASTFLOW_GIT_TOKEN_FILE": str(token), "FASTFLOW_GIT_KNOWN_HOSTS_FILE": str(known), "OTHER_FILE": str(known)}
    open_to_others = {finding.detail.split(" ")[0] for finding in files(home, env) if finding.state == "missing"}
    assert open_to_others == {str(home.keys / "gateway.nk"), str(home.path / "runner" / "sealing.keys"), str(token)}
    assert home.path.stat().st_mode & 0o077 == 0, "the log holds what runs were given"


def test_an_engine_without_the_means_to_hold_a_run_is_named() -> None:
    assert held_by(HOLDS).state == "ok"
    assert "every system call" in held_by(HOLDS | {"SecurityOptions": None}).detail
    assert "cannot limit processes" in held_by(HOLDS | {"PidsLimit": False}).detail
    assert "cannot limit memory and processes" in held_by({"SecurityOptions": ["name=seccomp"]}).detail


def test_a_network_on_which_runs_meet_is_named() -> None:
    assert apart("runs", {"Options": {"com.docker.network.bridge.enable_icc": "false"}}).state == "ok"
    for about in ({}, {"Options": None}, {"Options": {"com.docker.network.bridge.enable_icc": "true"}}):
        assert apart("runs", about).state == "missing"


def test_one_sentence_says_whether_the_walls_stand() -> None:
    assert verdict([ok("a", ""), ok("b", "")]) == "all 2 walls stand"
    assert verdict([ok("a", ""), warning("b", "")]) == "no wall is broken; 1 to know about"
    assert verdict([ok("a", ""), missing("b", "", "fix"), warning("c", "")]).startswith("1 of 3 walls do not stand")


def test_nobody_elses_files_are_taken_for_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.touch(mode=0o600)
    about = list(path.stat())
    about[4] = os.getuid() + 1
    assert judged(Privacy(path, "a key"), os.stat_result(about)).state == "warning"
