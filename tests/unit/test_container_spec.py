import json

import pytest
from fastflow_events.errors import ContractError
from fastflow_events.run.specification import Limits
from fastflow_runner.container_spec import Deployment, calls, create_forms, run_body, run_name, tool_body
from fastflow_runner.ports import AttemptRef

RUN = "0192f0c1-7b1e-7c3a-9d2e-0123456789ab"
DEPLOYMENT = Deployment()


def body(limits: Limits | None = None, *, host_cpus: int = 4, nonce: str = "n0nce") -> dict[str, object]:
    decoded = json.loads(run_body(DEPLOYMENT, limits or Limits(), owner="runner-1", nonce=nonce, host_cpus=host_cpus))
    assert isinstance(decoded, dict)
    return decoded


def test_the_name_says_run_and_attempt() -> None:
    assert run_name(AttemptRef(run_id=RUN, attempt=3)) == f"fastflow-{RUN}-3"


@pytest.mark.parametrize("run_id", ["r1", RUN.upper(), f"{RUN}/../x", f"prepare-{'0' * 32}", f"{RUN}\n", ""])
def test_only_a_uuid_names_a_container(run_id: str) -> None:
    with pytest.raises(ContractError):
        run_name(AttemptRef(run_id=run_id, attempt=1))


def test_a_run_is_locked_down() -> None:
    made = body()
    host = made["HostConfig"]
    assert isinstance(host, dict)
    assert (made["User"], host["ReadonlyRootfs"], host["CapDrop"]) == ("1001:1001", True, ["ALL"])
    assert (host["SecurityOpt"], host["Init"], host["AutoRemove"]) == (["no-new-privileges"], True, False)
    assert host["Mounts"] == [{"ReadOnly": True, "Source": "fastflow-uv", "Target": "/uv", "Type": "volume"}]
    assert "Binds" not in host
    assert "Env" not in made


def test_memory_and_swap_are_one_limit() -> None:
    host = body(Limits(memory_bytes=256 << 20))["HostConfig"]
    assert isinstance(host, dict)
    assert host["Memory"] == host["MemorySwap"] == 256 << 20


@pytest.mark.parametrize(
    ("asked", "given"), [(None, 0), (0.5, 500_000_000), (0.001, 10_000_000), (64.0, 4_000_000_000)]
)
def test_processors_are_clamped_to_the_host(asked: float | None, given: int) -> None:
    host = body(Limits(cpus=asked))["HostConfig"]
    assert isinstance(host, dict)
    assert host["NanoCpus"] == given


def test_less_memory_than_the_engine_takes_is_as_little_as_it_takes() -> None:
    host = body(Limits(memory_bytes=1))["HostConfig"]
    assert isinstance(host, dict)
    assert host["Memory"] == 6 << 20


@pytest.mark.parametrize("nonce", ["", 'x"', "x" * 65, "ü", "a b"])
def test_a_nonce_cannot_break_out_of_its_string(nonce: str) -> None:
    with pytest.raises(ContractError):
        body(nonce=nonce)


def test_only_tools_write_to_the_shared_volume_and_staging_has_no_network() -> None:
    for mode, network in (("prepare", "fastflow-runs"), ("stage", "none")):
        host = json.loads(tool_body(DEPLOYMENT, mode, owner="runner-1"))["HostConfig"]
        assert host["Mounts"][0]["ReadOnly"] is False
        assert host["NetworkMode"] == network


def test_every_object_has_its_keys_in_order_and_no_blanks() -> None:
    for mode in create_forms(DEPLOYMENT):
        made = body() if mode == "run" else json.loads(tool_body(DEPLOYMENT, mode, owner="o"))
        raw = (
            run_body(DEPLOYMENT, Limits(), owner="runner-1", nonce="n0nce", host_cpus=4)
            if mode == "run"
            else (tool_body(DEPLOYMENT, mode, owner="o"))
        )
        assert raw == json.dumps(made, sort_keys=True, separators=(",", ":")).encode()


def test_nothing_but_attach_upgrades_and_nothing_but_create_has_a_body() -> None:
    table = calls(DEPLOYMENT)
    assert [name for name, call in table.items() if call.upgrade] == ["attach"]
    assert [name for name, call in table.items() if call.body] == ["create"]
