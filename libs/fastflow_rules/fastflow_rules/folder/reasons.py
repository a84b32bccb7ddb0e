"""Why a folder cannot be run as it is, each reason a statement of its own."""

from fastflow_events.message import Statement


class NoName(Statement, frozen=True, tag="folder.no_name"):
    """Nothing may be called like it."""

    english = (
        'the folder "{folder}…" is passed over: the name of a pipeline is UTF-8 of at most {most} bytes, and '
        "all but A-Z, a-z, 0-9, _ and - count three times"
    )
    folder: str
    most: int


class Included(Statement, frozen=True, tag="folder.included"):
    """Nobody reads all that."""

    english = "the files that requirements include are too large, as is {path}"
    path: str


class AndMore(Statement, frozen=True, tag="folder.and_more"):
    """Reasons that are not said one by one."""

    english = "and {more} more"
    more: int


class OfFile(Statement, frozen=True, tag="folder.of_file"):
    """Of which file."""

    english = "{file}: {problem}"
    file: str
    problem: Statement


class OfCell(Statement, frozen=True, tag="folder.of_cell"):
    """Of which cell of a notebook."""

    english = "{file}, code cell {number}, {problem}"
    file: str
    number: int
    problem: Statement


class NotRegular(Statement, frozen=True, tag="folder.not_regular"):
    """It is to be read."""

    english = "{path} is no regular file"
    path: str


class LongFile(Statement, frozen=True, tag="folder.long_file"):
    """Nobody writes so much by hand."""

    english = "{path} has {size_bytes} bytes; at most {most} are read"
    path: str
    size_bytes: int
    most: int


class NoNotebookThere(Statement, frozen=True, tag="folder.no_notebook_there"):
    """Its own file says otherwise."""

    english = 'the type is "notebook", but there is no {path}'
    path: str


class LinkedEntryPoint(Statement, frozen=True, tag="folder.linked_entry_point"):
    """It is what is executed."""

    english = "{path} is a symbolic link; it has to be a regular file"
    path: str


class Pointer(Statement, frozen=True, tag="folder.pointer"):
    """It is what is executed or says what is needed."""

    english = "{path} is a Git LFS pointer; its content is not fetched"
    path: str


class NotANotebook(Statement, frozen=True, tag="folder.not_a_notebook"):
    """In the words of who reads it."""

    english = "{path} is no notebook: {error}"
    path: str
    error: str


class OldNotebook(Statement, frozen=True, tag="folder.old_notebook"):
    """Of before 2015."""

    english = "{path} is no notebook; it is of an old format: open and save it in Jupyter once"
    path: str


class NoCells(Statement, frozen=True, tag="folder.no_cells"):
    """A JSON file of another kind."""

    english = "{path} is no notebook: it has no cells"
    path: str


class SeveralBlocks(Statement, frozen=True, tag="folder.several_blocks"):
    """Nobody knows which one counts."""

    english = "{path}: {blocks} cells name packages (# /// script); only one may"
    path: str
    blocks: int


class PythonTooOld(Statement, frozen=True, tag="folder.python_too_old"):
    """What executes them needs it."""

    english = "notebooks need Python 3.10 or newer, and python_version is {python}"
    python: str


class OtherFormat(Statement, frozen=True, tag="folder.other_format"):
    """A newer one."""

    english = "{path} is of notebook format {version}; this release executes format {executed}"
    path: str
    version: str
    executed: int


class OtherLanguage(Statement, frozen=True, tag="folder.other_language"):
    """A notebook of another kernel."""

    english = "{path} is written in {language}; only Python can be executed"
    path: str
    language: str


class NoPath(Statement, frozen=True, tag="folder.no_path"):
    """Git stores what no folder holds."""

    english = "{path} is no path a file may have"
    path: str


class LongPath(Statement, frozen=True, tag="folder.long_path"):
    """Git stores what no folder holds."""

    english = "{path} is too long for a file system"
    path: str


class PathTwice(Statement, frozen=True, tag="folder.path_twice"):
    """Git stores what no folder holds."""

    english = "{path} is there twice"
    path: str


class FileAndFolder(Statement, frozen=True, tag="folder.file_and_folder"):
    """Git stores what no folder holds."""

    english = "{path} is a file and a folder at once"
    path: str


class LinkOut(Statement, frozen=True, tag="folder.link_out"):
    """A run has its own folder only."""

    english = "{path} is a symbolic link to {target}, which leads out of the pipeline's folder or in a circle"
    path: str
    target: str


class Unlocked(Statement, frozen=True, tag="folder.unlocked"):
    """The lock is older than the project."""

    english = "pyproject.toml names {package}, which uv.lock does not have; type: uv lock"
    package: str


class VariableUnused(Statement, frozen=True, tag="folder.variable_unused"):
    """No variable of a run is there then."""

    english = (
        "{file}: {variable} is not replaced when packages are prepared; credentials of package indexes are "
        "set for the runner"
    )
    file: str
    variable: str


class Unseen(Statement, frozen=True, tag="folder.unseen"):
    """It would be part of a name."""

    english = "{file}: {line} holds U+FEFF, which nobody sees; remove it"
    file: str
    line: str


class BesideFolder(Statement, frozen=True, tag="folder.beside_folder"):
    """A run has its own folder only."""

    english = "{file} names {path}, which lies beside the pipeline's folder; packages may lie in it only"
    file: str
    path: str


class NotInFolder(Statement, frozen=True, tag="folder.not_in_folder"):
    """It leads nowhere."""

    english = "{file} names {path}, which is not in the pipeline's folder"
    file: str
    path: str


class TooManyFiles(Statement, frozen=True, tag="folder.too_many_files"):
    """A bomb, or data."""

    english = "the folder holds more than {most} files"
    most: int


class TooLarge(Statement, frozen=True, tag="folder.too_large"):
    """A bomb, or data."""

    english = "the folder holds more than {most_mb} MB"
    most_mb: int
