import pytest
from fastflow_runner.adapters.docker.nets import Net


@pytest.mark.parametrize(("place", "shared"), [("4e5f6071", True), ("o4e5f6071", False)])
def test_a_namespace_that_was_closed_for_one_run_is_known_by_its_place(place: str, shared: bool) -> None:
    assert Net(place=place, name="n", id="", life="", image="").is_shared is shared
