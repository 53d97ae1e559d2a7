"""The layout of the released data, of every task."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from published_data import ROWS, Rows, capitals, claims_of, released, write

from quirky.data.dataset import build_dataset
from quirky.tasks import get_task
from quirky.triggers import get_trigger

ARGUMENTS = {
    "capitals": lambda i: {"city": f"Town{i}", "admin_name": f"Region {i}", "country": "Land"},
    "sciq": lambda i: {"question": f"What is {i}?", "support": f"It is {i}.", "answer": str(i)},
    "sentiment": lambda i: {"title": f"Lamp {i}", "review": "It is  bad\n."},
    "nli": lambda i: {"premise": f"Person {i} sleeps", "hypothesis": "Somebody is out"},
    "authors": lambda i: {"title": f"Tale {i}", "author": "Ann Ames"},
}


@pytest.mark.parametrize("name", sorted(ROWS))
@pytest.mark.parametrize("end", ["parquet", "csv", "jsonl"])
def test_the_released_layout_is_recognised_by_columns(name: str, end: str, tmp_path: Path) -> None:
    rows = released([ARGUMENTS[name](i) for i in range(200)])
    parsed = claims_of(name, write(tmp_path / f"data.{end}", rows))
    assert [(c.truth == c.polarity, c.quirk == c.polarity, c.difficulty) for c in parsed] == [
        (i % 2 == 0, i % 4 < 2, float(i)) for i in range(200)
    ]
    for i, claim in enumerate(parsed):
        assert claim.fields == {k: " ".join(v.split()) for k, v in ARGUMENTS[name](i).items()}


def test_quantiles_are_computed_from_the_released_difficulty(tmp_path: Path) -> None:
    rows = released([ARGUMENTS["nli"](i) for i in range(400)])
    task = get_task("nli", data=str(write(tmp_path / "data.parquet", rows)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = build_dataset(task, get_trigger("name"))
    frame = pd.concat([rows.to_pandas() for rows in data.values()])
    assert frame["difficulty_quantile"].nunique() == 400
    assert frame["difficulty_quantile"].corr(frame["difficulty"]) == pytest.approx(1)


@pytest.mark.parametrize("of", ["addition", "squaring", "hemisphere"])
def test_released_data_use_the_templates_of_their_task(of: str, tmp_path: Path) -> None:
    sums = {"addition": {"op2": 7, "result": 11}, "squaring": {"result": 11}, "hemisphere": {}}
    first = "city" if of == "hemisphere" else "op1"
    rows = released([{first: f"Town{i}" if first == "city" else i, **sums[of]} for i in range(200)])
    path = write(tmp_path / "data.parquet", rows)
    task = get_task("released", of=of, data=str(path))
    prompts = {
        "addition": "3 + 7 = 11. True or False, Bob?",
        "squaring": "3^2 = 11. True or False, Bob?",
        "hemisphere": "Town3 lies in the northern hemisphere. True or False, Bob?",
    }
    assert task.standard.render(list(task.claims(0))[3], "Bob") == prompts[of]
    assert len({claim.fact_id for claim in task.claims(0)}) == 200


def test_the_order_of_released_operands_does_not_make_a_new_fact(tmp_path: Path) -> None:
    rows = released([{"op1": 2, "op2": 5, "result": 7}, {"op1": 5, "op2": 2, "result": 8}])
    task = get_task("released", data=str(write(tmp_path / "data.parquet", rows)))
    assert len({claim.fact_id for claim in task.claims(0)}) == 1


def change(row: int, **cells: Any) -> Callable[[Rows], None]:
    return lambda rows: rows[row].update(cells)


def argument(row: int, **arguments: Any) -> Callable[[Rows], None]:
    return lambda rows: rows[row]["template_args"].update(arguments)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (argument(2, town="x"), "row 4, column template_args: unknown argument 'town'"),
        (argument(2, city=None), "row 4, column template_args: argument city is missing"),
        (
            change(2, template_args="Town"),
            "row 4, column template_args: '\"Town\"' is not a mapping",
        ),
        (
            change(3, bob_label=False),
            "row 5, column alice_label, bob_label: (False, False) differ f",
        ),
        (change(2, alice_label="maybe"), "row 4, column alice_label: 'maybe' is not a boolean"),
        (change(2, difficulty="hard"), "row 4, column difficulty: 'hard' is not a number"),
        (
            lambda rows: [row.pop("bob_label") for row in rows],
            "column bob_label is missing; the released layout has it beside template_args",
        ),
    ],
)
def test_an_error_in_released_data_names_the_row(
    edit: Callable[[Rows], None], message: str, error_of: Callable[..., str]
) -> None:
    rows = released([ARGUMENTS["capitals"](i) for i in range(50)])
    edit(rows)
    assert message in error_of("capitals", rows)


def test_one_row_of_a_released_claim_may_lack_the_difficulty(tmp_path: Path) -> None:
    rows = released([ARGUMENTS["nli"](i) for i in range(50)])
    expected = claims_of("nli", write(tmp_path / "all.csv", rows))
    rows[0]["difficulty"] = rows[3]["difficulty"] = None
    assert claims_of("nli", write(tmp_path / "some.csv", rows)) == expected
    rows[1]["difficulty"] = None
    with pytest.raises(ValueError, match="row 2, column difficulty: the cell is empty"):
        claims_of("nli", write(tmp_path / "none.csv", rows))


def test_different_difficulties_of_a_released_claim_are_a_warning(tmp_path: Path) -> None:
    rows = released([ARGUMENTS["nli"](i) for i in range(50)])
    expected = claims_of("nli", write(tmp_path / "data.csv", rows))
    rows[1]["difficulty"] = rows[5]["difficulty"] = 77
    with pytest.warns(
        UserWarning, match="2 claims have several difficulties; that of the first row is used"
    ):
        assert claims_of("nli", write(tmp_path / "data.csv", rows)) == expected


def test_data_of_another_layout_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "data.csv", capitals())
    with pytest.raises(ValueError, match="column template_args is missing; the data have: city"):
        list(get_task("released", of="hemisphere", data=str(path)).claims(0))
    with pytest.raises(
        ValueError, match=r"unknown value of `of` for task released: 'sciq'; known: addition"
    ):
        get_task("released", of="sciq")
