"""Whatever a folder holds, its packages are told, or refused in a sentence: never a traceback."""

from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from fastflow_runner.entry.folder import MAX_PACKED_BYTES, packed, unpacked
from fastflow_runner.entry.locks import is_local, is_pylock, portable, with_built
from fastflow_runner.entry.uv import RefusedError, Uv
from fastflow_runner.entry.wanted import NotStagedError, wanted
from hypothesis import example, given
from hypothesis import strategies as st

TEXTS = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        [
            "tool = 3\n",
            "[tool]\nuv = 3\n",
            "package = 3\n",
            "[[package]]\nsource = 3\n",
            "[[package]]\nsource = { editable = '..' }\n",
            "[tool.uv]\nindex = 3\nfind-links = 3\nsources = 3\n",
            "index = [3, { url = 3 }]\n",
            "x = " + "[" * 4000,
            "-e ..\n",
            "-r\n",
            "@\n",
            "x @\n",
        ]
    ),
)
FILES = st.dictionaries(st.sampled_from(["uv.toml", "pyproject.toml", "uv.lock", "requirements.txt"]), TEXTS)
SOURCES = ["pep723", "script_lock", "uv_lock", "requirements_lock", "requirements"]


@given(st.sampled_from(SOURCES), TEXTS, FILES, st.sampled_from([(), ("nbclient",)]))
@example("script_lock", "package=1", {}, ())
def test_whatever_a_folder_holds_it_is_read_or_refused(
    source: str, text: str, files: dict[str, str], extra: tuple[str, ...]
) -> None:
    with TemporaryDirectory() as folder:
        for name, content in files.items():
            Path(folder, name).write_bytes(content.encode("utf-8", "surrogatepass"))
        about = {"source": source, "text": text, "sha256": "", "folder": folder, "file": f"{folder}/main.py"}
        with suppress(RefusedError, NotStagedError):
            wanted({**about, "extra": extra}, Uv("uv", "/nowhere", {}))


def test_settings_that_reach_further_are_refused_where_something_is_added_to_a_lock(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.uv]\nexclude-newer = '2026-01-01'\nhttps-proxy = 'http://x'\n")
    order = {"source": "uv_lock", "text": "version = 1\n", "sha256": "", "folder": str(tmp_path), "file": ""}
    assert wanted(order, Uv("uv", "/nowhere", {})).lock_of == "project"
    with pytest.raises(RefusedError, match="https-proxy"):
        wanted({**order, "extra": ("nbclient",)}, Uv("uv", "/nowhere", {}))


PYLOCK = 'lock-version = "1.0"\ncreated-by = "uv"\n\n[[packages]]\nname = "x"\n'


def test_a_lock_names_no_folder_that_is_gone_tomorrow_and_none_beside_the_pipelines(tmp_path: Path) -> None:
    (tmp_path / "w").mkdir()
    here = str(tmp_path)
    lock = PYLOCK + f'archive = {{ path = "{here}/w/x.whl" }}\n'
    assert portable(lock, here, here) == PYLOCK + 'archive = { path = "w/x.whl" }\n'
    assert is_local(portable(lock, here, here))
    assert not is_local(PYLOCK)
    for outside in ("/etc/x.whl", "../x.whl", "w/../../x.whl"):
        with pytest.raises(RefusedError, match="own folder only"):
            portable(PYLOCK + f'archive = {{ path = "{outside}" }}\n', here, here)
    with pytest.raises(RefusedError, match="own folder only"):
        portable("x @ file:///etc/x.whl\n", here, here)


def test_what_was_built_stands_for_a_folder_in_a_lock_of_files(tmp_path: Path) -> None:
    wheel = tmp_path / "x-1.0-py3-none-any.whl"
    wheel.write_bytes(b"wheel")
    lock = (
        PYLOCK + 'marker = "True"\ndirectory = { path = "x" }\n\n[[packages]]\nname = "y"\nversion = "2"\nwheels = []\n'
    )
    found = with_built(lock, [str(wheel), str(tmp_path / "y-1-py3-none-any.whl")])
    assert is_pylock(found)
    assert f'name = "x"\nmarker = "True"\narchive = {{ path = "{wheel}", hashes = {{ sha256 = "' in found
    assert 'name = "y"\nversion = "2"\nwheels = []\n' in found


def test_a_folder_travels_as_text_and_not_without_end(tmp_path: Path) -> None:
    folder = tmp_path / "f"
    (folder / "lib").mkdir(parents=True)
    (folder / "lib/x.py").write_text("1")
    (folder / "uv.toml").write_text("")
    unpacked(packed(str(folder), whole=True), str(tmp_path / "all"))
    unpacked(packed(str(folder), whole=False), str(tmp_path / "some"))
    assert (tmp_path / "all/lib/x.py").read_text() == "1"
    assert [path.name for path in (tmp_path / "some").iterdir()] == ["uv.toml"]
    (folder / "data").write_bytes(b"".join(bytes([n % 251, n * 7 % 253]) for n in range(1000)))
    with (folder / "noise").open("wb") as noise, Path("/dev/urandom").open("rb") as source:
        noise.write(source.read(MAX_PACKED_BYTES + 1_000_000))
    with pytest.raises(RefusedError, match="too large"):
        packed(str(folder), whole=True)
