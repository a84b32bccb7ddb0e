"""Figures, how they are shown, and how they are kept."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec import Struct
from rich.console import Console
from rich.table import Table

from benchmarks.measure import Sample

FILE = Path(__file__).with_name("results.json")


class Budget(Struct, frozen=True):
    """What a ratio should be."""

    limit: float
    at_least: bool = False
    """True when more is better."""

    def holds(self, ratio: float) -> bool:
        """True when the ratio keeps the budget."""
        return ratio >= self.limit if self.at_least else ratio <= self.limit

    def __str__(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {self.limit:g}"


class Result(Struct, frozen=True, kw_only=True):
    """One entry of `results.json`."""

    name: str
    value: float
    unit: str
    baseline: float
    ratio: float
    budget: str
    holds: bool


class Figure(Struct, frozen=True, kw_only=True):
    """One row of the table."""

    name: str
    ours: Sample
    bare: Sample
    unit: str
    against: str
    """What the baseline is."""
    budget: Budget | None
    """None where nothing is promised."""

    @property
    def result(self) -> Result:
        """What is kept of it."""
        ratio = self.ours.value / self.bare.value
        return Result(
            name=self.name,
            value=round(self.ours.value, 4),
            unit=self.unit,
            baseline=round(self.bare.value, 4),
            ratio=round(ratio, 3),
            budget=str(self.budget or "none"),
            holds=self.budget is None or self.budget.holds(ratio),
        )


def write(figures: Sequence[Figure]) -> None:
    """Replace `results.json`."""
    FILE.write_bytes(msgspec.json.format(msgspec.json.encode([figure.result for figure in figures])) + b"\n")


def show(console: Console, figures: Sequence[Figure], title: str) -> None:
    """Print the table: medians, the range of what was measured below them."""
    table = Table(title=title, title_justify="left", show_lines=True)
    for heading in ("what", "Fast-Flow", "baseline", "ratio", "budget", "holds"):
        table.add_column(heading, justify="left" if heading == "what" else "right")
    for figure in figures:
        result = figure.result
        mark = "[green]yes[/]" if result.holds else "[red]no[/]"
        table.add_row(
            f"{figure.name}\n[dim]against {figure.against}[/]",
            _cell(figure.ours, figure.unit),
            _cell(figure.bare, figure.unit),
            f"{result.ratio:.3g}",
            result.budget,
            mark,
        )
    console.print(table)


def _cell(sample: Sample, unit: str) -> str:
    middle = f"{_number(sample.value)} {unit}"
    if sample.low == sample.high:
        return middle
    return f"{middle}\n[dim]{_number(sample.low)} to {_number(sample.high)}[/]"


def _number(value: float) -> str:
    if value >= 1000:
        return f"{value:,.0f}".replace(",", " ")
    return f"{value:.3g}"
