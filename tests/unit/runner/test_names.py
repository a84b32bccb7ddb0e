import re

import pytest
from fastflow_events.errors import ContractError
from fastflow_runner.core.container_spec import Deployment, calls
from fastflow_runner.core.names import Names
from fastflow_runner.core.policy import patterns
from fastflow_runner.core.template import pattern
from fastflow_runner.ports import AttemptRef
from fastflow_runner.testing.neighbours import SHARED, mixtures
from hypothesis import given
from hypothesis import strategies as st

MINE, THEIRS = "0a1b2c3d", "4e5f6071"
RUN = AttemptRef(run_id="0192f0c1-7b1e-7c3a-9d2e-0123456789ab", attempt=3)
NAMES = Names(installation=MINE, runner="r-1")


def allowed(installation: str) -> dict[str, str]:
    """Expression of every request that the policy of an installation lets through, by what it is for."""
    deployment = Deployment(installation=installation)
    bare = {name: f"/v1\\.41{pattern(call.path)}" for name, call in calls(deployment).items() if not call.body}
    return {**bare, **dict(patterns("1.41", deployment))}


ALLOWED = allowed(MINE)
EXPRESSIONS = {name: re.compile(expression) for name, expression in ALLOWED.items()}
REQUESTS = st.sampled_from(sorted(ALLOWED.keys() - SHARED)).flatmap(
    # A possessive repetition means the same where the whole text has to match.
    lambda name: st.from_regex(
        re.sub(r"([?*+}])\+", r"\1", ALLOWED[name]), fullmatch=True, alphabet=st.characters(codec="ascii")
    )
)


@pytest.mark.parametrize("name", sorted(ALLOWED))
def test_every_request_names_its_installation_or_is_nobodys(name: str) -> None:
    assert (MINE in ALLOWED[name]) == (name not in SHARED)


@given(REQUESTS)
def test_no_request_with_the_name_of_another_installation_in_it_is_let_through(request: str) -> None:
    assert any(expression.fullmatch(request) for expression in EXPRESSIONS.values())
    for changed in mixtures(request, MINE, THEIRS):
        assert not any(expression.fullmatch(changed) for expression in EXPRESSIONS.values()), changed


@pytest.mark.parametrize(
    "installation", ["", "0", ".{8}", "0a1b2c3", "0A1B2C3D", "0a1b2c3d\n", "0a1b2c3d-", "[0-9a-f]"]
)
def test_nothing_but_eight_hex_digits_is_an_installation(installation: str) -> None:
    with pytest.raises(ContractError):
        Deployment(installation=installation)


def test_the_volume_is_the_installations_own_unless_another_is_named() -> None:
    assert Deployment(installation=MINE).volume == "fastflow-0a1b2c3d-uv"
    assert Deployment(installation=MINE, volume="its-uv").volume == "its-uv"


@pytest.mark.parametrize(
    ("rest", "kind"),
    [
        (f"{RUN.run_id}-3", "run"),
        ("net-r-1-4e5f6071", "net"),
        ("standby-r-1-4e5f6071", "standby"),
        (f"prepare-{'0' * 32}", "prepare"),
        (f"build-{'0' * 32}", "build"),
        (f"stage-{'0' * 32}", "stage"),
    ],
)
def test_a_name_tells_what_its_container_is_for_and_that_of_another_installation_tells_nothing(
    rest: str, kind: str
) -> None:
    assert NAMES.kind(f"fastflow-{MINE}-{rest}") == kind
    for other in (f"fastflow-{THEIRS}-{rest}", f"fastflow-{rest}", f"fastflow-{MINE}-{rest}x", rest):
        assert (NAMES.kind(other), NAMES.ref(other)) == ("", None)


@pytest.mark.parametrize("runner", ["r-1-2", "r", "r-2", "R-1"])
def test_what_waits_for_another_runner_is_not_ours(runner: str) -> None:
    assert NAMES.kind(f"fastflow-{MINE}-net-{runner}-4e5f6071") == ""
    assert NAMES.kind(f"fastflow-{MINE}-standby-{runner}-4e5f6071") == ""


def test_the_name_of_an_attempt_leads_back_to_it() -> None:
    assert NAMES.ref(NAMES.of(RUN)) == RUN
    assert NAMES.ref(f"fastflow-{MINE}-net-r-1-4e5f6071") is None
