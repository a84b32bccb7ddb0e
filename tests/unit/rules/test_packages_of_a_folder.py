"""What a folder's packages lean on, and what is said of them before anything is prepared."""

from collections.abc import Mapping

import pytest
from fastflow_rules.definition import parse
from fastflow_rules.definition.model import Definition
from fastflow_rules.folder import Entry, Folder, Invalid, Runnable, inspect
from hypothesis import given
from hypothesis import strategies as st

PROJECT = '[project]\nname = "p"\nversion = "1"\ndependencies = ["idna"]\n'
LOCK = 'version = 1\n[[package]]\nname = "idna"\nsource = { registry = "https://h/s" }\n'
BLOCK = '# /// script\n# dependencies = ["x"]\n# [tool.uv.sources]\n# x = { path = "libs/x" }\n# ///\n'


def judged(files: Mapping[str, str | bytes], oids: Mapping[str, str] | None = None) -> Runnable | Invalid:
    contents = {
        path: text.encode() if isinstance(text, str) else text for path, text in {"main.py": "", **files}.items()
    }
    entries = [
        Entry(path=path, mode="100644", oid=(oids or {}).get(path, path), size=len(content))
        for path, content in contents.items()
    ]
    return inspect(Folder(name="p", tree=""), entries, contents)


def errors(files: Mapping[str, str | bytes]) -> str:
    found = judged(files)
    return " ".join(found.errors) if isinstance(found, Invalid) else ""


def warnings(files: Mapping[str, str | bytes]) -> str:
    found = judged(files)
    assert isinstance(found, Runnable), found
    return " ".join(found.definition.warnings)


def digest(files: Mapping[str, str | bytes], oids: Mapping[str, str] | None = None) -> str:
    found = judged(files, oids)
    assert isinstance(found, Runnable), found
    return found.requirements.sha256


@pytest.mark.parametrize(
    ("files", "leant"),
    [
        ({"requirements.txt": "./wheels/x.whl\n", "wheels/x.whl": ""}, "wheels/x.whl"),
        ({"requirements.txt": "x @ file:./x.whl\n", "x.whl": ""}, "x.whl"),
        ({"requirements.txt": "-e lib[dev]\n", "lib/setup.py": ""}, "lib/setup.py"),
        ({"requirements.txt": ".\n", "deep/er/setup.py": ""}, "deep/er/setup.py"),
        ({"requirements.txt": "--find-links=wheels\nx\n", "wheels/x.whl": ""}, "wheels/x.whl"),
        ({"requirements.txt": "-c c.txt\nx\n", "c.txt": "x<2\n"}, "c.txt"),
        ({"requirements.txt": "-r r/a.txt\n", "r/a.txt": "-c c.txt\nx\n", "r/c.txt": ""}, "r/c.txt"),
        ({"requirements.txt": "x\n", "uv.toml": "exclude-newer = '2026-01-01'\n"}, "uv.toml"),
        ({"requirements.txt": "x\n", "pyproject.toml": "[tool.uv]\nno-index = true\n"}, "pyproject.toml"),
        ({"main.py": BLOCK, "libs/x/setup.py": ""}, "libs/x/setup.py"),
        ({"main.py": BLOCK.replace("libs/x", "x.whl"), "x.whl": ""}, "x.whl"),
        ({"uv.lock": LOCK, "pyproject.toml": PROJECT}, "pyproject.toml"),
        (
            {
                "uv.lock": LOCK + '[[package]]\nname = "l"\nsource = { editable = "libs/l" }\n',
                "pyproject.toml": PROJECT,
                "libs/l/l.py": "",
            },
            "libs/l/l.py",
        ),
    ],
)
def test_what_packages_lean_on_is_part_of_what_they_are(files: dict[str, str], leant: str) -> None:
    before = digest(files)
    assert digest(files, {leant: "another"}) != before
    assert digest({**files, "data.csv": ""}) == before or "." in files.get("requirements.txt", "")[:2]


def test_packages_that_lean_on_nothing_are_what_their_text_is() -> None:
    assert digest({"requirements.txt": "x\n"}) == digest(
        {"requirements.txt": "x\n", "more.txt": "1"}, {"more.txt": "2"}
    )


@pytest.mark.parametrize(
    ("files", "word"),
    [
        ({"requirements.txt": "../x\n"}, "names ../x, which lies beside the pipeline's folder"),
        ({"requirements.txt": "-r ../x.txt\n"}, "lies beside the pipeline's folder"),
        ({"requirements.txt": "x @ file:///srv/x.whl\n"}, "lies beside the pipeline's folder"),
        ({"requirements.txt": "-e ../lib\n"}, "lies beside the pipeline's folder"),
        ({"requirements.txt": "-f a/../../b\nx\n"}, "lies beside the pipeline's folder"),
        ({"requirements.txt": "./x.whl\n"}, "names ./x.whl, which is not in the pipeline's folder"),
        ({"requirements.txt": "-i https://${TOKEN}@h/s\nx\n"}, "${TOKEN} is not replaced"),
        ({"main.py": BLOCK.replace("libs", "../libs")}, "the block names ../libs/x"),
        (
            {
                "uv.lock": LOCK + '[[package]]\nname = "l"\nsource = { editable = "../l" }\n',
                "pyproject.toml": PROJECT,
            },
            "uv.lock names ../l, which lies beside",
        ),
        (
            {
                "uv.lock": LOCK,
                "pyproject.toml": PROJECT.replace('["idna"]', '["Id_NA>3", "new"]').replace("Id_NA", "idna"),
            },
            "names new, which uv.lock does not have",
        ),
    ],
)
def test_packages_that_can_never_be_had_are_told_at_once(files: dict[str, str], word: str) -> None:
    assert word in errors(files)
    assert errors({**files, "pipeline.json": '{"isolation": "jit"}'}) == ""


@pytest.mark.parametrize(
    ("files", "word"),
    [
        ({"pyproject.toml": PROJECT}, "has no uv.lock"),
        ({"pyproject.toml": PROJECT, "uv.lock": LOCK}, ""),
        ({"pyproject.toml": PROJECT, "main.py": '# /// script\n# dependencies = ["x"]\n# ///\n'}, ""),
        ({"requirements.txt": "--no-binary x\nx\n"}, "says --no-binary"),
        ({"main.py": 'subprocess.run(["uv", "pip", "install", "x"])\n'}, '"isolation": "jit"'),
        ({"main.py": 'os.system(f"pip install {x}")\n'}, '"isolation": "jit"'),
        ({"main.py": 'import x  # pip install x\nprint("pip install x")\n'}, ""),
        ({"pipeline.json": '{"schedule_cron": "*/90 * * * *"}'}, "steps over all 60 minutes"),
        ({"pipeline.json": '{"schedule_cron": "0 */36,3 * * *"}'}, "steps over all 24 hours"),
        ({"pipeline.json": '{"schedule_cron": "*/60 */24 */31 */12 */7"}'}, ""),
        ({"pipeline.json": '{"timeout": 5, "timeout": 6}'}, '"timeout" is given twice'),
        ({"pipeline.json": '{"default_env": {"A": "1", "A": "2"}}'}, '"A" is given twice'),
    ],
)
def test_what_is_hardly_meant_is_warned_of(files: dict[str, str], word: str) -> None:
    assert word in warnings(files) if word else warnings(files) == ""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_files_are_read_in_the_encoding_that_they_tell(encoding: str) -> None:
    found = judged({"requirements.txt": "-r a.txt\nü\n".encode(encoding), "a.txt": "idna\n".encode(encoding)})
    assert isinstance(found, Runnable)
    assert found.requirements.text == "idna\nü\n"


def test_a_byte_order_mark_hides_no_block() -> None:
    found = judged({"main.py": b'\xef\xbb\xbf# /// script\n# dependencies = ["x"]\n# ///\n'})
    assert isinstance(found, Runnable)
    assert found.requirements.source == "pep723"


@pytest.mark.parametrize("marks", [1, 2, 5])
def test_any_number_of_marks_hides_no_option(marks: int) -> None:
    files = {"requirements.txt": "\ufeff" * marks + "-r more.txt\n", "more.txt": "\ufeff" * marks + "idna\n"}
    found = judged(files)
    assert isinstance(found, Runnable)
    assert found.requirements.text == "idna\n"


def test_a_mark_in_the_middle_is_refused() -> None:
    found = judged({"requirements.txt": "certifi\n\ufeff-r more.txt\n", "more.txt": "idna\n"})
    assert isinstance(found, Invalid)
    assert "U+FEFF" in found.errors[0]


def test_the_lock_of_a_script_wins_and_holds_for_one_block() -> None:
    block = '# /// script\n# dependencies = ["x"]\n# ///\n'
    found = judged({"main.py": block, "main.py.lock": LOCK})
    assert isinstance(found, Runnable)
    assert found.requirements.source == "script_lock"
    assert digest({"main.py": block, "main.py.lock": LOCK}, {"main.py": "another"}) != found.requirements.sha256


@given(st.text(alphabet="./-ercf @[]:$={}x\n#\\", max_size=60))
def test_whatever_is_written_it_is_judged(text: str) -> None:
    judged({"requirements.txt": text, "uv.toml": text, "main.py": f"# /// script\n# {text}\n# ///\n"})
    assert isinstance(parse(b"{}", folder="x"), Definition)
