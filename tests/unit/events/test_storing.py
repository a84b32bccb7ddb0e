import nats.errors
import pytest
from fastflow_events.errors import ConcurrencyError, InfrastructureError
from fastflow_events.nats.storing import expecting, translated
from nats.js.errors import APIError, NoStreamResponseError


@pytest.mark.parametrize("code", [10071, 10164])
def test_a_writer_hears_that_somebody_else_was_first_alone_or_in_a_batch(code: int) -> None:
    with pytest.raises(ConcurrencyError, match="not kept"), translated("not kept"):
        raise APIError(code=400, err_code=code, description="wrong last sequence")


@pytest.mark.parametrize(
    "failure",
    [
        APIError(code=503, err_code=10077, description="maximum bytes exceeded"),
        NoStreamResponseError(),
        nats.errors.ConnectionClosedError(),
        TimeoutError(),
    ],
    ids=lambda failure: type(failure).__name__,
)
def test_every_other_failure_of_nats_is_one_of_the_world(failure: Exception) -> None:
    with pytest.raises(InfrastructureError, match="not kept") as caught, translated("not kept", tree="t"):
        raise failure
    assert caught.value.context == {"tree": "t"}
    assert caught.value.__cause__ is failure


def test_what_is_no_failure_of_nats_stays_what_it_is() -> None:
    with pytest.raises(LookupError), translated("not kept"):
        raise LookupError


def test_a_writer_says_what_it_knows_as_the_last_message() -> None:
    assert expecting(7) == {"Nats-Expected-Last-Subject-Sequence": "7"}
    assert expecting(0, "a.*")["Nats-Expected-Last-Subject-Sequence-Subject"] == "a.*"
