"""A folder of the repository → a pipeline, or every reason why it is none; pure.

| the folder holds | it is |
|---|---|
| neither `main.py` nor `main.ipynb` | no pipeline |
| broken metadata, a link that leads out, an impossible path | invalid, with the reasons; never run with defaults |
| `type` and entry point that do not fit, or a notebook that cannot be executed | invalid |
| else | a pipeline |
"""

from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import TypeAlias

from fastflow_events import subjects
from fastflow_events.aggregates.run.specification import Requirements
from fastflow_events.errors import ContractError
from fastflow_events.message import Statement, Verbatim
from msgspec import Struct
from msgspec.structs import replace

from fastflow_rules.definition import MAX_BYTES, Definition, RepositoryFile, parse
from fastflow_rules.definition.model import warned
from fastflow_rules.definition.problem import Problem
from fastflow_rules.definition.repository import NAME as FASTFLOW_JSON
from fastflow_rules.folder import reasons, remarks
from fastflow_rules.folder.entries import Entry, Folder
from fastflow_rules.folder.links import shown, unsafe_links, unsafe_names
from fastflow_rules.folder.notebooks import read_notebook, unfit
from fastflow_rules.folder.packages import doubtful, impossible
from fastflow_rules.folder.requirements import FILES, included, requirements, requires_python
from fastflow_rules.folder.sizes import too_large, within

SCRIPT, NOTEBOOK = "main.py", "main.ipynb"
MAX_TEXT_BYTES = 5 * 1024**2
"""Longer requirements and scripts are not looked into."""
MAX_LINK_BYTES = 4096
MAX_ERRORS = 20
MAX_ERROR_LENGTH = 500
MAX_SHOWN = 5
LFS_POINTER = b"version https://git-lfs.github.com/spec/v1\n"
LFS_SIZES = range(110, 200)
"""Bytes of a pointer; only files of such a size are looked into."""
MAX_LFS_CANDIDATES = 2000
_MARKS = ((BOM_UTF8, "utf-8"), (BOM_UTF16_LE, "utf-16-le"), (BOM_UTF16_BE, "utf-16-be"))


class Runnable(Struct, frozen=True, kw_only=True):
    """A pipeline that can be run."""

    folder: Folder
    definition: Definition
    requirements: Requirements


class Invalid(Struct, frozen=True, kw_only=True):
    """A pipeline that cannot be run as it is."""

    folder: Folder
    reasons: tuple[Statement, ...]

    @property
    def errors(self) -> tuple[str, ...]:
        """One sentence each."""
        return tuple(map(str, self.reasons))


Judged: TypeAlias = Runnable | Invalid


def is_name(folder: str) -> bool:
    """True when a pipeline may be called like this: it has to fit into a subject."""
    try:
        subjects.encode(folder)
    except (ContractError, UnicodeEncodeError):
        return False
    return True


def no_name(folder: str) -> Statement:
    """Say that no pipeline may be called like this folder."""
    start = folder.encode("utf-8", "replace")[:40].decode("utf-8", "ignore")
    return reasons.NoName(start, subjects.MAX_TOKEN_BYTES)


def is_pipeline(names: Sequence[Entry]) -> bool:
    """True when what lies directly in a folder makes it a pipeline, runnable or not."""
    return any(entry.path in (SCRIPT, NOTEBOOK) and not entry.is_submodule for entry in names)


def wanted(folder: Folder, entries: Sequence[Entry], contents: Mapping[str, bytes]) -> list[Entry]:
    """What has to be read, besides `contents`, to inspect the folder; `[]` when that is enough."""
    metadata = _metadata(folder, entries)
    names = {*FILES, NOTEBOOK, *within(entries, included(_texts(contents)))}
    pointers = [entry for entry in entries if entry.is_file and entry.size in LFS_SIZES][:MAX_LFS_CANDIDATES]
    names |= {entry.path for entry in pointers}
    return [
        entry
        for entry in entries
        if entry.path not in contents
        and (
            (entry.is_link and entry.size <= MAX_LINK_BYTES)
            or (entry.is_file and entry.path in names and entry.size <= MAX_TEXT_BYTES)
            or (entry == metadata and entry.is_file and entry.size <= MAX_BYTES)
        )
    ]


def inspect(
    folder: Folder,
    entries: Sequence[Entry],
    contents: Mapping[str, bytes],
    repository: RepositoryFile | None = None,
) -> Runnable | Invalid:
    """Judge a folder that `is_pipeline`, with everything that was `wanted` at hand."""
    texts = _texts(contents)
    links = {e.path: contents.get(e.path, b"").decode("utf-8", "surrogateescape") for e in entries if e.is_link}
    errors: list[Statement] = [
        *too_large(entries),
        *unsafe_names(entry.path for entry in entries),
        *unsafe_links(links),
    ]
    if left_out := (included(texts) & {entry.path for entry in entries}) - within(entries, included(texts)):
        errors.append(reasons.Included(shown(min(left_out))))
    definition = _definition(folder, entries, contents, repository)
    if isinstance(definition, Definition):
        definition = _with_kind(definition, entries, errors)
        definition = _without_pointers(definition, contents, errors)
        if definition.kind == "notebook":
            # What names packages stands in one of its cells.
            definition, texts[SCRIPT] = _of_notebook(definition, entries, contents, errors)
        elif definition.cells:
            definition = warned(definition, [remarks.CellsUnused()])
    else:
        errors += definition
    if errors or not isinstance(definition, Definition):
        return invalid(folder, errors)
    definition = replace(definition, python=definition.python or requires_python(texts))
    entry_point = NOTEBOOK if definition.kind == "notebook" else SCRIPT
    if definition.isolation != "jit":
        errors += impossible(texts, entries)
        if errors:
            return invalid(folder, errors)
        definition = warned(definition, doubtful(texts, entry_point))
    return Runnable(folder=folder, definition=definition, requirements=requirements(texts, entries))


def invalid(folder: Folder, errors: Sequence[Statement]) -> Invalid:
    """The folder with its reasons, the first twenty of them."""
    more = len(errors) - MAX_ERRORS
    first = (
        error if len(str(error)) <= MAX_ERROR_LENGTH else Verbatim(str(error)[:MAX_ERROR_LENGTH]) for error in errors
    )
    return Invalid(folder=folder, reasons=(*islice(first, MAX_ERRORS), *([reasons.AndMore(more)] if more > 0 else [])))


def _metadata(folder: Folder, entries: Sequence[Entry]) -> Entry | None:
    by_path = {entry.path: entry for entry in entries}
    return by_path.get("pipeline.json") or by_path.get(f"{folder.name}.json")


def _definition(
    folder: Folder, entries: Sequence[Entry], contents: Mapping[str, bytes], repository: RepositoryFile | None
) -> Definition | list[Statement]:
    metadata = _metadata(folder, entries)
    if metadata is None:
        silent = parse(b"{}", folder=folder.name, repository=repository)
        return silent if isinstance(silent, Definition) else _of_file(FASTFLOW_JSON, silent)
    if not metadata.is_file:
        return [reasons.NotRegular(metadata.path)]
    if metadata.size > MAX_BYTES:
        return [reasons.LongFile(metadata.path, metadata.size, MAX_BYTES)]
    found = parse(contents[metadata.path], folder=folder.name, repository=repository)
    return found if isinstance(found, Definition) else _of_file(metadata.path, found)


def _of_file(file: str, problems: Sequence[Problem]) -> list[Statement]:
    return [reasons.OfFile(file, problem.statement) for problem in problems]


def _with_kind(definition: Definition, entries: Sequence[Entry], errors: list[Statement]) -> Definition:
    """Check the entry point; a folder with nothing but a notebook, and no word about its type, is a notebook."""
    by_path = {entry.path: entry for entry in entries}
    if definition.kind == "script" and SCRIPT not in by_path:
        definition = replace(definition, kind="notebook")
    entry_point = by_path.get(NOTEBOOK if definition.kind == "notebook" else SCRIPT)
    if entry_point is None:
        errors.append(reasons.NoNotebookThere(NOTEBOOK))
    elif not entry_point.is_file:
        errors.append(reasons.LinkedEntryPoint(entry_point.path))
    left_out = [shown(entry.path) for entry in entries if entry.is_submodule]
    if left_out:
        definition = warned(definition, [remarks.Submodules(tuple(left_out[:MAX_SHOWN]))])
    return definition


def _of_notebook(
    definition: Definition, entries: Sequence[Entry], contents: Mapping[str, bytes], errors: list[Statement]
) -> tuple[Definition, str]:
    """Judge the notebook itself; the text of its cell that names packages comes with it."""
    content = contents.get(NOTEBOOK)
    if content is None:
        sizes = [entry.size for entry in entries if entry.path == NOTEBOOK and entry.is_file]
        if not sizes:
            return definition, ""
        return warned(definition, [remarks.NotLookedInto(NOTEBOOK, sizes[0])]), ""
    if content.startswith(LFS_POINTER):
        return definition, ""
    notebook = read_notebook(content, NOTEBOOK)
    unfitting, warnings = unfit(definition, notebook)
    errors += [*notebook.errors, *unfitting]
    return warned(definition, [] if notebook.errors else warnings), notebook.block


def _without_pointers(definition: Definition, contents: Mapping[str, bytes], errors: list[Statement]) -> Definition:
    """Say which files are not what they seem: Git LFS keeps their content elsewhere."""
    pointers = sorted(path for path, content in contents.items() if content.startswith(LFS_POINTER))
    entry_point = NOTEBOOK if definition.kind == "notebook" else SCRIPT
    errors += [reasons.Pointer(shown(path)) for path in pointers if path in (entry_point, *FILES)]
    if not pointers:
        return definition
    names, more = tuple(shown(path) for path in pointers[:MAX_SHOWN]), len(pointers) - MAX_SHOWN
    return warned(definition, [remarks.PointersAndMore(names, more) if more > 0 else remarks.Pointers(names)])


def _texts(contents: Mapping[str, bytes]) -> dict[str, str]:
    return {path: _decoded(content) for path, content in contents.items()}


def _decoded(content: bytes) -> str:
    """Text in the encoding that its first bytes tell, as uv and pip read it; else in UTF-8."""
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return content[len(mark) :].decode(encoding, "replace").lstrip("\ufeff")
    return content.decode("utf-8", "replace")
