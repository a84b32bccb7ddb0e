"""What a requirements file may say, and what of it uv has to hear again when it installs from the lock."""

import posixpath
import re
from collections.abc import Iterator

from fastflow_runner.entry.folder import inside, read

_INDEX_OPTIONS = (
    *("-i", "--index-url", "--extra-index-url", "-f", "--find-links", "--no-index"),
    *("--no-binary", "--only-binary"),
)
_FILE_OPTIONS = ("-r", "--requirement", "-c", "--constraint")
_PATH_OPTIONS = ("-i", "--index-url", "--extra-index-url", "-f", "--find-links")
_EDITABLE = re.compile(r"^\s*(?:-e\s*|--editable(?:\s+|=))")
_VARIABLE = re.compile(r"\$\{[A-Za-z0-9_]+\}")
_NAMED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\s*(?:\[[^\]]*\])?\s*@\s*(.*)")
_SUFFIXES = (".whl", ".tar.gz", ".tgz", ".zip", ".tar.bz2", ".tar.xz")
_MAX_FILES = 50


def refusal(text: str, folder: str) -> str | None:
    """A sentence on why the file cannot be used; None when it can. What it leans on has to lie in `folder`."""
    seen: set[str] = set()
    todo = [("", text)]
    while todo:
        path, text = todo.pop()
        for line, option in _lines(text):
            if why := variable(line) or unseen(line):
                return why
            value = _value(line, option)
            if option in _FILE_OPTIONS:
                target = posixpath.join(posixpath.dirname(path), value)
                if "://" in value or not inside(folder, target):
                    return f"a requirements file may lean on files of its own folder only; it says: {line}"
                there = read(folder, target)
                if there is None:
                    return f"there is no such file in the pipeline's folder: {line}"
                if target not in seen and len(seen) < _MAX_FILES:
                    seen.add(target)
                    todo.append((target, there))
            elif (local := _path_of(value, option)) is not None and not inside(folder, local):
                return f"packages may lie in the pipeline's own folder only; it says: {line}"
    return None


def variable(line: str) -> str | None:
    """A sentence when the line names a variable, which uv would put the value of in its place."""
    if found := _VARIABLE.search(line):
        return (
            f"{found[0]} is not replaced when packages are prepared: no pipeline gets variables of the runner's. "
            "Credentials of package indexes are set for the runner"
        )
    return None


def unseen(line: str) -> str | None:
    """A sentence when the line holds a mark that some pass over and others do not: it may be an option for uv alone."""
    return f"{line!r} holds U+FEFF, which nobody sees; remove it" if "\ufeff" in line else None


def local_path(requirement: str) -> str | None:
    """The path that a requirement names; None when it is a name, or an address."""
    specifier = requirement.split(" --hash", 1)[0].split(" ;", 1)[0].strip()
    named = _NAMED.match(specifier)
    link = (named[1] if named else specifier).strip()
    if link.startswith("file:"):
        return link[5:].removeprefix("//")
    if link.startswith("git+file:"):
        return link.partition("://")[2] or link
    if "://" in link or link.startswith("git+"):
        return None
    link = re.sub(r"\[[^\]/]*\]\Z", "", link)
    if named or "/" in link or link.startswith(".") or link.endswith(_SUFFIXES):
        return link
    return None


def place_path(place: str) -> str | None:
    """The path of a place where packages are found; None for an address."""
    if place.startswith("file:"):
        return local_path(place)
    return None if "://" in place else place


def names_local(text: str) -> bool:
    """True when a line asks for a package by where it lies in the folder."""
    return any(not option and local_path(line) is not None for line, option in _lines(without_editable(text)))


def names_files(text: str) -> bool:
    """True when an option names something in the folder."""
    return any(
        option in _FILE_OPTIONS or (option in _PATH_OPTIONS and place_path(_value(line, option)) is not None)
        for line, option in _lines(text)
    )


def without_editable(text: str) -> str:
    """The same packages, none of them to be changed where it lies: nothing of a run's packages can be."""
    return "".join(f"{_EDITABLE.sub(_as_path, line)}\n" for line in text.splitlines())


def _as_path(editable: re.Match[str]) -> str:
    """What stands before a path, so that it is none of a name."""
    rest = editable.string[editable.end() :]
    return "" if rest.startswith((".", "/")) or "://" in rest or "@" in rest or rest.startswith("file:") else "./"


def index_options(text: str) -> str:
    """Lines that say where packages are found; the lock does not repeat them."""
    found = (line for line, option in _lines(text) if option in _INDEX_OPTIONS)
    return "".join(f"{line}\n" for line in found)


def has_packages(lock: str) -> bool:
    """False when the lock, or the requirements, ask for nothing."""
    return any(not option or option in ("-r", "--requirement") for _, option in _lines(lock))


def _lines(text: str) -> Iterator[tuple[str, str]]:
    """Each line that says something, without its comment, and the option that it begins with."""
    for line in text.replace("\\\r\n", "").replace("\\\n", "").splitlines():
        stripped = re.sub(r"(^|\s)#.*\Z", "", line).strip()
        if not stripped:
            continue
        option = stripped.split("=", 1)[0].split(None, 1)[0] if stripped.startswith("-") else ""
        # Short options may be glued to their value.
        yield stripped, option if option.startswith("--") else option[:2]


def _value(line: str, option: str) -> str:
    if not option:
        return line
    value = line[len(option) :].strip()
    value = value[1:].strip() if value.startswith("=") else value
    return value.strip("\"'")


def _path_of(value: str, option: str) -> str | None:
    if option in ("-e", "--editable"):
        return local_path(without_editable(f"-e {value}").strip())
    if not option:
        return local_path(value)
    return place_path(value) if option in _PATH_OPTIONS else None
