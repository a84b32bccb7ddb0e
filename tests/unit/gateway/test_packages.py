"""Packages of a lock, and which of them somebody asked for."""

import pytest
from fastflow_gateway.core.packages import Package, asked_for, packages_of

LINES = """idna==3.10 \\
    --hash=sha256:0
Some_Thing[extra]==1.0 ; python_version < "3.12"
mine @ git+https://x.example/y@1
# a comment==1
"""
TOML = """lock-version = "1.0"

[[packages]]
name = "idna"
version = "3.10"

[[packages]]
name = "local"
"""


def test_both_kinds_of_locks_are_read() -> None:
    assert [(package.name, package.version) for package in packages_of(LINES, None)] == [
        ("idna", "3.10"),
        ("mine", None),
        ("Some_Thing", "1.0"),
    ]
    assert packages_of(TOML, frozenset({"local"})) == [
        Package(name="idna", version="3.10", direct=False),
        Package(name="local", version=None, direct=True),
    ]
    assert packages_of("", None) == packages_of('lock-version = "1.0"\n[[', None) == []


@pytest.mark.parametrize(
    ("source", "text", "names"),
    [
        ("requirements", "idna>=3\n# no\n-r other.txt\nSome.Thing [x] == 1\n", {"idna", "some-thing"}),
        ("pep723", '# /// script\n# dependencies = ["idna<4", "Rich"]\n# ///\n', {"idna", "rich"}),
        ("pep723", 'dependencies = ["idna"]', {"idna"}),
        ("none", "", set()),
        ("uv_lock", "version = 1", None),
        ("pep723", "dependencies = [", set()),
    ],
)
def test_it_is_told_what_somebody_asked_for(source: str, text: str, names: set[str] | None) -> None:
    assert asked_for(source, text) == (None if names is None else frozenset(names))
