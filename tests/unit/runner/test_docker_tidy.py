"""Which containers that staged code have outlived it."""

from typing import Literal

from fastflow_runner.adapters.docker.listed import Listed
from fastflow_runner.adapters.docker.tidy import outlived


def a_tool(name: str, at: float, *, ended: bool = True) -> Listed:
    state: Literal["exited", "running"] = "exited" if ended else "running"
    return Listed(
        name=f"fastflow-0a1b2c3d-{name}",
        kind=name.partition("-")[0],
        ref=None,
        id=name,
        state=state,
        network="",
        created_at=at,
    )


def test_old_ones_go_but_what_prepared_or_is_at_work_stays() -> None:
    found = [a_tool("stage-1", 1), a_tool("prepare-2", 2), a_tool("stage-3", 3, ended=False), a_tool("stage-4", 40)]
    assert [tool.name for tool in outlived(found, before=10)] == ["fastflow-0a1b2c3d-stage-1"]


def test_the_newest_one_stays_however_old_it_is_because_it_keeps_the_volume() -> None:
    found = [a_tool("stage-2", 2), a_tool("stage-1", 1), a_tool("build-9", 9)]
    assert [tool.name for tool in outlived(found, before=10)] == ["fastflow-0a1b2c3d-stage-1"]
    assert outlived(found[:1], before=10) == []
