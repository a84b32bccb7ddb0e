"""What the user sees: answers on stdout, everything about them on stderr."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def say(text: str, *, style: str | None = None) -> None:
    """A line about what is going on; plain text, never markup."""
    err.print(text, style=style, markup=False, soft_wrap=True)


def show(text: str, *, style: str | None = None) -> None:
    """A line of the answer; plain text, never markup."""
    out.print(text, style=style, markup=False, soft_wrap=True)


def show_json(value: object) -> None:
    """The answer for programs: one JSON value on one line."""
    raw(msgspec.json.encode(value) + b"\n")


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
    table = Table(*columns, box=None, header_style="bold", pad_edge=False)
    for row in rows:
        table.add_row(*(escape(cell) for cell in row))
    if out.is_terminal:
        out.print(table)
    else:
        Console(file=sys.stdout, width=400, highlight=False).print(table)


def fail(text: str, *, fix: str | None = None) -> None:
    """An expected error: one sentence and the line to type."""
    err.print(f"[bold red]error:[/] {escape(text)}", soft_wrap=True)
    if fix:
        err.print(f"  type:  [bold]{escape(fix)}[/]", soft_wrap=True)


@contextmanager
def progress(text: str) -> Iterator[None]:
    """Show that something takes its time; silent where nobody watches."""
    if err.is_terminal:
        with err.status(escape(text)):
            yield
    else:
        yield
