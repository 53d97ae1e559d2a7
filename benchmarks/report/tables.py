"""The tables of a report, as plain data that the template renders."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.results.summary import (
    HEADLINE_RULE,
    HEADLINE_TRANSFER,
    CellRecord,
    Group,
    LayerEstimate,
    Summary,
    mean,
    number,
    with_interval,
)

RULES = {
    "eil": "layer chosen by EIL",
    "last": "last layer",
    "middle": "middle layer",
    "ensemble": "ensemble of layers",
    "oracle": "best layer with hindsight (oracle)",
}
NOT_MEASURED = "not measured in this run"
ONE_CLASS = "not defined: only one class among these examples"
NO_GAP = "not shown: ceiling − floor is below .1, or one of them is not defined"


@dataclass(frozen=True)
class Line:
    """One line of an entry: what it is, the figure, and a note for whoever points at it."""

    text: str
    label: str = ""
    note: str = ""


@dataclass(frozen=True)
class Entry:
    """A table cell of one or more lines, the first one the most important."""

    lines: tuple[Line, ...]
    tint: str = ""
    void: bool = False


@dataclass(frozen=True)
class Heading:
    """The head of a row or a column."""

    text: str
    note: str = ""
    void: bool = False


@dataclass(frozen=True)
class Row:
    """One row of a table."""

    heading: Heading
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Block:
    """Rows that belong together, under a title of their own if there is one."""

    title: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Table:
    """A table of a report."""

    caption: str
    corner: str
    columns: tuple[Heading, ...]
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Section:
    """All tables of one model on one task."""

    heading: Heading
    reasons: tuple[str, ...]
    tables: tuple[Table, ...]


def headline_table(summary: Summary) -> Table:
    """Every probe and reader on every cell: the headline figure, and what stands beside it."""
    groups = summary.groups
    passed = [group for group in groups if group.main.counts]
    columns = [_group_heading(group) for group in groups]
    cells = "cell" if len(passed) == 1 else "cells"
    columns.append(Heading("mean", f"over the {len(passed)} {cells} that passed the gate"))

    def row(probe: str) -> Row:
        entries = [_headline_entry(summary, group.main, probe) for group in groups]
        return Row(Heading(probe), (*entries, _mean_entry(summary, passed, probe)))

    return Table(
        f"{arrow(HEADLINE_TRANSFER)} against the truth, {RULES[HEADLINE_RULE]}",
        "probe",
        tuple(columns),
        (
            Block("", tuple(row(probe) for probe in summary.probes)),
            Block("no hidden state", tuple(row(reader) for reader in summary.readers)),
        ),
    )


def cell_sections(summary: Summary) -> list[Section]:
    """For every model on every task: probe by transfer, one table per layer rule."""
    return [
        Section(
            _group_heading(group),
            tuple(group.main.gate["reasons"]) if group.main.void else (),
            tuple(_transfer_table(summary, group, rule) for rule in summary.rules),
        )
        for group in summary.groups
    ]


def gate_table(summary: Summary) -> Table:
    """Every figure of every gate, with the verdict and its reasons."""
    columns = _gate_columns(summary.cells)
    blocks = tuple(
        Block(f"{cell.cell}: {_verdict(cell)}", tuple(_gate_rows(cell, columns)))
        for cell in sorted(summary.cells, key=lambda cell: not cell.gate["gated"])
    )
    headings = tuple(
        Heading(f"{context}, {subset}", against) for context, against, subset in columns
    )
    return Table("The model's own AUROC, by context and subset", "split", headings, blocks)


def _transfer_table(summary: Summary, group: Group, rule: str) -> Table:
    def rows(cell: CellRecord, names: Iterable[str], control: str = "") -> tuple[Row, ...]:
        made = []
        for name in names:
            figures = [
                _transfer_entry(summary, cell, name, transfer, rule, control)
                for transfer in summary.transfers
            ]
            if any(entry.lines[0].note != NOT_MEASURED for entry in figures):
                made.append(Row(Heading(name), tuple(figures)))
        return tuple(made)

    probes, readers = summary.probes, summary.readers
    blocks = [
        Block("", rows(group.main, probes)),
        Block("no hidden state", rows(group.main, readers)),
    ]
    for control in summary.controls:
        blocks.append(Block(f"control: {control} labels", rows(group.main, probes, control)))
    for other in group.others:
        title = "before fine-tuning" if other.variant == "base" else other.variant
        blocks.append(Block(f"control: {title}", rows(other, (*probes, *readers))))
    return Table(
        f"{group.name}, {RULES.get(rule, rule)}" + (" (void)" if group.main.void else ""),
        "probe",
        tuple(transfer_heading(group.main, transfer) for transfer in summary.transfers),
        tuple(block for block in blocks if block.rows),
    )


def _headline_entry(summary: Summary, cell: CellRecord, probe: str) -> Entry:
    entry = _transfer_entry(summary, cell, probe, HEADLINE_TRANSFER, HEADLINE_RULE, control="")
    best = summary.best_with_hindsight(cell, probe)
    if not best:
        return entry
    note = "the best layer with hindsight: an oracle, not a result"
    oracle = Line(f"{number(best.value)} at layer {best.layer}", "oracle", note)
    return replace(entry, lines=(*entry.lines, oracle))


def _mean_entry(summary: Summary, groups: Sequence[Group], probe: str) -> Entry:
    def line(subset: str, label: str) -> Line:
        value, count = mean([summary.figure(g.main, probe, subset=subset) for g in groups])
        note = f"mean over {count} cells" if count else "no cell that counts has this figure"
        return Line(number(value), label, note)

    return Entry((line("disagree", ""), line("all", "all")))


def _transfer_entry(
    summary: Summary, cell: CellRecord, probe: str, transfer: str, rule: str, control: str
) -> Entry:
    disagree, everything = (
        summary.figure(cell, probe, transfer, rule=rule, control=control, subset=subset)
        for subset in ("disagree", "all")
    )
    lines = [figure_line(disagree), figure_line(everything, "all")]
    gap = _gap(summary, cell, probe, transfer, rule, control)
    if gap:
        lines.append(gap)
    return Entry(tuple(lines), _tint(disagree), bool(cell.silent_on(transfer)))


GateColumn = tuple[str, str, str]


def _gate_columns(cells: Iterable[CellRecord]) -> list[GateColumn]:
    found = {
        (figure["context"], figure["against"], figure["subset"])
        for cell in cells
        for figure in cell.gate["figures"]
    }
    subsets = {"all": 0, "disagree": 1, "agree": 2}
    return sorted(
        found, key=lambda c: (c[0], (c[1] == "quirk") == (c[0] == "A"), subsets.get(c[2], 3))
    )


def _gate_rows(cell: CellRecord, columns: Sequence[GateColumn]) -> Iterable[Row]:
    figures = {
        (figure["split"], figure["context"], figure["against"], figure["subset"]): figure
        for figure in cell.gate["figures"]
    }
    for split in dict.fromkeys(key[0] for key in figures):
        entries = [
            Entry((figure_line(_estimate(figures.get((split, *column)))),), void=cell.void)
            for column in columns
        ]
        yield Row(Heading(split), tuple(entries))


def _verdict(cell: CellRecord) -> str:
    if not cell.gate["gated"]:
        return "not gated"
    if cell.void:
        return "void. " + "; ".join(cell.gate["reasons"])
    return "passed"


def _gap(
    summary: Summary, cell: CellRecord, probe: str, transfer: str, rule: str, control: str = ""
) -> Line | None:
    """The recovered gap, next to the raw figures it comes from; None where none was computed."""
    resolve_checkpoint: Callable[..., LayerEstimate | None] = summary.figure
    for subset in ("all", "disagree"):
        where: dict[str, Any] = {"rule": rule, "control": control, "subset": subset}
        gap = resolve_checkpoint(cell, probe, transfer, metric="recovered_gap", **where)
        if gap:
            note = NO_GAP if gap.blank else f"recovered gap, {subset} examples"
            return Line(with_interval(gap), "gap", note)
    return None


def figure_line(figure: LayerEstimate | None, label: str = "") -> Line:
    """A figure with its interval, or a dash and why there is none."""
    if figure is None:
        return Line("–", label, NOT_MEASURED)
    if figure.blank:
        return Line("–", label, ONE_CLASS)
    layer = "" if figure.layer is None else f", layer {figure.layer}"
    return Line(with_interval(figure), label, f"n = {figure.n}{layer}")


def _estimate(figure: dict[str, Any] | None) -> LayerEstimate | None:
    if figure is None:
        return None
    value, low, high = (
        float("nan") if figure[name] is None else figure[name] for name in ("value", "low", "high")
    )
    return LayerEstimate(value, low, high, figure["n"])


def _group_heading(group: Group) -> Heading:
    note = "void" if group.main.void else "" if group.main.gate["gated"] else "not gated"
    return Heading(group.name, note, group.main.void)


def _tint(figure: LayerEstimate | None) -> str:
    """Blue where the truth is read, orange where its opposite is, white at chance."""
    if figure is None or figure.blank:
        return ""
    colour = "11, 95, 165" if figure.value > 0.5 else "194, 65, 12"
    return f"rgba({colour}, {abs(figure.value - 0.5) * 0.5:.3f})"


def transfer_heading(cell: CellRecord, transfer: str) -> Heading:
    """The head of a transfer's column, with why its figures say nothing of a cell, if so.

    Why a cell is void is told once, above its tables.
    """
    why = cell.silent_on(transfer)
    note = f"not meaningful: {'; '.join(why)}" if why and not cell.void else ""
    return Heading(arrow(transfer), note, bool(why))


def arrow(transfer: str) -> str:
    """A transfer as it is printed: A→B."""
    return transfer.replace("->", "→")
