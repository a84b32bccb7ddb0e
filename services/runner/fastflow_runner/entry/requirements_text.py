"""What a requirements file may say, and what of it uv has to hear again when it installs from the lock."""

from collections.abc import Iterator

_INDEX_OPTIONS = ("-i", "--index-url", "--extra-index-url", "-f", "--find-links", "--no-index")
_FILE_OPTIONS = ("-r", "--requirement", "-c", "--constraint", "-e", "--editable")


def _options(text: str) -> Iterator[tuple[str, str]]:
    for line in text.replace("\\\r\n", "").replace("\\\n", "").splitlines():
        stripped = line.strip()
        if stripped.startswith("-"):
            yield stripped, stripped.split("=", 1)[0].split(None, 1)[0]


def refusal(text: str) -> str | None:
    """A sentence on why the file cannot be used; None when it can."""
    for line, option in _options(text):
        # Short options may be glued to their value.
        if option in _FILE_OPTIONS or option[:2] in _FILE_OPTIONS:
            return f"requirements.txt must stand alone; it says: {line}"
    return None


def index_options(text: str) -> str:
    """Lines that say where packages are found; the lock does not repeat them."""
    found = (line for line, option in _options(text) if option in _INDEX_OPTIONS)
    return "".join(f"{line}\n" for line in found)


def has_packages(lock: str) -> bool:
    """False when the lock asks for nothing."""
    lines = (line.strip() for line in lock.splitlines())
    return any(line and not line.startswith(("#", "-")) for line in lines)


def without_options(text: str) -> str:
    """The lines that name packages, with the hashes that belong to them."""
    kept: list[str] = []
    for line in text.splitlines():
        continues = bool(kept) and kept[-1].endswith("\\")
        if line.strip() and (continues or not line.startswith("-")):
            kept.append(line)
    return "".join(f"{line}\n" for line in kept)
