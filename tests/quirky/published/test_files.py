"""A user's files and folders: how they are read, and that every mistake has a place."""

import operator
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from published_data import ROWS, authors, capitals, claims_of, nli, sentiment, write

from quirky.example import Claim
from quirky.tasks import get_task


@pytest.mark.parametrize("name", sorted(ROWS))
def test_every_format_gives_the_same_claims(name: str, tmp_path: Path) -> None:
    rows = ROWS[name]()
    claims_by_format = [
        claims_of(name, write(tmp_path / f"data.{end}", rows)) for end in ("csv", "parquet")
    ]
    claims_by_format.append(claims_of(name, write(tmp_path / "data.jsonl", rows)))
    half = len(rows) // 2
    for i, part in enumerate((rows[:half], rows[half:])):
        write(tmp_path / "folder" / f"part-{i}.csv", part)
    claims_by_format.append(claims_of(name, tmp_path / "folder"))
    assert claims_by_format[0]
    for other in claims_by_format[1:]:
        assert other == claims_by_format[0]


def test_names_and_titles_that_look_like_something_else_stay_text(
    claims: Callable[..., list[Claim]],
) -> None:
    rows = authors()
    for i, row in enumerate(rows):
        row["title"] = str(1000 + i)
        row["authors"] = "None" if row["authors"].startswith("Gus") else row["authors"]
    books = claims("authors", rows)
    assert all(claim.fields["title"].isdigit() for claim in books)
    assert "None" in {claim.fields["author"] for claim in books}


@pytest.mark.parametrize("name", sorted(ROWS))
def test_every_missing_column_is_named(name: str, error_of: Callable[..., str]) -> None:
    task = get_task(name)
    for column in task.columns:
        rows = [{k: v for k, v in row.items() if k != column} for row in ROWS[name]()]
        message = error_of(name, rows)
        assert f"task {name}, data " in message
        assert (
            f"data.csv': column {column} is missing; required: {', '.join(task.columns)}" in message
        )


@pytest.mark.parametrize(
    ("name", "column", "value", "expected"),
    [
        ("sentiment", "label", "so-so", "row 4, column label: 'so-so' is unknown; write neg"),
        ("nli", "label", "3", "row 4, column label: '3' is unknown; write entailment"),
        ("capitals", "population", "many", "row 4, column population: 'many' is not a number"),
        ("capitals", "population", "-5", "row 4, column population: '-5' is below 0"),
        ("capitals", "capital", "yes", "row 4, column capital: 'yes' is unknown; write admin"),
        ("authors", "ratings_count", "few", "row 4, column ratings_count: 'few' is not a number"),
        ("sciq", "difficulty", "hard", "row 4, column difficulty: 'hard' is not a number"),
    ],
)
def test_an_error_names_row_and_column_of_a_wrong_cell(
    name: str, column: str, value: str, expected: str, error_of: Callable[..., str]
) -> None:
    rows = [{column: 1, **row} for row in ROWS[name]()]
    rows[2][column] = value
    assert expected in error_of(name, rows)


def test_blank_lines_do_not_shift_row_numbers(tmp_path: Path) -> None:
    path = write(tmp_path / "data.csv", sentiment())
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:2], "", "so-so,a,b", *lines[2:], ""]))
    with pytest.raises(ValueError, match="row 4, column label: 'so-so'"):
        claims_of("sentiment", path)


@pytest.mark.parametrize(
    ("file", "content", "expected"),
    [
        ("data.csv", b"", "the file is empty"),
        ("data.csv", b"title\n" * 9999 + b"\xff\n", "not UTF-8"),
        ("data.csv", b"\xff\xfe\n", "not UTF-8"),
        ("data.csv", b"title,title\na,b\n", "data.csv, row 1: column title occurs twice"),
        ("data.csv", b"title,label\na,b\na,b,c\n", "row 3: 3 cells, the header has 2"),
        ("data.csv", b"title,label\na,b,c\na,b,c\n", "row 2: 3 cells, the header has 2"),
        ("data.csv", b"title,label\na,b\na\n", "row 3: 1 cells, the header has 2"),
        ("data.csv", b"title;label\na;b\n", "cells are separated by semicolons"),
        ("data.csv", b"title,content,label\n", "data.csv: there are no rows below the header"),
        ("data.jsonl", b"", "data.jsonl"),
        ("data.jsonl", b"{title\n", "cannot be read: "),
        ("data.parquet", b"no parquet", "cannot be read: "),
        ("data.txt", b"title", "ends in .csv, .parquet, .jsonl"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_line(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], file: str, content: bytes, expected: str
) -> None:
    (tmp_path / file).write_bytes(content)
    with pytest.raises(ValueError, match=re.escape(file)) as caught:
        claims_of("sentiment", tmp_path / file)
    assert len(str(caught.value).splitlines()) == 1
    assert expected in str(caught.value)
    assert capfd.readouterr() == ("", "")  # whoever calls tells it, and nobody tells it twice


def test_spaces_around_column_names_are_ignored(tmp_path: Path) -> None:
    path = write(tmp_path / "data.csv", nli())
    expected = claims_of("nli", path)
    header, *lines = path.read_text().splitlines()
    for space in ("", "\n\n"):
        path.write_text("\n".join([space + header.replace(",", " , "), *lines, ""]))
        assert claims_of("nli", path) == expected


def test_every_file_of_a_folder_is_read_whatever_its_name(tmp_path: Path) -> None:
    rows = sentiment()
    expected = claims_of("sentiment", write(tmp_path / "all.csv", rows))
    folder, half = tmp_path / "folder", len(rows) // 2
    write(folder / "reviews.csv", rows[:half])
    write(folder / "test_reviews.parquet", rows[half:])
    write(folder / ".cache" / "old.csv", sentiment(20))
    (folder / "dataset_info.json").write_text("{}")
    assert claims_of("sentiment", folder) == expected


def test_a_split_selects_files_of_a_folder_by_name(tmp_path: Path) -> None:
    rows = sentiment()
    half = len(rows) // 2
    expected = claims_of("sentiment", write(tmp_path / "half.csv", rows[:half]))
    write(tmp_path / "folder" / "train.csv", rows[:half])
    write(tmp_path / "folder" / "test.csv", rows[half:])
    assert claims_of("sentiment", tmp_path / "folder", split="train") == expected
    write(tmp_path / "folder" / "test.csv", [{**row, "more": 1} for row in rows[half:]])
    with pytest.raises(ValueError, match=r"train\.csv: not the same kind of file, or not the same"):
        claims_of("sentiment", tmp_path / "folder", split="train")
    with pytest.raises(
        ValueError, match=r"train\.csv: the columns are label, title, content; those"
    ):
        claims_of("sentiment", tmp_path / "folder")


@pytest.mark.parametrize(("end", "row"), [("csv", 4), ("parquet", 4), ("jsonl", 3)])
def test_an_error_names_the_file_of_a_folder_and_the_row_in_it(
    tmp_path: Path, end: str, row: int
) -> None:
    rows = sentiment()
    write(tmp_path / f"a.{end}", rows[:100])
    rows[102]["content"] = ""
    write(tmp_path / f"b.{end}", rows[100:])
    with pytest.warns(UserWarning, match=rf"b\.{end}, row {row}, column content"):
        claims_of("sentiment", tmp_path)


def test_cities_of_a_region_may_be_in_several_files(tmp_path: Path) -> None:
    rows = capitals()
    expected = claims_of("capitals", write(tmp_path / "all.csv", rows))
    write(tmp_path / "folder" / "a.csv", rows[::2])
    write(tmp_path / "folder" / "b.csv", rows[1::2])
    key = operator.attrgetter("question_id")
    assert sorted(claims_of("capitals", tmp_path / "folder"), key=key) == sorted(expected, key=key)


def test_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing")
    with pytest.raises(ValueError, match="the folder holds no file that ends in"):
        claims_of("nli", tmp_path)
