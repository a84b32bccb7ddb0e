"""What the command decides without touching anything."""

import re
from pathlib import Path

import pytest
from fastflow_cli import exits
from fastflow_cli.commands.runs import pairs
from fastflow_cli.demo.telling import curl_line, passed
from fastflow_cli.doctor.finding import missing, ok, verdict, warning
from fastflow_cli.errors import MissingError, UsageError
from fastflow_cli.exits import Exit
from fastflow_cli.formatting import duration, instant, run_row, took
from fastflow_cli.home import find_home
from fastflow_cli.local.child import Child, backoff_s, end_of
from fastflow_cli.local.engine import Address, Engine
from fastflow_cli.local.executor import Found, choose, wanted
from fastflow_cli.local.proxy import Allowed, allowed_by, bind, policy
from fastflow_cli.local.services import Setup, environment, installation_id, setting
from fastflow_cli.local.source import as_url, choose_source
from fastflow_events.errors import SettingsError
from fastflow_runner.core.container_spec import Deployment
from fastflow_runner.core.names import INSTALLATION
from fastflow_runner.core.policy import render

ID = "0a1b2c3d"
ALL_THERE = Found(engine=None, image=None, proxy=None)


def test_containers_are_used_where_everything_for_them_is_there() -> None:
    assert choose(None, ALL_THERE).kind == "docker"


@pytest.mark.parametrize("lacking", ["engine", "image", "proxy"])
def test_processes_are_the_fallback_and_it_says_why_and_what_would_help(lacking: str) -> None:
    found = Found(**{**{"engine": None, "image": None, "proxy": None}, lacking: "it is gone"})
    choice = choose(None, found)
    assert choice.kind == "process"
    assert "it is gone" in choice.why
    assert "`" in choice.why
    with pytest.raises(MissingError) as refused:
        choose("docker", found)
    assert refused.value.fix


def test_a_forced_process_executor_is_not_replaced() -> None:
    assert choose("process", ALL_THERE).kind == "process"


def test_an_unknown_executor_is_refused() -> None:
    with pytest.raises(UsageError):
        wanted("podman")


def test_the_command_line_decides_over_the_environment_and_that_over_the_last_start(tmp_path: Path) -> None:
    remembered = ("https://example.org/last.git", "dev")
    named = choose_source(named="https://e.org/a.git", configured="x", remembered=remembered, cwd=tmp_path)
    assert named.git_url == "https://e.org/a.git"
    configured = choose_source(named=None, configured="https://e.org/b.git", remembered=remembered, cwd=tmp_path)
    assert configured.git_url == "https://e.org/b.git"
    last = choose_source(named=None, configured=None, remembered=remembered, cwd=tmp_path)
    assert (last.git_url, last.branch) == remembered


def test_without_any_repository_the_command_says_how_to_name_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as refused:
        choose_source(named=None, configured=None, remembered=None, cwd=tmp_path)
    assert "--git-url" in str(refused.value.fix)


def test_a_folder_becomes_a_url_and_an_address_stays(tmp_path: Path) -> None:
    assert as_url(str(tmp_path), Path("/")) == tmp_path.as_uri()
    assert as_url("sub", tmp_path) == (tmp_path / "sub").as_uri()
    assert as_url("git@example.org:team/pipelines.git", tmp_path) == "git@example.org:team/pipelines.git"


def test_home_is_the_named_folder_else_the_environments_else_the_users_own() -> None:
    env = {"FASTFLOW_HOME": "/srv/ff", "XDG_DATA_HOME": "/data", "HOME": "/home/ann"}
    assert find_home(Path("/here"), env).path == Path("/here")
    assert find_home(None, env).path == Path("/srv/ff")
    assert find_home(None, {"XDG_DATA_HOME": "/data"}).path == Path("/data/fastflow")
    assert find_home(None, {"HOME": "/home/ann"}).path == Path("/home/ann/.local/share/fastflow")


def told(**more: object) -> Setup:
    values = {
        "home": find_home(Path("/h"), {}),
        "installation": ID,
        "nats_url": "nats://127.0.0.1:4222",
        "git_url": "file:///r",
        "branch": "main",
        "host": "127.0.0.1",
        "port": 8000,
        "insecure": False,
        "executor": "docker",
        "docker_url": "tcp://127.0.0.1:2375",
        "health_ports": {"scheduler": 1, "git_sync": 2, "runner": 3},
    }
    return Setup(**{**values, **more})  # type: ignore[arg-type]


def test_only_the_runner_is_told_the_way_to_the_engine() -> None:
    base = {"DOCKER_HOST": "unix:///var/run/docker.sock", "FASTFLOW_SLOTS": "2", "PATH": "/bin"}
    for service in ("gateway", "git_sync", "scheduler", "runner"):
        env = environment(base, told().own(service))
        assert "DOCKER_HOST" not in env
        assert ("FASTFLOW_DOCKER_URL" in env) == (service == "runner")
        assert ("FASTFLOW_GIT_URL" in env) == (service == "git_sync")
        assert env["FASTFLOW_SLOTS"] == "2"
        assert env["FASTFLOW_NATS_SEED_FILE"].startswith("/h/keys/")


def test_the_older_name_of_a_decided_setting_does_not_reach_a_service() -> None:
    env = environment({"GIT_REPO_URL": "https://e.org/old.git", "LOG_LEVEL": "DEBUG"}, told().own("git_sync"))
    assert "GIT_REPO_URL" not in env
    assert env["LOG_LEVEL"] == "DEBUG"


def test_a_setting_is_read_under_both_names_and_never_guessed_between_them() -> None:
    assert setting({"PIPELINE_EXECUTOR": "process"}, "FASTFLOW_EXECUTOR") == "process"
    assert setting({"FASTFLOW_EXECUTOR": ""}, "FASTFLOW_EXECUTOR") is None
    with pytest.raises(SettingsError):
        setting({"PIPELINE_EXECUTOR": "process", "FASTFLOW_EXECUTOR": "docker"}, "FASTFLOW_EXECUTOR")


def engine_of(api: str) -> Engine:
    return Engine(Address("unix:///run/engine.sock"), "1", api)


def test_the_policy_is_the_newest_one_the_engine_speaks() -> None:
    assert "# Version 1.41 of" in policy(engine_of("1.41"), Allowed(), ID, bind="127.0.0.1:7")
    assert "# Version 1.44 of" in policy(engine_of("1.52"), Allowed(), ID, bind="127.0.0.1:7")
    with pytest.raises(MissingError):
        policy(engine_of("1.9"), Allowed(), ID, bind="127.0.0.1:7")


def test_the_policy_knows_the_addresses_and_the_settings_of_the_installation() -> None:
    allowed = allowed_by({"WORKER_BASE_IMAGE": "registry.org/team/worker:3", "FASTFLOW_DOCKER_VOLUME": "its-uv"})
    text = policy(engine_of("1.41"), allowed, ID, bind=bind(Path("/h/runner/engine.sock")))
    assert "bind unix@/h/runner/engine.sock mode 600 proto h1\n" in text
    assert "unix@/run/engine.sock" in text
    assert r'"Image":"registry\.org/team/worker:3"' in text
    assert "its-uv" in text
    assert "fastflow-runs" in text
    assert "fastflow-worker" not in text
    assert "-uv" not in text.replace("its-uv", "")


def test_a_policy_says_what_the_runner_takes_by_itself() -> None:
    inside = policy(engine_of("1.44"), Allowed(), ID, bind=":2375", socket="/var/run/docker.sock")
    assert inside == render("1.44", deployment=Deployment(installation=ID))
    chosen = policy(engine_of("1.44"), allowed_by({"FASTFLOW_RUN_UID": "70000"}), ID, bind=":2375")
    assert '"User":"70000:70000"' in chosen
    assert '"User":"61100:61100"' not in chosen


def test_the_installation_is_the_homes_own_unless_the_environment_names_another(tmp_path: Path) -> None:
    home = find_home(tmp_path, {})
    home.make()
    made = installation_id(home, {})
    assert re.fullmatch(INSTALLATION, made)
    assert installation_id(home, {"FASTFLOW_INSTALLATION": ""}) == made
    assert installation_id(home, {"FASTFLOW_INSTALLATION": ID}) == ID
    assert environment({}, told(installation=made).own("runner"))["FASTFLOW_INSTALLATION"] == made


def test_a_child_is_started_again_later_and_later() -> None:
    assert [backoff_s(failures) for failures in (1, 2, 3, 7, 100)] == [0.5, 1.0, 2.0, 30.0, 30.0]


def test_a_child_that_lived_long_has_forgotten_its_failures() -> None:
    child = Child(name="x", spawn=lambda: None, process=None, started_at=0.0)  # type: ignore[arg-type,return-value]
    for lived_s in (1.0, 1.0, 31.0):
        child.failed(lived_s)
    assert child.failures == 1
    assert end_of(-9) == "was killed by SIGKILL"
    assert end_of(1) == "ended with exit code 1"


def test_pairs_keep_everything_behind_the_first_equals() -> None:
    assert pairs("-p", ["a=1", "b=x=y", "c="]) == {"a": "1", "b": "x=y", "c": ""}
    for wrong in (["a"], ["=1"], ["a=1", "a=2"]):
        with pytest.raises(UsageError):
            pairs("-p", wrong)


def test_how_a_run_ended_is_the_exit_code() -> None:
    endings = {"succeeded": 0, "failed": 1, "cancelled": 5, "rejected": 5}
    assert {status: int(exits.of_run(status)) for status in endings} == endings


def test_every_exit_code_is_documented() -> None:
    assert set(exits.MEANINGS) == set(Exit)
    readme = (Path(exits.__file__).parents[1] / "README.md").read_text()
    for code in Exit:
        assert f"| {code.value} |" in readme
        assert f"`{code.value}`" in exits.table()


def test_times_read_as_a_person_says_them() -> None:
    assert [duration(s) for s in (0.4249, 75, 720, 12600)] == ["0.42 s", "75 s", "12 min", "3.5 h"]
    assert instant("2026-01-31T12:00:00.123456Z") == "2026-01-31 12:00:00Z"
    assert took("2026-01-31T12:00:00.000000Z", "2026-01-31T12:00:01.500000Z") == "1.50 s"
    assert took("2026-01-31T12:00:00Z", None) == ""
    run = {"id": "1", "pipeline": "p", "status": "failed", "outcome": "timed_out", "requested_at": None}
    assert run_row(run)[2] == "failed (timed_out)"


def test_the_curl_line_can_be_typed() -> None:
    line = curl_line("http://127.0.0.1:1", "/api/x", {"env": {"A": "it's"}})
    assert line.endswith(""" -d '{"env":{"A":"it'\\''s"}}'""")


def test_the_last_line_of_the_demo_is_exact() -> None:
    assert passed("abc", "docker", 32, 12.34) == (
        "demo passed: run abc succeeded on the docker executor, read model identical at seq 32, 12.3 s"
    )


def test_the_doctor_says_in_one_sentence_what_is_possible() -> None:
    assert "cannot start here: git" in verdict([ok("python", ""), missing("git", "", "fix")])
    assert "processes, not containers: engine" in verdict([ok("git", ""), warning("engine", "")])
    assert verdict([ok("git", "")]).endswith("containers")
