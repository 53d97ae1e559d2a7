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
def test_rarer_facts_are_harder(name: str, harder: str, claims: Callable[..., list[Claim]]) -> None:
    rows = ROWS[name]()
    key = "city" if name == "capitals" else "title"
    size = {row[key]: row[harder] for row in rows}
    for claim in claims(name, rows):
        assert claim.difficulty == -size[claim.fields[key]]


@pytest.mark.parametrize("name", sorted(ROWS))
def test_a_column_difficulty_takes_precedence(
    name: str, claims: Callable[..., list[Claim]]
) -> None:
    rows = [{**row, "difficulty": 0.25 + i % 3} for i, row in enumerate(ROWS[name]())]
    assert {claim.difficulty for claim in claims(name, rows)} == {0.25, 1.25, 2.25}


def test_a_file_sets_the_difficulty_of_each_claim(tmp_path: Path) -> None:
    path = write(tmp_path / "data.csv", nli())
    plain = claims_of("nli", path)
    table = pd.DataFrame({"question_id": [claim.question_id for claim in plain]})
    table["difficulty"] = [float(i) for i in range(len(plain))]
    table["fact_id"] = [claim.fact_id for claim in plain]
    for key, end in (("question_id", "parquet"), ("fact_id", "csv")):
        file = tmp_path / f"hard.{end}"
        some = table[[key, "difficulty"]]
        some.to_parquet(file) if end == "parquet" else some.to_csv(file, index=False)
        ranked = claims_of("nli", path, difficulty=str(file))
        assert [claim.difficulty for claim in ranked] == list(table["difficulty"])
    table.iloc[1:].to_parquet(tmp_path / "short.parquet")
    with pytest.raises(ValueError, match=r"short\.parquet': no difficulty for the claim"):
        claims_of("nli", path, difficulty=str(tmp_path / "short.parquet"))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"question_id": "a", "hard": 1}], "column difficulty is missing"),
        ([{"question": "a", "difficulty": 1}], "column question_id or fact_id is missing"),
        ([{"fact_id": "a", "difficulty": "x"}], "row 2, column difficulty: 'x' is not a number"),
        ([{"fact_id": "a", "difficulty": 1}] * 2, "row 3, column fact_id: 'a' occurs twice"),
    ],
)
def test_a_file_of_difficulties_is_checked_when_the_task_is_made(
    tmp_path: Path, rows: Rows, message: str
) -> None:
    file = write(tmp_path / "hard.csv", rows)
    with pytest.raises(ValueError, match=re.escape(f"{file}")) as caught:
        get_task("sciq", difficulty=str(file))
    assert message in str(caught.value)
    assert json.dumps(str(caught.value)).count("\\n") == 0
