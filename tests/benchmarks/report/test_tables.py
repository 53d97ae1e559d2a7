"""The tables: what has caveats is grey and says why."""

from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.report.tables.gate import gate_table
from benchmarks.report.tables.table import Table
from benchmarks.report.tables.transfers import cell_sections, withheld_tables
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


def test_the_gate_shows_what_it_does_not_require(make_run: Callable[..., Path]) -> None:
    columns = gate_table(Summary.read(make_run(unseen=0.43))).columns
    headings = [(column.text, column.note) for column in columns]
    assert headings[-2:] == [("B2, agree", "quirk"), ("T, all", "truth")]
