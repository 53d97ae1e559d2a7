"""The tables: what has caveats is grey and says why."""

from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.report.tables.gate import gate_table
from benchmarks.report.tables.table import Table
from benchmarks.report.tables.transfers import cell_sections, headline_table, withheld_tables
from benchmarks.results.formatting import format_number
from benchmarks.results.summary import Summary


def grey_transfers(table: Table) -> set[str]:
    """Return the transfers whose entries are all grey, for the probes of the cell itself."""
    return {
        column.text
        for place, column in enumerate(table.columns)
        if all(row.entries[place].is_grey for row in table.blocks[0].rows)
    }


@pytest.mark.parametrize(
    ("follows", "agreeing", "fault"),
    [
        (0.95, None, ""),
        (0.95, 0.9, ""),
        (0.43, None, "in B2 on all is 0.43, below 0.8; "),
        (0.95, 0.1, "not meaningful: AUROC against the quirk in B2 on agree is 0.10, below 0.8"),
    ],
)
def test_a_transfer_to_b2_is_grey_where_the_model_does_not_follow_its_quirk(
    make_run: Callable[..., Path], follows: float, agreeing: float | None, fault: str
) -> None:
    run_dir = make_run(unseen=follows, agreeing=agreeing, void=())
    for section in cell_sections(Summary.read(run_dir)):
        for table in section.tables:
            (heading,) = (column for column in table.columns if column.text == "A→B2")
            assert fault in heading.note
            assert bool(heading.note) == bool(fault)
            grey = {"A→B2"} if fault else set()
            assert {column.text for column in table.columns if column.is_grey} == grey
            assert grey_transfers(table) == grey


def test_a_transfer_that_is_grey_is_grey_on_withheld_facts_too(
    make_run: Callable[..., Path],
) -> None:
    run_dir = make_run(unseen=0.43, void=("tiny-neox-fiction-quirky",))
    void, *_, passed = withheld_tables(Summary.read(run_dir))
    assert grey_transfers(void) == {column.text for column in void.columns}
    assert "A→B" in grey_transfers(void)
    assert grey_transfers(passed) == {"A→B2"}


def test_without_leaky_tasks_there_is_one_mean(make_run: Callable[..., Path]) -> None:
    *cells, mean = headline_table(Summary.read(make_run(void=()))).columns
    assert [cell.note for cell in cells] == [""] * 4
    assert (mean.text, mean.note) == ("mean", "over the 4 cells that passed the gate")


def test_cells_of_leaky_tasks_have_a_mean_of_their_own(make_run: Callable[..., Path]) -> None:
    summary = Summary.read(make_run(void=("tiny-mamba-addition-quirky",), leaky=("addition",)))
    table = headline_table(summary)
    *cells, fair, leaky = table.columns
    notes = {cell.text: cell.note for cell in cells}
    assert notes["tiny-neox on addition"] == "leaky: the text alone says much"
    assert notes["tiny-mamba on addition"] == "void; leaky: the text alone says much"
    assert notes["tiny-neox on fiction"] == ""
    assert (fair.text, leaky.text) == ("mean, fair", "mean, leaky")
    assert "2 cells" in fair.note
    assert "1 cell " in leaky.note
    (row,) = (row for row in table.blocks[0].rows if row.heading.text == "lr")
    values = {
        group.name: summary.estimate(group.main, "lr").value
        for group in summary.groups
        if group.main.is_counted
    }
    on_fiction = [value for name, value in values.items() if name.endswith("fiction")]
    assert row.entries[-2].lines[0].text == format_number(sum(on_fiction) / 2)
    assert row.entries[-1].lines[0].text == format_number(values["tiny-neox on addition"])


def test_the_gate_shows_the_share_of_lies(make_run: Callable[..., Path]) -> None:
    table = gate_table(Summary.read(make_run(void=())))
    headings = [(column.text, column.note) for column in table.columns]
    place = headings.index(("B, disagree", "share by the quirk"))
    assert headings[place - 1] == ("B, disagree", "quirk")
    assert table.blocks[0].rows[0].entries[place].lines[0].text.startswith(".97 [")


def test_the_gate_shows_what_it_does_not_require(make_run: Callable[..., Path]) -> None:
    columns = gate_table(Summary.read(make_run(unseen=0.43))).columns
    headings = [(column.text, column.note) for column in columns]
    assert headings[-2:] == [("B2, agree", "quirk"), ("T, all", "truth")]
