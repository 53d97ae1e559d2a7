"""Tables of probes by transfer: the headline, every cell, and known against withheld facts."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from benchmarks.report.tables.table import (
    Block,
    Entry,
    Heading,
    Line,
    Row,
    Table,
    estimate_line,
)
from benchmarks.results.formatting import (
    format_estimate,
    format_number,
    format_transfer,
)
from benchmarks.results.records import CellRecord, Group, LayerEstimate, mean_value
from benchmarks.results.summary import HEADLINE_RULE, HEADLINE_TRANSFER, Summary

LAYER_RULES = {
    "eil": "layer chosen by EIL",
    "last": "last layer",
    "middle": "middle layer",
    "ensemble": "ensemble of layers",
    "oracle": "best layer with hindsight (oracle)",
}
"""How captions name the layer rules; a rule that is not listed has its own name."""
NO_GAP = "not shown: ceiling − floor is below .1, or one of them is not defined"


@dataclass(frozen=True)
class Section:
    """All tables of one model on one task, and why the cell is void, if it is."""

    heading: Heading
    reasons: tuple[str, ...]
    tables: tuple[Table, ...]


def headline_table(summary: Summary) -> Table:
    """Return the headline of every probe and reader on every cell, with the mean and the oracle."""
    groups = summary.groups
    means = _mean_columns(summary)

    def rows(names: Iterable[str]) -> tuple[Row, ...]:
        return tuple(
            Row(
                Heading(name),
                (
                    *(_headline_entry(summary, group.main, name) for group in groups),
                    *(_mean_entry(summary, counted, name) for _, counted in means),
                ),
            )
            for name in names
        )

    return Table(
        f"{format_transfer(HEADLINE_TRANSFER)} against the truth, {LAYER_RULES[HEADLINE_RULE]}",
        "probe",
        (
            *(_group_heading(group, summary.is_leaky(group.main)) for group in groups),
            *(heading for heading, _ in means),
        ),
        (Block("", rows(summary.probes)), Block("no hidden state", rows(summary.readers))),
    )


def _mean_columns(summary: Summary) -> list[tuple[Heading, list[Group]]]:
    """Return the columns of means with the cells that they are over; leaky tasks have their own."""
    passed = [group for group in summary.groups if group.main.is_counted]
    leaky = [group for group in passed if summary.is_leaky(group.main)]
    fair = [group for group in passed if group not in leaky]
    if not leaky:
        return [(Heading("mean", f"over the {_count(passed)} that passed the gate"), passed)]
    note = "that passed the gate, of tasks whose text gives"
    return [
        (Heading("mean, fair", f"over the {_count(fair)} {note} little away"), fair),
        (Heading("mean, leaky", f"over the {_count(leaky)} {note} the truth away"), leaky),
    ]


def _count(groups: Sequence[Group]) -> str:
    return f"{len(groups)} cell" if len(groups) == 1 else f"{len(groups)} cells"


def cell_sections(summary: Summary) -> list[Section]:
    """Return, for every model on every task, a table of probes by transfer per layer rule."""
    return [
        Section(
            _group_heading(group, summary.is_leaky(group.main)),
            tuple(group.main.gate["reasons"]) if group.main.is_void else (),
            tuple(_cell_table(summary, group, rule) for rule in summary.layer_rules),
        )
        for group in summary.groups
    ]


def withheld_tables(summary: Summary) -> list[Table]:
    """Return, for every cell with withheld facts, a table of known and withheld per layer rule."""
    tables = (
        _withheld_table(summary, group, rule)
        for group in summary.groups
        for rule in summary.layer_rules
    )
    return [table for table in tables if table.columns]


def transfer_heading(cell: CellRecord, transfer: str) -> Heading:
    """Return the heading of a transfer's column, grey and with the reason if it has caveats.

    Void cells have no reason here, since it stands above their tables.
    """
    caveats = cell.caveats(transfer)
    note = f"not meaningful: {'; '.join(caveats)}" if caveats and not cell.is_void else ""
    return Heading(format_transfer(transfer), note, bool(caveats))


def _cell_table(summary: Summary, group: Group, rule: str) -> Table:
    def rows(cell: CellRecord, names: Sequence[str], control: str = "") -> tuple[Row, ...]:
        def entry(name: str, transfer: str) -> Entry:
            return _transfer_entry(summary, cell, name, transfer, rule, control)

        return _rows(names, summary.transfers, entry)

    probes, readers = summary.probes, summary.readers
    blocks = [
        Block("", rows(group.main, probes)),
        Block("no hidden state", rows(group.main, readers)),
    ]
    for control in summary.controls:
        blocks.append(Block(f"control: {control} labels", rows(group.main, probes, control)))
    for cell in group.controls:
        title = "before fine-tuning" if cell.variant == "base" else cell.variant
        blocks.append(Block(f"control: {title}", rows(cell, (*probes, *readers))))
    return _table(group, rule, summary.transfers, tuple(block for block in blocks if block.rows))


def _withheld_table(summary: Summary, group: Group, rule: str) -> Table:
    """Return known and withheld facts by transfer; no columns if the cell has no withheld facts."""
    cell, names = group.main, (*summary.probes, *summary.readers)

    def estimate(name: str, transfer: str, subset: str) -> LayerEstimate | None:
        return summary.estimate(cell, name, transfer, rule=rule, subset=subset)

    def entry(name: str, transfer: str) -> Entry:
        lines = (
            estimate_line(estimate(name, transfer, "all"), "known"),
            estimate_line(estimate(name, transfer, "withheld"), "withheld"),
        )
        return Entry(lines, is_grey=bool(cell.caveats(transfer)))

    transfers = [
        transfer
        for transfer in summary.transfers
        if any(estimate(name, transfer, "withheld") for name in names)
    ]
    return _table(group, rule, transfers, (Block("", _rows(names, transfers, entry)),))


def _table(group: Group, rule: str, transfers: Sequence[str], blocks: tuple[Block, ...]) -> Table:
    void = " (void)" if group.main.is_void else ""
    caption = f"{group.name}, {LAYER_RULES.get(rule, rule)}{void}"
    headings = tuple(transfer_heading(group.main, transfer) for transfer in transfers)
    return Table(caption, "probe", headings, blocks)


def _rows(
    names: Iterable[str], transfers: Sequence[str], entry: Callable[[str, str], Entry]
) -> tuple[Row, ...]:
    """Return a row for each name that has an estimate."""
    rows = (
        Row(Heading(name), tuple(entry(name, transfer) for transfer in transfers)) for name in names
    )
    return tuple(row for row in rows if any(entry.is_measured for entry in row.entries))


def _headline_entry(summary: Summary, cell: CellRecord, probe: str) -> Entry:
    entry = _transfer_entry(summary, cell, probe, HEADLINE_TRANSFER, HEADLINE_RULE)
    oracle = summary.oracle(cell, probe)
    if not oracle:
        return entry
    text = f"{format_number(oracle.value)} at layer {oracle.layer}"
    line = Line(text, "oracle", "the best layer with hindsight: an oracle, not a result")
    return replace(entry, lines=(*entry.lines, line))


def _mean_entry(summary: Summary, groups: Sequence[Group], probe: str) -> Entry:
    def line(subset: str, label: str) -> Line:
        estimates = [summary.estimate(group.main, probe, subset=subset) for group in groups]
        mean, count = mean_value(estimates)
        note = f"mean over {count} cells" if count else "no cell that counts has this figure"
        return Line(format_number(mean), label, note)

    return Entry((line("disagree", ""), line("all", "all")))


def _transfer_entry(
    summary: Summary, cell: CellRecord, probe: str, transfer: str, rule: str, control: str = ""
) -> Entry:
    """Return the AUROC on disagreeing and all examples, and the recovered gap if measured."""
    disagree, everything = (
        summary.estimate(cell, probe, transfer, rule=rule, control=control, subset=subset)
        for subset in ("disagree", "all")
    )
    lines = [estimate_line(disagree), estimate_line(everything, "all")]
    for subset in ("all", "disagree"):
        gap = summary.estimate(
            cell,
            probe,
            transfer,
            rule=rule,
            control=control,
            subset=subset,
            metric="recovered_gap",
        )
        if gap:
            note = NO_GAP if gap.is_undefined else f"recovered gap, {subset} examples"
            lines.append(Line(format_estimate(gap), "gap", note))
            break
    return Entry(tuple(lines), _tint(disagree), bool(cell.caveats(transfer)))


def _group_heading(group: Group, is_leaky: bool) -> Heading:
    gate = "void" if group.main.is_void else "" if group.main.is_gated else "not gated"
    notes = [gate, "leaky: the text alone says much" if is_leaky else ""]
    return Heading(group.name, "; ".join(filter(None, notes)), group.main.is_void)


def _tint(estimate: LayerEstimate | None) -> str:
    """Return blue where the truth is read, orange where the lie is read, none at chance."""
    if estimate is None or estimate.is_undefined:
        return ""
    colour = "11, 95, 165" if estimate.value > 0.5 else "194, 65, 12"
    return f"rgba({colour}, {abs(estimate.value - 0.5) * 0.5:.3f})"
