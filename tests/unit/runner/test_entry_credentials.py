import tomllib

import pytest
from fastflow_runner.entry.credentials import Credential, apart, toml
from fastflow_runner.entry.uv import Uv
from hypothesis import given
from hypothesis import strategies as st

HOUSE = "https://packages.example.com/simple"


@pytest.mark.parametrize(
    ("settings", "plain", "credentials"),
    [
        ({"UV_INDEX": f"house={HOUSE}"}, {"UV_INDEX": f"house={HOUSE}"}, []),
        (
            {"UV_INDEX": f"house={HOUSE}", "UV_INDEX_HOUSE_USERNAME": "me", "UV_INDEX_HOUSE_PASSWORD": "pa ss"},
            {"UV_INDEX": f"house={HOUSE}"},
            [Credential(HOUSE, "me", "pa ss")],
        ),
        (
            {"UV_DEFAULT_INDEX": f"my-house={HOUSE}", "UV_INDEX_MY_HOUSE_PASSWORD": "x"},
            {"UV_DEFAULT_INDEX": f"my-house={HOUSE}"},
            [Credential(HOUSE, "", "x")],
        ),
        (
            {"UV_EXTRA_INDEX_URL": "https://a:b%40c@one/s https://two/s"},
            {"UV_EXTRA_INDEX_URL": "https://one/s https://two/s"},
            [Credential("https://one/s", "a", "b@c")],
        ),
        ({"UV_INDEX": "h=https://word@one"}, {"UV_INDEX": "h=https://one"}, [Credential("https://one", "word", "")]),
        (
            {"UV_INDEX": "https://me@one/s", "UV_KEYRING_PROVIDER": "subprocess"},
            {"UV_INDEX": "https://me@one/s", "UV_KEYRING_PROVIDER": "subprocess"},
            [],
        ),
        ({"UV_INDEX_ELSEWHERE_USERNAME": "me", "UV_INDEX_ELSEWHERE_PASSWORD": "x"}, {}, []),
        ({"UV_PUBLISH_TOKEN": "x", "UV_GITHUB_TOKEN": "y", "UV_HTTP_TIMEOUT": "3"}, {"UV_HTTP_TIMEOUT": "3"}, []),
    ],
)  # fmt: skip
def test_credentials_are_told_from_settings(
    settings: dict[str, str], plain: dict[str, str], credentials: list[Credential]
) -> None:
    assert apart(settings) == (plain, credentials)


def test_credentials_are_bound_to_their_address_and_to_the_host_where_its_files_lie() -> None:
    credentials = [Credential("https://h:8443/one/s", "a", 'q"\\é'), Credential("https://h:8443/two/s", "b", "2")]
    body = tomllib.loads(toml(credentials))["credential"]
    assert [(each["service"], each["username"]) for each in body] == [
        ("https://h:8443/one/s", "a"),
        ("https://h:8443/two/s", "b"),
        ("https://h:8443", "a"),
    ]
    assert body[0]["password"] == 'q"\\é'


SECRET = "s3cr3t-of-the-owner"
ADDRESSES = st.sampled_from(
    ["https://h/s", f"https://u:{SECRET}@h/s", f"https://{SECRET}@h/s", f"n=https://u:{SECRET}@h"]
)
NAMES = [
    "UV_INDEX",
    "UV_DEFAULT_INDEX",
    "UV_EXTRA_INDEX_URL",
    "UV_INDEX_URL",
    "UV_FIND_LINKS",
    "UV_PYTHON_INSTALL_MIRROR",
]
SETTINGS = st.dictionaries(st.sampled_from(NAMES), st.lists(ADDRESSES, max_size=3).map(" ".join))
SECRETS = st.dictionaries(
    st.sampled_from(["UV_INDEX_N_PASSWORD", "UV_INDEX_OTHER_PASSWORD", "UV_PUBLISH_TOKEN"]), st.just(SECRET)
)


@given(SETTINGS, SECRETS)
def test_nothing_secret_is_ever_in_the_environment_of_uv(settings: dict[str, str], secrets: dict[str, str]) -> None:
    uv = Uv("uv", "/nowhere", {**settings, **secrets})
    assert not [value for env in (uv._env, uv._heeding) for value in env.values() if SECRET in value]
    assert SECRET not in str(apart({**settings, **secrets}).settings)
