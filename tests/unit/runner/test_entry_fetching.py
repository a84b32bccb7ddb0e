import pytest
from fastflow_runner.entry.credentials import Credential
from fastflow_runner.entry.fetching import Wheel, _is_made, _line, _link, _wheels
from fastflow_runner.entry.uv import RefusedError

URL = "https://packages.example.com/files/idna-3.10-py3-none-any.whl"
WHEEL = Wheel("idna-3.10-py3-none-any.whl", URL, "0" * 64)
OURS = Credential("https://packages.example.com/simple", "reader", "s3cret/@")


def test_a_credential_goes_to_its_own_scheme_host_and_port() -> None:
    assert "https://reader:s3cret%2F%40@packages.example.com/files/" in _link(WHEEL, "/store", [OURS])


@pytest.mark.parametrize(
    "url",
    [
        "http://packages.example.com/x/idna-3.10-py3-none-any.whl",
        "https://packages.example.com:8443/idna-3.10-py3-none-any.whl",
        "https://packages.example.com.evil.example/idna-3.10-py3-none-any.whl",
        "https://packages.example.com@evil.example/idna-3.10-py3-none-any.whl",
        "https://evil.example/packages.example.com/idna-3.10-py3-none-any.whl",
    ],
)
def test_a_credential_goes_nowhere_else(url: str) -> None:
    assert "s3cret" not in _link(WHEEL._replace(url=url), "/store", [OURS])


def test_an_address_cannot_add_to_the_page_that_lists_it() -> None:
    found = _link(WHEEL._replace(url='https://h/"><a href="https://evil/x.whl'), "/store", [])
    assert found.count("<a ") == 1


def test_every_file_of_a_package_may_be_the_one_that_fits() -> None:
    about = {"name": "idna", "wheels": [{"url": URL, "hashes": {"sha256": "1" * 64}}], "marker": "python_version > '3'"}
    (found,) = _wheels({**about, "archive": {"url": "https://h/x.tar.gz"}}, "/here")
    assert _line(about, [found]) == f"idna==3.10 ; python_version > '3' --hash=sha256:{'1' * 64}\n"


def test_a_file_of_the_folder_is_read_from_there() -> None:
    (found,) = _wheels({"name": "x", "archive": {"path": "wheels/x-1-py3-none-any.whl"}}, "/here")
    assert found.url == "file:///here/wheels/x-1-py3-none-any.whl"


def test_a_package_without_a_hash_is_refused() -> None:
    with pytest.raises(RefusedError, match="no hash"):
        _line({"name": "idna"}, [WHEEL._replace(sha256="")])


@pytest.mark.parametrize(("version", "made"), [("3.10", True), ("3.9", False)])
def test_what_was_built_is_not_downloaded(version: str, made: bool) -> None:
    assert _is_made({"name": "Some_thing", "version": version}, {("some-thing", "3.10")}) is made
