"""What the user sees: answers on stdout, everything about them on stderr."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import msgspec
from fastflow_events.printable import tame_json
from rich.console import Console
from rich.markup import escape

from fastflow_cli import tables
from fastflow_cli.streams import shown


class _Console(Console):
    """Rich's console, but for what happens when nobody reads any more: that is decided in one place."""

    def on_broken_pipe(self) -> None:
        """Let the command end."""
        raise BrokenPipeError


out = _Console(highlight=False)
err = _Console(stderr=True, highlight=False)


def say(text: str, *, style: str | None = None) -> None:
    """A line about what is going on; plain text, never markup."""
    err.print(shown(text, err.encoding, one_line=True), style=style, markup=False, soft_wrap=True)


def show(text: str, *, style: str | None = None) -> None:
    """A line of the answer; plain text, never markup."""
    out.print(shown(text, out.encoding, one_line=True), style=style, markup=False, soft_wrap=True)


def show_json(value: object) -> None:
    """The answer for programs: one JSON value on one line."""
    raw(tame_json(msgspec.json.encode(value)) + b"\n")


def raw(data: bytes, *, stderr: bool = False) -> None:
    """Bytes exactly as they are."""
    stream = sys.stderr if stderr else sys.stdout
    stream.flush()
    stream.buffer.write(data)
    stream.buffer.flush()


def show_table(columns: Sequence[str], rows: Sequence[Sequence[str]], *, empty: str) -> None:
    """Rows under headings; `empty` is said instead of an empty table."""
    if not rows:
        say(empty)
        return
    cells = [[shown(cell, out.encoding, one_line=True) for cell in row] for row in rows]
    console = out if out.is_terminal else _Console(file=sys.stdout, width=400, highlight=False)
    console.print(tables.fitting(columns, cells, console.width))


def fail(text: str, *, fix: str | None = None) -> None:
    """An expected error: one sentence and the line to type."""
    err.print(f"[bold red]error:[/] {escape(shown(text, err.encoding))}", soft_wrap=True)
    if fix:
        err.print(f"  type:  [bold]{escape(shown(fix, err.encoding))}[/]", soft_wrap=True)


@contextmanager
def progress(text: str) -> Iterator[None]:
    """Show that something takes its time; silent where nobody watches."""
    if err.is_terminal:
        spinner = "line" if err.options.ascii_only else "dots"
        with err.status(escape(shown(text, err.encoding)), spinner=spinner):
            yield
    else:
        yield
