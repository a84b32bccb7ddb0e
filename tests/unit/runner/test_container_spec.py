import json

import pytest
from fastflow_events.errors import ContractError
from fastflow_runner.core.bounds import Bounds
from fastflow_runner.core.closing import Closing
from fastflow_runner.core.container_spec import (
    RUN_UID,
    Deployment,
    calls,
    create_forms,
    pause_body,
    run_body,
    tool_body,
    update_body,
)
from fastflow_runner.core.names import CONNECTED, TOOLS
from fastflow_runner.core.template import pattern
from fastflow_runner.core.traces import FILES
from fastflow_runner.ports import AttemptRef

RUN = "0192f0c1-7b1e-7c3a-9d2e-0123456789ab"
DEPLOYMENT = Deployment(installation="0a1b2c3d")
USER = f"{RUN_UID}:{RUN_UID}"


def body(bounds: Bounds | None = None, *, owner: str = "runner-1", place: str = "") -> dict[str, object]:
    decoded = json.loads(run_body(DEPLOYMENT, bounds or Bounds(), owner=owner, place=place))
    assert isinstance(decoded, dict)
    return decoded


def test_the_name_says_run_and_attempt() -> None:
    assert DEPLOYMENT.names.of(AttemptRef(run_id=RUN, attempt=3)) == f"fastflow-0a1b2c3d-{RUN}-3"


@pytest.mark.parametrize("run_id", ["r1", RUN.upper(), f"{RUN}/../x", f"prepare-{'0' * 32}", f"{RUN}\n", ""])
def test_only_a_uuid_names_a_container(run_id: str) -> None:
    with pytest.raises(ContractError):
        DEPLOYMENT.names.of(AttemptRef(run_id=run_id, attempt=1))


def test_a_run_is_locked_down() -> None:
    made = body()
    host = made["HostConfig"]
    assert isinstance(host, dict)
    assert (made["User"], host["ReadonlyRootfs"], host["CapDrop"]) == (USER, True, ["ALL"])
    assert (host["SecurityOpt"], host["Init"], host["AutoRemove"]) == (["no-new-privileges"], False, False)
    assert host["Mounts"] == [{"ReadOnly": True, "Source": "fastflow-0a1b2c3d-uv", "Target": "/uv", "Type": "volume"}]
    assert "Binds" not in host
    assert "Env" not in made


def test_memory_and_swap_are_one_limit() -> None:
    host = body(Bounds(memory_bytes=256 << 20))["HostConfig"]
    assert isinstance(host, dict)
    assert host["Memory"] == host["MemorySwap"] == 256 << 20


def test_a_run_without_a_network_differs_in_that_only() -> None:
    alone, joined = body(), body(place="4e5f6071")
    for made, network in ((alone, "none"), (joined, "container:fastflow-0a1b2c3d-net-runner-1-4e5f6071")):
        host = made["HostConfig"]
        assert isinstance(host, dict)
        assert host.pop("NetworkMode") == network
    assert alone == joined


def test_a_pause_container_has_nothing_but_a_network_and_the_power_to_close_it() -> None:
    made = json.loads(pause_body(DEPLOYMENT, Closing(), owner="runner-1"))
    host = made["HostConfig"]
    assert (made["User"], host["ReadonlyRootfs"], host["CapDrop"]) == ("0:0", True, ["ALL"])
    assert host["CapAdd"] == ["NET_ADMIN", "SETGID", "SETUID"]  # the last two give the first up
    assert host["SecurityOpt"] == ["no-new-privileges"]
    assert (host["NetworkMode"], host["RestartPolicy"]) == ("fastflow-runs", {"Name": "no"})
    assert not {"Mounts", "Binds", "Tmpfs"} & set(host)
    assert not {"Env", "Volumes", "StdinOnce"} & set(made)


def test_a_pause_container_shows_the_tables_of_its_network_to_whoever_says_a_word() -> None:
    made = json.loads(pause_body(DEPLOYMENT, Closing(), owner="runner-1"))
    assert (made["Entrypoint"][0], made["OpenStdin"]) == ("sh", True)
    assert all(path in made["Cmd"][0] for path in FILES)


def test_only_a_pause_container_has_a_capability() -> None:
    assert [name for name, form in create_forms(DEPLOYMENT).items() if "CapAdd" in pattern(form.body)] == ["pause"]


def test_every_container_joins_a_network_that_is_closed_or_has_none_but_those_that_close_one() -> None:
    open_ones = [
        name
        for name, form in create_forms(DEPLOYMENT).items()
        if '"NetworkMode":"none"' not in pattern(form.body)
        and '"NetworkMode":"container:fastflow-0a1b2c3d-net-' not in pattern(form.body)
    ]
    assert open_ones == ["pause"]


def test_a_tool_has_a_network_when_it_is_said_to_be_connected_and_only_then() -> None:
    for name in TOOLS:
        assert ('"NetworkMode":"none"' in pattern(create_forms(DEPLOYMENT)[name].body)) == (name not in CONNECTED)


def test_shared_memory_is_bounded_by_the_limit_of_memory_alone() -> None:
    for place in ("", "4e5f6071"):
        host = body(place=place)["HostConfig"]
        assert isinstance(host, dict)
        assert host["ShmSize"] == 1 << 40


def test_an_update_says_four_limits_and_nothing_else() -> None:
    found = update_body(Bounds(memory_bytes=1 << 28, nano_cpus=10**9, pids=64))
    assert found == b'{"Memory":268435456,"MemorySwap":268435456,"NanoCpus":1000000000,"PidsLimit":64}'


@pytest.mark.parametrize("owner", ["", 'x"', "x" * 65, "\u00fc", "a b", "-a", "a\n"])
def test_an_owner_cannot_break_out_of_its_string(owner: str) -> None:
    with pytest.raises(ContractError):
        body(owner=owner)


def test_who_writes_to_the_shared_volume_has_no_network_and_who_has_one_does_not_write() -> None:
    found = {}
    for mode in TOOLS:
        host = json.loads(tool_body(DEPLOYMENT, mode, owner="runner-1", place="4e5f6071"))["HostConfig"]
        found[mode] = [mount["ReadOnly"] for mount in host["Mounts"]], host["NetworkMode"]
    # What installs an interpreter hears of nothing else, and nothing of a package is there.
    joined = "container:fastflow-0a1b2c3d-net-runner-1-4e5f6071"
    assert found.pop("python") == ([False], joined)
    assert found == {
        "prepare": ([False], "none"),
        "stage": ([False], "none"),
        "fetch": ([True], joined),
        "build": ([], joined),
        "verify": ([True], "none"),
    }


def test_what_writes_for_runs_is_a_user_that_executes_nothing_of_anybody() -> None:
    writer = f"{RUN_UID + 1}:{RUN_UID + 1}"
    users = {name: json.loads(tool_body(DEPLOYMENT, name, owner="o", place="4e5f6071"))["User"] for name in TOOLS}
    assert users == {
        **dict.fromkeys(("prepare", "python", "stage", "verify"), writer),
        **dict.fromkeys(("fetch", "build"), USER),
    }
    for name in ("standby", "run", "cut", "jit", "jit_cut"):
        assert f'"User":"{USER}"' in pattern(create_forms(DEPLOYMENT)[name].body)
    for name, form in create_forms(DEPLOYMENT).items():
        writable = '"ReadOnly":false,"Source":"fastflow-0a1b2c3d-uv"' in pattern(form.body)
        assert not writable or f'"User":"{writer}"' in pattern(form.body), name


def test_every_object_has_its_keys_in_order_and_no_blanks() -> None:
    raws = [
        run_body(DEPLOYMENT, Bounds(), owner="o"),
        run_body(DEPLOYMENT, Bounds(), owner="o", place="4e5f6071"),
        pause_body(DEPLOYMENT, Closing(), owner="o"),
        update_body(Bounds()),
        run_body(DEPLOYMENT, Bounds(), owner="o", cache=f"fastflow-0a1b2c3d-jit-{'0' * 32}"),
        *(tool_body(DEPLOYMENT, mode, owner="o", place="4e5f6071") for mode in TOOLS),
    ]
    for raw in raws:
        assert raw == json.dumps(json.loads(raw), sort_keys=True, separators=(",", ":")).encode()


def test_nothing_but_attach_upgrades_and_nothing_but_create_and_update_has_a_body() -> None:
    table = calls(DEPLOYMENT)
    assert [name for name, call in table.items() if call.upgrade] == ["attach"]
    assert [name for name, call in table.items() if call.body] == ["create", "update"]
