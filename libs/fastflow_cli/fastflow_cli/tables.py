"""Rows under headings, as wide as they may be: nothing is cut off, and what one types next stays in one piece."""

from collections.abc import Sequence

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

WORD = 15
"""A word that is longer may be broken."""
GAPS = (2, 1)
"""Blanks between columns, as they are liked and as they may be."""
Rows = Sequence[Sequence[str]]


def fitting(columns: Sequence[str], rows: Rows, width: int) -> Table:
    """Side by side where words stay whole, else one below the other."""
    least, wanted = _words(columns, rows), _cells(columns, rows)
    for gap in GAPS:
        room = width - gap * (len(columns) - 1)
        if sum(least) <= room:
            return side_by_side(columns, rows, widths=shares(least, wanted, room), gap=gap)
    return one_below_the_other(columns, rows)


def shares(least: Sequence[int], wanted: Sequence[int], room: int) -> list[int]:
    """A width for each: the least, and of what is left as much as it wants, those that want little more first."""
    widths = [*least]
    left = room - sum(least)
    for number in sorted(range(len(widths)), key=lambda n: wanted[n] - least[n]):
        more = min(left, max(0, wanted[number] - widths[number]))
        widths[number] += more
        left -= more
    return widths


def _cells(columns: Sequence[str], rows: Rows) -> list[int]:
    """Of each column the widest cell."""
    return [max(cell_len(row[n]) for row in (columns, *rows)) for n in range(len(columns))]


def _words(columns: Sequence[str], rows: Rows) -> list[int]:
    """Of each column the widest word, of the first the widest cell."""
    words = [[word for row in (columns, *rows) for word in row[n].split()] for n in range(1, len(columns))]
    return [_cells(columns, rows)[0], *(min(max(map(cell_len, some)), WORD) for some in words)]


def side_by_side(columns: Sequence[str], rows: Rows, *, widths: Sequence[int], gap: int = GAPS[0]) -> Table:
    """A column for each heading."""
    table = Table(box=None, header_style="bold", padding=(0, gap, 0, 0), pad_edge=False)
    for heading, width in zip(columns, widths, strict=True):
        table.add_column(heading, overflow="fold", width=width)
    for row in rows:
        table.add_row(*map(Text, row))
    return table


def one_below_the_other(columns: Sequence[str], rows: Rows) -> Table:
    """A line for each cell that holds something, and a blank one between rows."""
    table = Table(box=None, show_header=False, padding=(0, GAPS[0], 0, 0), pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for number, row in enumerate(rows):
        if number:
            table.add_row()
        for heading, cell in zip(columns, row, strict=True):
            if cell:
                table.add_row(heading, Text(cell))
    return table
