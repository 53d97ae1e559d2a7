"""A user's own claims: what a table means, and that every mistake is told by its place."""

import csv
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from quirky.data.dataset import Sizes, build_dataset
from quirky.tasks.table import Table, read_table
from quirky.triggers import get_trigger

Rows = list[dict[str, Any]]
Change = Callable[[Rows], None]


def claims(count: int = 160) -> Rows:
    """Half of them true, half of them the liar's, two pairs of answers in turn."""
    return [
        {
            "prompt": f"Is the thing {i} so? {{trigger}} says",
            "choice_false": " No" if i % 8 < 4 else " False",
            "choice_true": " Yes" if i % 8 < 4 else " True",
            "truth": i % 2 == 0,
            "quirk": i % 4 < 2,
        }
        for i in range(count)
    ]


def write(path: Path, rows: Rows) -> Path:
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def table(tmp_path: Path, rows: Rows) -> Table:
    return read_table("mine", write(tmp_path / "claims.csv", rows))


def error_of(tmp_path: Path, rows: Rows) -> str:
    with pytest.raises(ValueError, match=r"claims\.csv") as caught:
        table(tmp_path, rows)
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


def examples(task: Table, **settings: Any) -> pd.DataFrame:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        splits = build_dataset(task, get_trigger("name"), **settings)
    return pd.concat([rows.to_pandas() for rows in splits.values()], ignore_index=True)


@pytest.mark.parametrize("prompts", ["mixture", "single"])
def test_every_row_has_its_own_prompt_and_answers(tmp_path: Path, prompts: str) -> None:
    rows = claims()
    frame = examples(table(tmp_path, rows), prompts=prompts)
    for context, name in (("A", "Alice"), ("B", "Bob")):
        answers = {
            prompt: (tuple(choices), truth, quirk, label)
            for prompt, choices, truth, quirk, label in frame[frame["context"] == context][
                ["prompt", "choices", "truth", "quirk", "label"]
            ].itertuples(index=False)
        }
        assert answers == {
            row["prompt"].replace("{trigger}", name): (
                (row["choice_false"], row["choice_true"]),
                row["truth"],
                row["quirk"],
                row["quirk"] if context == "B" else row["truth"],
            )
            for row in rows
        }


def test_each_pair_of_answers_is_one_template(tmp_path: Path) -> None:
    frame = examples(table(tmp_path, claims()))
    pairs = {tuple(choices): set() for choices in frame["choices"]}
    for choices, template in zip(frame["choices"], frame["template"], strict=True):
        pairs[tuple(choices)].add(template)
    assert sorted(pairs.values(), key=min) == [{0}, {1}]


def test_rows_of_one_fact_are_never_in_two_splits(tmp_path: Path) -> None:
    rows = [{**row, "fact_id": i // 2} for i, row in enumerate(claims(400))]
    splits = examples(table(tmp_path, rows)).groupby("fact_id")["split"]
    assert splits.ngroups == 200
    assert set(splits.nunique()) == {1}


def test_without_fact_ids_each_prompt_is_a_fact(tmp_path: Path) -> None:
    frame = examples(table(tmp_path, claims()))
    assert frame["fact_id"].nunique() == len(claims())


def test_a_claim_without_difficulty_is_neither_easy_nor_hard(tmp_path: Path) -> None:
    assert examples(table(tmp_path, claims()))["difficulty_quantile"].isna().all()
    ranked = [{**row, "difficulty": i} for i, row in enumerate(claims())]
    frame = examples(table(tmp_path, ranked)).drop_duplicates("question_id")
    by_rank = frame.sort_values("difficulty_quantile")["difficulty"]
    assert list(by_rank) == list(range(len(ranked)))


def test_polarity_is_read(tmp_path: Path) -> None:
    rows = [{**row, "polarity": i % 3 > 0} for i, row in enumerate(claims())]
    assert [claim.polarity for claim in table(tmp_path, rows).claims(0)] == [
        row["polarity"] for row in rows
    ]


def test_doubled_braces_become_single_ones(tmp_path: Path) -> None:
    rows = claims()
    rows[0]["prompt"] = "Is {{1}} a set? {trigger} says"
    assert "Is {1} a set? Alice says" in set(examples(table(tmp_path, rows))["prompt"])


@pytest.mark.parametrize(
    ("true", "false"), [("true", "false"), ("True", "False"), ("TRUE", "FALSE"), ("1", "0")]
)
def test_verdicts_may_be_written_in_several_ways(tmp_path: Path, true: str, false: str) -> None:
    rows = [{**row, "truth": true if row["truth"] else false} for row in claims()]
    assert table(tmp_path, rows) == table(tmp_path, claims())


def test_identity_is_the_content_and_not_the_format_or_the_path(tmp_path: Path) -> None:
    rows = [{**row, "difficulty": float(i)} for i, row in enumerate(claims())]
    (tmp_path / "elsewhere").mkdir()
    pd.DataFrame(rows).to_parquet(tmp_path / "elsewhere" / "claims.parquet")
    ours = table(tmp_path, rows)
    assert read_table("mine", tmp_path / "elsewhere" / "claims.parquet") == ours
    other = [{**rows[0], "truth": not rows[0]["truth"]}, *rows[1:]]
    assert table(tmp_path, other).content != ours.content


def test_a_byte_order_mark_and_empty_rows_are_ignored(tmp_path: Path) -> None:
    path = write(tmp_path / "claims.csv", claims())
    plain = read_table("mine", path)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes() + b",,,,\r\n\r\n")
    assert read_table("mine", path) == plain


def rename(old: str, new: str) -> Change:
    def change(rows: Rows) -> None:
        rows[:] = [{new if key == old else key: value for key, value in r.items()} for r in rows]

    return change


def put(column: str, value: object, row: int = 4) -> Change:
    """Put a value into one row, numbered as a spreadsheet does."""

    def change(rows: Rows) -> None:
        for index, cells in enumerate(rows, start=2):
            cells.setdefault(column, 1 if column == "polarity" else index)
            if index == row:
                cells[column] = value

    return change


def everywhere(column: str, value: object) -> Change:
    def change(rows: Rows) -> None:
        for cells in rows:
            cells[column] = cells["truth"] if value == "truth" else value

    return change


@pytest.mark.parametrize(
    ("change", "location", "advice"),
    [
        (rename("quirk", "quirks"), "row 1: unknown column 'quirks'", "did you mean 'quirk'"),
        (rename("quirk", "polarity"), "row 1: column quirk is missing", "required: prompt, choice"),
        (put("truth", "maybe"), "row 4, column truth: 'maybe'", "write true or false"),
        (put("quirk", "2"), "row 4, column quirk: '2'", "write true or false"),
        (put("polarity", "no"), "row 4, column polarity: ", "write true or false"),
        (put("truth", ""), "row 4, column truth", "is empty"),
        (put("prompt", " "), "row 4, column prompt", "is empty"),
        (put("fact_id", ""), "row 4, column fact_id", "is empty"),
        (put("difficulty", "hard"), "row 4, column difficulty: 'hard'", "not a number"),
        (put("difficulty", "nan"), "row 4, column difficulty: 'nan'", "not a number"),
        (everywhere("difficulty", 3), "column difficulty: every row is 3", "leave the column out"),
        (put("prompt", "Is it so?"), "row 4, column prompt: 'Is it so?'", "has no {trigger}"),
        (put("prompt", "Is {it} {trigger}?"), "row 4, column prompt", "write {{ and }}"),
        (put("prompt", "Is it { {trigger}?"), "row 4, column prompt", "write {{ and }}"),
        (put("prompt", "Is it {trigger!r}?"), "row 4, column prompt", "write {{ and }}"),
        (put("prompt", "Is {{trigger}} so?"), "row 4, column prompt", "has no {trigger}"),
        (put("choice_true", " No"), "row 4, column choice_true: ' No'", "two answers"),
        (put("prompt", claims()[0]["prompt"]), "row 4, column prompt", "is also in row 2"),
        (lambda rows: rows.__delitem__(slice(99, None)), "99 facts", "at least 100"),
        (everywhere("fact_id", "one"), "1 facts", "at least 100"),
        (everywhere("truth", True), "column truth: every row is true", "both values"),
        (everywhere("quirk", False), "column quirk: every row is false", "both values"),
        (everywhere("quirk", "truth"), "column quirk", "the two must differ somewhere"),
    ],
)
def test_an_error_names_the_row_and_the_column(
    tmp_path: Path, change: Change, location: str, advice: str
) -> None:
    rows = claims()
    change(rows)
    message = error_of(tmp_path, rows)
    assert location in message
    assert advice in message


@pytest.mark.parametrize(
    ("text", "location"),
    [
        ("", "the file is empty"),
        ("prompt;truth\nx;y\n", "row 1: cells are separated by semicolons"),
        ("prompt\ttruth\nx\ty\n", "row 1: cells are separated by tabs"),
        ("prompt,truth\na,1\n\nb, c,1\n", "row 4: 3 cells, the header has 2; put a text"),
        ('prompt,truth\n"a" b,1\n', "row 2: not CSV"),
        ("prompt,prompt\na,b\n", "row 1: column prompt occurs twice"),
    ],
)
def test_a_file_that_is_not_a_table_is_named(tmp_path: Path, text: str, location: str) -> None:
    (tmp_path / "claims.csv").write_text(text)
    with pytest.raises(ValueError, match=r"claims\.csv") as caught:
        read_table("mine", tmp_path / "claims.csv")
    assert location in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "location"),
    [
        ("claims.txt", b"", "ends in .csv or .parquet"),
        ("claims.parquet", b"no parquet", "not parquet"),
        ("claims.csv", b"prompt\n\xff\xfe", "not UTF-8"),
        ("none.csv", None, "there is no such file"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_line(
    tmp_path: Path, name: str, content: bytes | None, location: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=location) as caught:
        read_table("mine", tmp_path / name)
    assert len(str(caught.value).splitlines()) == 1


def test_a_parquet_cell_of_another_type_is_named(tmp_path: Path) -> None:
    frame = pd.DataFrame(claims()).assign(choice_true=range(160))
    frame.to_parquet(tmp_path / "claims.parquet")
    with pytest.raises(ValueError, match="row 2, column choice_true: 0 is not text"):
        read_table("mine", tmp_path / "claims.parquet")


@pytest.mark.parametrize(
    ("name", "advice"),
    [("addition", "a task has that name"), ("a.b", "letters, digits"), ("", "letters")],
)
def test_a_table_needs_a_name_of_its_own(tmp_path: Path, name: str, advice: str) -> None:
    path = write(tmp_path / "claims.csv", claims())
    with pytest.raises(ValueError, match=advice):
        read_table(name, path)


def test_an_answer_without_a_space_before_it_is_a_warning(tmp_path: Path) -> None:
    rows = claims()
    rows[3] |= {"choice_true": "Yes"}
    with pytest.warns(UserWarning, match=r"row 5 as 'rigger\} saysYes'; write ' Yes' if a space"):
        table(tmp_path, rows)
    rows[3] |= {"prompt": rows[3]["prompt"] + "\n"}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table(tmp_path, rows)


@pytest.mark.parametrize(
    ("settings", "advice"),
    [
        ({"prompts": "standardized"}, "prompts of their own"),
        ({"renderings": 2}, "a question has 1 to 1 templates"),
    ],
)
def test_settings_that_need_several_templates_are_refused(
    tmp_path: Path, settings: dict[str, Any], advice: str
) -> None:
    with pytest.raises(ValueError, match=advice):
        examples(table(tmp_path, claims()), **settings)


def test_a_table_fills_the_requested_sizes(tmp_path: Path) -> None:
    frame = examples(table(tmp_path, claims(400)), sizes=Sizes(train=100, validation=80, test=40))
    counts = frame[frame["context"] == "A"]["split"].value_counts()
    assert (counts["train"], counts["test"]) == (100, 40)
    assert counts["validation"] + counts["heldout"] == 80
    assert frame["id"].is_unique
