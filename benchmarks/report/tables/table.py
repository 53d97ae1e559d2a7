"""What a table consists of."""

from dataclasses import dataclass

from benchmarks.results.formatting import DASH, format_estimate
from benchmarks.results.records import LayerEstimate

NOT_MEASURED = "not measured in this run"
ONE_CLASS = "not defined: only one class among these examples"


@dataclass(frozen=True)
class Line:
    """One line of an entry: a number, its label, and a note shown on hover."""

    text: str
    label: str = ""
    note: str = ""


@dataclass(frozen=True)
class Entry:
    """The content of one cell: one or more lines, the most important first."""

    lines: tuple[Line, ...]
    tint: str = ""
    """Background colour, as CSS."""
    is_grey: bool = False
    """Whether it is shown as not meaningful."""

    @property
    def is_measured(self) -> bool:
        """Whether the run measured the first line."""
        return self.lines[0].note != NOT_MEASURED


@dataclass(frozen=True)
class Heading:
    """The heading of a row, a column or a section, with a note below or beside it."""

    text: str
    note: str = ""
    is_grey: bool = False


@dataclass(frozen=True)
class Row:
    """One row of a table."""

    heading: Heading
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Block:
    """Consecutive rows, under a title if it is not empty."""

    title: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Table:
    """A table; `corner` is the heading of the column of row headings."""

    caption: str
    corner: str
    columns: tuple[Heading, ...]
    blocks: tuple[Block, ...]


def estimate_line(estimate: LayerEstimate | None, label: str = "") -> Line:
    """Return an estimate with its interval, or a dash and the reason why there is none."""
    if estimate is None:
        return Line(DASH, label, NOT_MEASURED)
    if estimate.is_undefined:
        return Line(DASH, label, ONE_CLASS)
    layer = "" if estimate.layer is None else f", layer {estimate.layer}"
    return Line(format_estimate(estimate), label, f"n = {estimate.n}{layer}")
