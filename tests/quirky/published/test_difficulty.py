"""How hard a claim of the published tasks is: by its rows, by a column, by a file."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from published_data import ROWS, Rows, claims_of, nli, write

from quirky.example import Claim
from quirky.tasks import get_task


@pytest.mark.parametrize(
    ("name", "harder"), [("capitals", "population"), ("authors", "ratings_count")]
)
def test_what_few_know_of_is_harder(
    name: str, harder: str, claims: Callable[..., list[Claim]]
) -> None:
    rows = ROWS[name]()
    key = "city" if name == "capitals" else "title"
    size = {row[key]: row[harder] for row in rows}
    for claim in claims(name, rows):
        assert claim.difficulty == -size[claim.fields[key]]


@pytest.mark.parametrize("name", sorted(ROWS))
def test_a_column_of_difficulty_counts_more(name: str, claims: Callable[..., list[Claim]]) -> None:
    rows = [{**row, "difficulty": 0.25 + i % 3} for i, row in enumerate(ROWS[name]())]
    assert {claim.difficulty for claim in claims(name, rows)} == {0.25, 1.25, 2.25}


def test_a_file_says_how_hard_each_claim_is(tmp_path: Path) -> None:
    path = write(tmp_path / "data.csv", nli())
    asked = claims_of("nli", path)
    told = pd.DataFrame({"question_id": [claim.question_id for claim in asked]})
    told["difficulty"] = [float(i) for i in range(len(asked))]
    told["fact_id"] = [claim.fact_id for claim in asked]
    for key, end in (("question_id", "parquet"), ("fact_id", "csv")):
        file = tmp_path / f"hard.{end}"
        some = told[[key, "difficulty"]]
        some.to_parquet(file) if end == "parquet" else some.to_csv(file, index=False)
        ranked = claims_of("nli", path, difficulty=str(file))
        assert [claim.difficulty for claim in ranked] == list(told["difficulty"])
    told.iloc[1:].to_parquet(tmp_path / "short.parquet")
    with pytest.raises(ValueError, match=r"short\.parquet': no difficulty for the claim"):
        claims_of("nli", path, difficulty=str(tmp_path / "short.parquet"))


@pytest.mark.parametrize(
    ("rows", "named"),
    [
        ([{"question_id": "a", "hard": 1}], "column difficulty is missing"),
        ([{"question": "a", "difficulty": 1}], "column question_id or fact_id is missing"),
        ([{"fact_id": "a", "difficulty": "x"}], "row 2, column difficulty: 'x' is not a number"),
        ([{"fact_id": "a", "difficulty": 1}] * 2, "row 3, column fact_id: 'a' occurs twice"),
    ],
)
def test_a_file_of_difficulties_is_checked_when_it_is_named(
    tmp_path: Path, rows: Rows, named: str
) -> None:
    file = write(tmp_path / "hard.csv", rows)
    with pytest.raises(ValueError, match=re.escape(f"{file}")) as caught:
        get_task("sciq", difficulty=str(file))
    assert named in str(caught.value)
    assert json.dumps(str(caught.value)).count("\\n") == 0
