"""What `fastflow doctor --security` makes of what it finds."""

import os
from pathlib import Path

import pytest
from fastflow_cli.doctor.finding import missing, ok, warning
from fastflow_cli.doctor.neighbours import Held, builds, closed
from fastflow_cli.doctor.proxy_wall import is_refusal
from fastflow_cli.doctor.security import Privacy, files, held_by, judged, verdict
from fastflow_cli.home import Home
from msgspec import structs

HOLDS = {"MemoryLimit": True, "PidsLimit": True, "SecurityOptions": ["name=apparmor", "name=seccomp,profile=default"]}

RULES = """table inet fastflow {
\tchain going {
\t\ttype filter hook output priority filter; policy drop;
\t\tip daddr { 100.100.100.200, 169.254.0.0/16, 224.0.0.0/4 } goto refused
\t\tip daddr 172.17.0.1 goto refused
\t}
\tchain coming {
\t\ttype filter hook input priority filter; policy drop;
\t}
}
"""
NET = Held(name="net", id="4e5f", kind="net", network="fastflow-runs", hops=("172.17.0.1",), rules=RULES)
RUN = Held(name="run", id="6071", kind="run", network="container:4e5f")


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


def test_a_network_on_which_builds_meet_is_named() -> None:
    assert builds("runs", {"Options": {"com.docker.network.bridge.enable_icc": "false"}}).state == "ok"
    for about in ({}, {"Options": None}, {"Options": {"com.docker.network.bridge.enable_icc": "true"}}):
        assert builds("runs", about).state == "warning"


def test_runs_in_closed_namespaces_or_none_are_apart_whatever_their_network_lets_through() -> None:
    found = closed([NET, RUN, structs.replace(RUN, name="alone", network="none")])
    assert found.state == "ok"
    assert "1 networks of runs are closed" in found.detail
    assert "1 of 2 workers have none" in found.detail


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ([NET, structs.replace(RUN, network="fastflow-runs")], "is in fastflow-runs, which nobody has closed"),
        ([NET, structs.replace(RUN, network="host")], "is in host, which nobody has closed"),
        ([RUN], "is in container:4e5f, which nobody has closed"),
        ([NET, structs.replace(RUN, powers=("NET_ADMIN",))], "has powers of its own: NET_ADMIN"),
        ([structs.replace(NET, rules="")], "its kernel shows no rules"),
        ([structs.replace(NET, rules=RULES.replace("policy drop", "policy accept", 1))], "is not refused"),
        ([structs.replace(NET, hops=("172.18.0.1",))], "the machine is reached at 172.18.0.1"),
        ([structs.replace(NET, hops=("172.17.0.1", "172.17.0.11"))], "the machine is reached at 172.17.0.11"),
    ],
)
def test_a_run_in_a_network_that_is_open_is_named(found: list[Held], said: str) -> None:
    judged = closed(found)
    assert judged.state == "missing"
    assert said in judged.detail


def test_where_no_run_is_nothing_is_claimed() -> None:
    assert closed([]).state == "warning"
    assert closed([structs.replace(RUN, kind="build", network="runs")]).state == "warning"


def test_only_the_proxys_own_word_is_a_refusal() -> None:
    assert is_refusal(403, "text/html")
    assert not is_refusal(403, "application/json"), "the engine's own"
    assert not any(is_refusal(status, "text/html") for status in (200, 204, 400, 404, 500, 503))


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
