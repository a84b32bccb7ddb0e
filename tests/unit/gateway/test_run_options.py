"""What somebody who wants a run may say is read strictly, with a pointer to what is wrong."""

import json

import pytest
from fastflow_gateway.core.errors import InvalidBodyError, InvalidFieldError
from fastflow_gateway.core.run_request import RunOptions, check_variables, read_run_options
from hypothesis import given
from hypothesis import strategies as st


def pointer_of(body: object) -> str | None:
    with pytest.raises(InvalidFieldError) as refused:
        read_and_checked(json.dumps(body).encode())
    return refused.value.finding.pointer


def read_and_checked(body: bytes) -> None:
    options = read_run_options(body)
    check_variables("env", options.env)
    check_variables("params", options.params)


@pytest.mark.parametrize("body", [b"", b"  ", b"{}"])
def test_nothing_has_to_be_said(body: bytes) -> None:
    assert read_run_options(body) == RunOptions()


def test_older_names_mean_the_same() -> None:
    assert read_run_options(b'{"env_vars": {"A": "1"}, "parameters": {"B": "2"}}') == RunOptions(
        env={"A": "1"}, params={"B": "2"}
    )


def test_params_may_be_numbers_and_truths() -> None:
    body = b'{"params": {"N": 3, "whole": 3.0, "half": 0.5, "yes": true, "text": "3.0"}}'
    assert read_run_options(body).params == {"N": "3", "whole": "3", "half": "0.5", "yes": "true", "text": "3.0"}
    assert read_run_options(b'{"parameters": {"N": 3}, "params": {"N": "3"}}').params == {"N": "3"}


def test_two_names_with_different_content_are_refused() -> None:
    assert pointer_of({"env": {"A": "1"}, "env_vars": {"A": "2"}}) == "/env_vars"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ([], ""),
        ("text", ""),
        ({"evn": {}}, "/evn"),
        ({"env": []}, "/env"),
        ({"env": {"GOOD": "1", "BAD": 2}}, "/env/BAD"),
        ({"params": {"GOOD": 1, "BAD": []}}, "/params/BAD"),
        ({"params": {"GOOD": 1.5, "LONG": "x" * 16_385}}, "/params/LONG"),
        ({"params": {"a~b/c": None}}, "/params/a~0b~1c"),
        ({"env": {"LONG": "x" * 16_385}}, "/env/LONG"),
        ({"env": {f"V{n}": "" for n in range(51)}}, "/env"),
        ({"env": {"1BAD": "x"}}, "/env/1BAD"),
        ({"env": {"": "x"}}, "/env/"),
        ({"env": {"NEW\n": "x"}}, "/env/NEW\n"),
        ({"env": {"A": "1\x002"}}, "/env/A"),
        ({"params": {"A": "\x00"}}, "/params/A"),
        ({"env": {"FASTFLOW_RUN_ID": "x"}}, "/env/FASTFLOW_RUN_ID"),
        ({"params": {"FASTFLOW_RESULT_FILE": "x"}}, "/params/FASTFLOW_RESULT_FILE"),
        ({"commit": "main"}, "/commit"),
        ({"commit": "A" * 40}, "/commit"),
        ({"run_config_id": ""}, "/run_config_id"),
        ({"run_config_id": 3}, "/run_config_id"),
    ],
)
def test_the_pointer_names_the_very_member(body: object, pointer: str) -> None:
    assert pointer_of(body) == pointer


@pytest.mark.parametrize("body", [b"{", b"garbage", b"\xff\xfe", b'{"env": }', b"[" * 100_000])
def test_what_is_not_json_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidBodyError):
        read_run_options(body)


@given(st.binary(max_size=200))
def test_no_bytes_do_anything_but_be_read_or_refused(body: bytes) -> None:
    try:
        read_run_options(body)
    except (InvalidBodyError, InvalidFieldError):
        return


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@given(st.dictionaries(st.sampled_from(["env", "params", "commit", "run_config_id", "other"]), json_values))
def test_every_refused_document_gets_a_pointer_into_itself(body: dict[str, object]) -> None:
    try:
        read_and_checked(json.dumps(body).encode())
    except InvalidFieldError as refused:
        pointer = refused.finding.pointer
        assert pointer is not None
        here: object = body
        for step in pointer.split("/")[1:]:
            assert isinstance(here, dict)
            here = here[step.replace("~1", "/").replace("~0", "~")]
