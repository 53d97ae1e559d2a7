"""The table of the gate: figures of the model's own answers, by context and subset."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from benchmarks.report.tables.table import Block, Entry, Heading, Row, Table, estimate_line
from benchmarks.results.records import CellRecord, LayerEstimate
from benchmarks.results.summary import Summary

SUBSETS = ("all", "disagree", "agree")
"""The order of columns; other subsets come last."""


class GateColumn(NamedTuple):
    """Which examples a figure of the gate is about, and what the answers are compared with."""

    context: str
    against: str
    subset: str
    metric: str


def gate_table(summary: Summary) -> Table:
    """Return every figure of every gate, with its verdict and reasons; gated cells come first."""
    columns = _columns(summary.cells)
    blocks = tuple(
        Block(f"{cell.cell}: {_verdict(cell)}", tuple(_rows(cell, columns)))
        for cell in sorted(summary.cells, key=lambda cell: not cell.is_gated)
    )
    headings = tuple(
        Heading(f"{column.context}, {column.subset}", _unit(column)) for column in columns
    )
    title = "The model's own answers: AUROC, and the share that follows the quirk"
    return Table(title, "split", headings, blocks)


def _unit(column: GateColumn) -> str:
    """Return what a column shows: the AUROC against the truth or the quirk, or a share."""
    return f"share by the {column.against}" if column.metric == "share" else column.against


def _columns(cells: Iterable[CellRecord]) -> list[GateColumn]:
    """Return the columns by context: against the truth first in A, the quirk first elsewhere."""
    columns = {_column(figure) for cell in cells for figure in cell.gate["figures"]}

    def position(column: GateColumn) -> tuple[str, bool, int, str]:
        known = column.subset in SUBSETS
        subset = SUBSETS.index(column.subset) if known else len(SUBSETS)
        is_second = (column.against == "quirk") == (column.context == "A")
        return column.context, is_second, subset, column.metric

    return sorted(columns, key=position)


def _column(figure: dict[str, Any]) -> GateColumn:
    return GateColumn(*(figure[name] for name in GateColumn._fields))


def _rows(cell: CellRecord, columns: Sequence[GateColumn]) -> Iterator[Row]:
    """Yield a row for each split."""
    figures = {(figure["split"], _column(figure)): figure for figure in cell.gate["figures"]}
    for split in dict.fromkeys(split for split, _ in figures):
        estimates = (_estimate(figures.get((split, column))) for column in columns)
        entries = (Entry((estimate_line(item),), is_grey=cell.is_void) for item in estimates)
        yield Row(Heading(split), tuple(entries))


def _verdict(cell: CellRecord) -> str:
    if not cell.is_gated:
        return "not gated"
    if cell.is_void:
        return "void. " + "; ".join(cell.gate["reasons"])
    return "passed"


def _estimate(figure: dict[str, Any] | None) -> LayerEstimate | None:
    if figure is None:
        return None
    value, low, high = (
        float("nan") if figure[name] is None else figure[name] for name in ("value", "low", "high")
    )
    return LayerEstimate(value, low, high, figure["n"])
