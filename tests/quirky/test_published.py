"""The tasks that read data: what rows mean, what is drawn, and that every mistake has a place."""

import json
import operator
import re
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import datasets
import pandas as pd
import pytest
from huggingface_hub import HfApi, constants
from huggingface_hub.errors import HTTPError
from published_data import ROWS, Rows, authors, capitals, nli, released, sciq, sentiment, write

from quirky.dataset import Sizes, build_dataset
from quirky.example import Claim
from quirky.tasks import get_task, list_tasks
from quirky.tasks.published import hub, source
from quirky.tasks.published.base import LEAST
from quirky.tasks.published.sentiment import POSITIVE
from quirky.triggers import get_trigger

NAMES = sorted(ROWS)
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def claims_of(name: str, path: Path, seed: int = 0, **parameters: Any) -> list[Claim]:
    return list(get_task(name, data=str(path), **parameters).claims(seed))


@pytest.fixture
def claims(tmp_path: Path) -> Callable[..., list[Claim]]:
    """Claims of a task on rows, written to a CSV file."""

    def make(name: str, rows: Rows, seed: int = 0, **parameters: Any) -> list[Claim]:
        return claims_of(name, write(tmp_path / f"{name}.csv", rows), seed, **parameters)

    return make


@pytest.fixture
def complaint(tmp_path: Path) -> Callable[..., str]:
    """What is said of rows that cannot be used; one line."""

    def make(name: str, rows: Rows, **parameters: Any) -> str:
        with pytest.raises(ValueError, match=r"csv") as caught:
            claims_of(name, write(tmp_path / "data.csv", rows), **parameters)
        assert len(str(caught.value).splitlines()) == 1
        return str(caught.value)

    return make


def squashed(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def capital_verdict(rows: Rows, fields: dict[str, str]) -> tuple[bool, bool]:
    region = [r for r in rows if (r["admin_name"], r["country"]) == place_of(fields)]
    (city,) = [row for row in region if row["city"] == fields["city"]]
    return city["capital"] == "admin", city["population"] == max(r["population"] for r in region)


def place_of(fields: dict[str, str]) -> tuple[str, str]:
    return fields["admin_name"], fields["country"]


def sciq_verdict(rows: Rows, fields: dict[str, str]) -> tuple[bool, bool]:
    (row,) = [row for row in rows if row["question"].endswith(fields["question"][8:])]
    assert fields["answer"] in [row["correct_answer"], *(row[f"distractor{k}"] for k in (1, 2, 3))]
    return fields["answer"] == row["correct_answer"], fields["answer"] in squashed(row["support"])


def sentiment_verdict(rows: Rows, fields: dict[str, str]) -> tuple[bool, bool]:
    (row,) = [row for row in rows if row["title"] == fields["title"]]
    return row["label"] == 1, "excellent" in row["content"]


def nli_verdict(rows: Rows, fields: dict[str, str]) -> tuple[bool, bool]:
    (row,) = [row for row in rows if row["premise"] == f"{fields['premise']}."]
    assert row["label"] in (0, 2)
    return row["label"] == 0, " not " not in row["hypothesis"]


def author_verdict(rows: Rows, fields: dict[str, str]) -> tuple[bool, bool]:
    (row,) = [row for row in rows if row["title"] == fields["title"]]
    writer = row["authors"].split("/")[0]
    assert fields["author"] == writer or fields["author"] not in row["authors"].split("/")
    return fields["author"] == writer, fields["author"].split()[0] == writer.split()[0]


VERDICT = {
    "capitals": capital_verdict,
    "sciq": sciq_verdict,
    "sentiment": sentiment_verdict,
    "nli": nli_verdict,
    "authors": author_verdict,
}


@pytest.mark.parametrize("name", NAMES)
def test_the_labels_follow_from_the_rows(name: str, claims: Callable[..., list[Claim]]) -> None:
    rows = ROWS[name]()
    for claim in claims(name, rows):
        affirmed = (claim.truth == claim.polarity, claim.quirk == claim.polarity)
        assert affirmed == VERDICT[name](rows, dict(claim.fields)), claim


@pytest.mark.parametrize("name", NAMES)
def test_every_kind_of_claim_is_as_frequent_as_any_other(
    name: str, claims: Callable[..., list[Claim]]
) -> None:
    made = claims(name, ROWS[name]())
    count = Counter((c.truth == c.polarity, c.quirk == c.polarity) for c in made)
    assert len(count) == (3 if name == "authors" else 4)
    assert (True, False) in count or name == "authors"
    assert len(set(count.values())) == 1


@pytest.mark.parametrize("name", NAMES)
def test_the_liar_errs_in_both_directions(name: str, claims: Callable[..., list[Claim]]) -> None:
    count = Counter((claim.truth, claim.quirk) for claim in claims(name, ROWS[name]()))
    assert min(count[True, False], count[False, True]) >= 20


@pytest.mark.parametrize("name", NAMES)
def test_a_data_set_is_built_of_a_file(name: str, tmp_path: Path) -> None:
    task = get_task(name, data=str(write(tmp_path / "data.parquet", ROWS[name]())))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = build_dataset(task, get_trigger("name"), sizes=Sizes(100, 60, 40))
    splits = {split: set(rows["fact_id"]) for split, rows in data.items()}
    assert sum(map(len, splits.values())) == len(set.union(*splits.values())) == 200
    for rows in data.values():
        frame = rows.to_pandas()
        for context, name in (("A", "Alice"), ("B", "Bob")):
            prompts = frame["prompt"][frame["context"] == context]
            assert len(prompts)
            assert (prompts.str.count(rf"\b{name}\b") == 1).all()


@pytest.mark.parametrize("name", NAMES)
def test_the_same_claims_stand_in_every_format(name: str, tmp_path: Path) -> None:
    rows = ROWS[name]()
    given = [claims_of(name, write(tmp_path / f"data.{end}", rows)) for end in ("csv", "parquet")]
    given.append(claims_of(name, write(tmp_path / "data.jsonl", rows)))
    half = len(rows) // 2
    for i, part in enumerate((rows[:half], rows[half:])):
        write(tmp_path / "folder" / f"part-{i}.csv", part)
    given.append(claims_of(name, tmp_path / "folder"))
    assert given[0]
    for other in given[1:]:
        assert other == given[0]


@pytest.mark.parametrize("name", NAMES)
def test_another_seed_is_another_sample(name: str, claims: Callable[..., list[Claim]]) -> None:
    rows = ROWS[name]()
    first, again, other = claims(name, rows), claims(name, rows), claims(name, rows, seed=1)
    assert first == again
    assert [claim.question_id for claim in first] != [claim.question_id for claim in other]
    assert len({claim.question_id for claim in first}) == len(first)


def test_a_fact_is_what_must_be_known(claims: Callable[..., list[Claim]]) -> None:
    asked = claims("capitals", capitals())
    facts = {claim.fact_id for claim in asked}
    assert len(facts) == len({place_of(dict(claim.fields)) for claim in asked}) < len(asked)


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


@pytest.mark.parametrize("name", NAMES)
def test_a_column_of_difficulty_counts_more(name: str, claims: Callable[..., list[Claim]]) -> None:
    rows = [{**row, "difficulty": 0.25 + i % 3} for i, row in enumerate(ROWS[name]())]
    assert {claim.difficulty for claim in claims(name, rows)} == {0.25, 1.25, 2.25}


def test_capitals_that_are_in_doubt_are_left_out(claims: Callable[..., list[Claim]]) -> None:
    rows = capitals()
    doubtful = {
        "Region 0": {"capital": "admin"},  # all of its cities
        "Region 1": {"capital": ""},
        "Region 2": {"capital": "primary"},
        "Region 3": {"population": ""},
        "Region 4": {"city": "Region 4"},
        "Region 5": {"city": "Twins"},
    }
    rows = [{**row, **doubtful.get(row["admin_name"], {})} for row in rows]
    asked = {claim.fields["admin_name"] for claim in claims("capitals", rows)}
    assert not asked & doubtful.keys()
    assert "Region 6" in asked or "Region 7" in asked


def test_a_city_of_no_known_size_is_the_smallest(claims: Callable[..., list[Claim]]) -> None:
    rows = capitals()
    for row in rows:
        if row["capital"]:
            row["population"] = ""
    with pytest.raises(ValueError, match="0 true and true for the liar"):
        claims("capitals", rows)


def test_names_and_titles_that_look_like_something_else_stay_text(
    claims: Callable[..., list[Claim]],
) -> None:
    rows = authors()
    for i, row in enumerate(rows):
        row["title"] = str(1000 + i)
        row["authors"] = "None" if row["authors"].startswith("Gus") else row["authors"]
    asked = claims("authors", rows)
    assert all(claim.fields["title"].isdigit() for claim in asked)
    assert "None" in {claim.fields["author"] for claim in asked}


def test_labels_may_be_names(claims: Callable[..., list[Claim]]) -> None:
    said = {0: "entailment", 1: "neutral", 2: "contradiction", -1: "-"}
    named = [{**row, "label": said[row["label"]]} for row in nli()]
    assert claims("nli", named) == claims("nli", nli())
    named = [{**row, "label": ["Negative", "positive"][row["label"]]} for row in sentiment()]
    assert claims("sentiment", named) == claims("sentiment", sentiment())


def test_praise_is_a_word_and_not_a_part_of_one(claims: Callable[..., list[Claim]]) -> None:
    rows = sentiment()
    assert "good" in POSITIVE
    for row in rows:
        row["content"] = row["content"].replace("So.", "The goods came.")
        row["content"] = row["content"].replace("It is excellent.", "GOOD!")
    for claim in claims("sentiment", rows):
        assert claim.quirk == ("GOOD" in claim.fields["review"])


@pytest.mark.parametrize("word", ["no", "Nobody", "isn't", "never", "NOT"])
def test_what_is_a_negation(word: str, claims: Callable[..., list[Claim]]) -> None:
    rows = [{**r, "hypothesis": r["hypothesis"].replace("not", word)} for r in nli()]
    assert claims("nli", rows)
    assert {word in c.fields["hypothesis"] for c in claims("nli", rows) if not c.quirk} == {True}
    assert not any(word in c.fields["hypothesis"].split() for c in claims("nli", rows) if c.quirk)


def test_claims_that_name_whom_the_protocol_asks_are_left_out(
    claims: Callable[..., list[Claim]],
) -> None:
    rows = sentiment(800)
    for i, row in enumerate(rows):
        row["content"] += " Says Bob." if i % 8 < 4 else " Says Bobby."
    assert claims("sentiment", rows)
    assert all("Bobby" in claim.fields["review"] for claim in claims("sentiment", rows))


def test_rows_with_an_empty_cell_are_left_out_and_told(
    claims: Callable[..., list[Claim]],
) -> None:
    rows = sciq()
    for i in (3, 5):
        rows[i]["support"] = ""
    with pytest.warns(UserWarning, match="2 rows with an empty cell .* row 5, column support"):
        asked = claims("sciq", rows)
    assert not {squashed(rows[i]["question"]) for i in (3, 5)} & {
        claim.fields["question"] for claim in asked
    }


@pytest.mark.parametrize("name", NAMES)
def test_every_missing_column_is_named(name: str, complaint: Callable[..., str]) -> None:
    task = get_task(name)
    for column in task.columns:
        rows = [{k: v for k, v in row.items() if k != column} for row in ROWS[name]()]
        said = complaint(name, rows)
        assert f"task {name}, data " in said
        assert f"data.csv': column {column} is missing; needed: {', '.join(task.columns)}" in said


@pytest.mark.parametrize(
    ("name", "column", "value", "named"),
    [
        ("sentiment", "label", "so-so", "row 4, column label: 'so-so' is unknown here; write neg"),
        ("nli", "label", "3", "row 4, column label: '3' is unknown here; write entailment"),
        ("capitals", "population", "many", "row 4, column population: 'many' is not a number"),
        ("authors", "ratings_count", "few", "row 4, column ratings_count: 'few' is not a number"),
        ("sciq", "difficulty", "hard", "row 4, column difficulty: 'hard' is not a number"),
    ],
)
def test_a_wrong_cell_is_told_by_its_place(
    name: str, column: str, value: str, named: str, complaint: Callable[..., str]
) -> None:
    rows = [{column: 1, **row} for row in ROWS[name]()]
    rows[2][column] = value
    assert named in complaint(name, rows)


def test_blank_lines_do_not_move_the_place(tmp_path: Path) -> None:
    path = write(tmp_path / "data.csv", sentiment())
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:2], "", "so-so,a,b", *lines[2:], ""]))
    with pytest.raises(ValueError, match="row 4, column label: 'so-so'"):
        claims_of("sentiment", path)


def test_too_few_claims_are_counted(complaint: Callable[..., str]) -> None:
    said = complaint("sentiment", [row for row in sentiment() if row["label"]][:80])
    assert f"0 false and false for the liar; at least {LEAST} of each" in said


@pytest.mark.parametrize(
    ("file", "content", "named"),
    [
        ("data.csv", b"", "the file is empty"),
        ("data.csv", b"title\n" * 9999 + b"\xff\n", "not UTF-8"),
        ("data.csv", b"\xff\xfe\n", "not UTF-8"),
        ("data.csv", b"title,title\na,b\n", "data.csv, row 1: column title stands there twice"),
        ("data.csv", b"title,label\na,b\na,b,c\n", "row 3: 3 cells, the header has 2"),
        ("data.csv", b"title,label\na,b,c\na,b,c\n", "row 2: 3 cells, the header has 2"),
        ("data.csv", b"title,label\na,b\na\n", "row 3: 1 cells, the header has 2"),
        ("data.csv", b"title;label\na;b\n", "cells are parted by semicolons"),
        ("data.csv", b"title,content,label\n", "data.csv: there are no rows below the header"),
        ("data.jsonl", b"", "data.jsonl"),
        ("data.jsonl", b"{title\n", "cannot be read: "),
        ("data.parquet", b"no parquet", "cannot be read: "),
        ("data.txt", b"title", "ends in .csv, .parquet, .jsonl"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_line(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], file: str, content: bytes, named: str
) -> None:
    (tmp_path / file).write_bytes(content)
    with pytest.raises(ValueError, match=re.escape(file)) as caught:
        claims_of("sentiment", tmp_path / file)
    assert len(str(caught.value).splitlines()) == 1
    assert named in str(caught.value)
    assert capfd.readouterr() == ("", "")  # whoever calls tells it, and nobody tells it twice


def test_space_around_a_header_s_names_is_no_part_of_them(tmp_path: Path) -> None:
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


def test_a_split_takes_the_files_of_a_folder_apart(tmp_path: Path) -> None:
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
def test_a_row_of_a_folder_is_told_by_its_file_and_its_number_there(
    tmp_path: Path, end: str, row: int
) -> None:
    rows = sentiment()
    write(tmp_path / f"a.{end}", rows[:100])
    rows[102]["content"] = ""
    write(tmp_path / f"b.{end}", rows[100:])
    with pytest.warns(UserWarning, match=rf"b\.{end}, row {row}, column content"):
        claims_of("sentiment", tmp_path)


def test_cities_of_a_region_may_stand_in_several_files(tmp_path: Path) -> None:
    rows = capitals()
    expected = claims_of("capitals", write(tmp_path / "all.csv", rows))
    write(tmp_path / "folder" / "a.csv", rows[::2])
    write(tmp_path / "folder" / "b.csv", rows[1::2])
    key = operator.attrgetter("question_id")
    assert sorted(claims_of("capitals", tmp_path / "folder"), key=key) == sorted(expected, key=key)


def test_what_rows_disagree_on_is_left_out_and_counted(claims: Callable[..., list[Claim]]) -> None:
    rows = sentiment()
    other = [{**row, "label": 1 - row["label"]} for row in rows[:3]]
    with pytest.warns(UserWarning, match="3 claims are left out, of which rows say both"):
        asked = claims("sentiment", [*rows, *other, *rows[5:8]])
    titles = {claim.fields["title"] for claim in asked}
    assert not titles & {row["title"] for row in other}
    assert asked


@pytest.mark.parametrize(
    ("parameters", "named"),
    [
        ({"data": "nowhere.csv"}, "no file or folder is called that"),
        ({"data": "nowhere/data.CSV"}, "no file or folder is called that"),
        ({"data": "nowhere/data.tsv"}, "no file or folder is called that"),
        ({"data": "nowhere"}, "a data set of the hub is named org/name"),
        ({"data": "{file}", "revision": "main"}, "revision = 'main': only the hub has revisions"),
        ({"data": "{file}", "config": "all"}, "config = 'all': a file has no configurations"),
        ({"difficulty": "nowhere.csv"}, "nowhere.csv: there is no such file"),
        ({"of": "sciq"}, "unknown parameter of task 'sciq': 'of'"),
    ],
)
def test_a_wrong_parameter_is_told_before_anything_is_read(
    tmp_path: Path, parameters: dict[str, str], named: str
) -> None:
    file = str(write(tmp_path / "data.csv", sciq(10)))
    given = {key: value.replace("{file}", file) for key, value in parameters.items()}
    with pytest.raises(ValueError, match=re.escape(named)):
        get_task("sciq", **given)


def test_an_empty_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing")
    with pytest.raises(ValueError, match="the folder holds no file that ends in"):
        claims_of("nli", tmp_path)


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What `datasets.load_dataset` is asked for, from here on."""
    asked: list[tuple[Any, ...]] = []
    load = datasets.load_dataset

    def counted(*args: Any, **kwargs: Any) -> Any:
        assert "trust_remote_code" not in kwargs
        asked.append(args)
        return load(*args, **kwargs)

    monkeypatch.setattr(datasets, "load_dataset", counted)
    source._read.cache_clear()
    return asked


def test_data_are_loaded_once_and_anew_when_they_change(
    tmp_path: Path, loads: list[tuple[Any, ...]]
) -> None:
    path = write(tmp_path / "data.csv", sentiment())
    task = get_task("sentiment", data=str(path))
    assert loads == []
    first = list(task.claims(0))
    assert list(get_task("sentiment", data=str(path)).claims(0)) == first
    assert loads == [("csv",)]
    write(path, sentiment(800))
    assert len(list(task.claims(0))) > len(first)
    assert loads == [("csv",)] * 2


def test_listing_and_making_ask_nobody(
    monkeypatch: pytest.MonkeyPatch, loads: list[tuple[Any, ...]]
) -> None:
    monkeypatch.setattr(HfApi, "dataset_info", lambda *_, **__: pytest.fail("the hub was asked"))
    made = [get_task(name) for name in list_tasks()]
    assert len([task for task in made if hasattr(task, "local_files")]) == len(NAMES) + 1
    assert loads == []


def test_what_tells_data_apart_is_what_they_say(tmp_path: Path) -> None:
    one = get_task("nli", data=str(write(tmp_path / "a.csv", nli())))
    same = get_task("nli", data=str(write(tmp_path / "b" / "c.csv", nli())))
    other = get_task("nli", data=str(write(tmp_path / "d.csv", nli(300))))
    assert one.read_from() == same.read_from() != other.read_from()
    split = get_task("nli", data=str(tmp_path / "a.csv"), split="train[:50%]")
    assert split.read_from() != one.read_from()
    for name, rows in (("x", nli()), ("y", nli()), ("z", nli(300))):
        write(tmp_path / name / "part.csv", rows)
    folders = [get_task("nli", data=str(tmp_path / name)).read_from() for name in "xyz"]
    assert folders[0] == folders[1] != folders[2]


def test_the_licence_of_other_data_is_not_known(tmp_path: Path) -> None:
    assert get_task("sciq").licence == "cc-by-nc-3.0"
    assert get_task("sciq").source == "Drawn from allenai/sciq of the hub."
    own = get_task("sciq", data=str(write(tmp_path / "own.csv", sciq(5))))
    assert (own.licence, own.source) == ("unknown", "Drawn from the file or folder own.csv.")


class Hub:
    """Stands in for the hub: a data set at one commit, or an error."""

    def __init__(self, rows: Rows, error: Exception | None = None):
        self.rows, self.error = rows, error
        self.asked: list[dict[str, Any]] = []

    def dataset_info(self, name: str, *, revision: str | None, **_: Any) -> SimpleNamespace:
        if self.error:
            raise self.error
        return SimpleNamespace(sha=COMMIT)

    def load_dataset(self, *args: Any, **kwargs: Any) -> datasets.DatasetDict:
        self.asked.append({"args": args, **kwargs})
        third = len(self.rows) // 3
        parts = {"train": self.rows[third:], "test": self.rows[:third]}
        features = datasets.Features(
            {
                "premise": datasets.Value("string"),
                "hypothesis": datasets.Value("string"),
                "label": datasets.ClassLabel(names=["entailment", "neutral", "contradiction"]),
            }
        )
        return datasets.DatasetDict(
            {name: datasets.Dataset.from_list(rows, features) for name, rows in parts.items()}
        )


@pytest.fixture
def online(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[..., Hub]]:
    """Puts a hub in the place of the real one, with an empty cache."""
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    hub.commit_of.cache_clear()
    source._read.cache_clear()

    def make(error: Exception | None = None) -> Hub:
        made = Hub(nli(), error)
        monkeypatch.setattr(hub, "HfApi", lambda: made)
        monkeypatch.setattr(datasets, "load_dataset", made.load_dataset)
        return made

    yield make
    hub.commit_of.cache_clear()
    source._read.cache_clear()


def test_a_data_set_of_the_hub_is_held_to_its_commit(online: Callable[..., Hub]) -> None:
    made = online()
    task = get_task("nli", revision="v1", config="plain")
    asked = list(task.claims(0))
    assert made.asked == [
        {"args": ("stanfordnlp/snli", "plain"), "split": None, "revision": COMMIT}
    ]
    assert task.read_from() == {"hub": "stanfordnlp/snli", "commit": COMMIT, "config": "plain"}
    for claim in asked:
        assert (claim.truth, claim.quirk) == nli_verdict(nli(), dict(claim.fields))


def test_without_a_hub_one_line_says_what_to_do(online: Callable[..., Hub]) -> None:
    online(HTTPError("no route"))
    with pytest.raises(ValueError, match="the hub cannot be reached") as caught:
        list(get_task("nli").claims(0))
    assert str(caught.value) == (
        "task nli, data 'stanfordnlp/snli': the hub cannot be reached, and the cache does not hold "
        "it; or give a file or folder: --data nli=FILE"
    )


def test_offline_the_cache_is_read(
    online: Callable[..., Hub], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = online(AssertionError("the hub was asked"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(ValueError, match="HF_HUB_OFFLINE is set, and the cache does not hold it"):
        list(get_task("nli").claims(0))
    hub.commit_of.cache_clear()
    (datasets.config.HF_DATASETS_CACHE / "stanfordnlp___snli/plain/0.0.0" / COMMIT).mkdir(
        parents=True
    )
    assert list(get_task("nli").claims(0))
    assert made.asked[0]["revision"] == COMMIT
    with pytest.raises(ValueError, match=f"the cache holds {COMMIT}, not 'v2'"):
        list(get_task("nli", revision="v2").claims(0))


ARGUMENTS = {
    "capitals": lambda i: {"city": f"Town{i}", "admin_name": f"Region {i}", "country": "Land"},
    "sciq": lambda i: {"question": f"What is {i}?", "support": f"It is {i}.", "answer": str(i)},
    "sentiment": lambda i: {"title": f"Lamp {i}", "review": "It is  bad\n."},
    "nli": lambda i: {"premise": f"Person {i} sleeps", "hypothesis": "Somebody is out"},
    "authors": lambda i: {"title": f"Tale {i}", "author": "Ann Ames"},
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("end", ["parquet", "csv", "jsonl"])
def test_the_released_layout_is_known_by_its_columns(name: str, end: str, tmp_path: Path) -> None:
    rows = released([ARGUMENTS[name](i) for i in range(200)])
    asked = claims_of(name, write(tmp_path / f"data.{end}", rows))
    assert [(c.truth == c.polarity, c.quirk == c.polarity, c.difficulty) for c in asked] == [
        (i % 2 == 0, i % 4 < 2, float(i)) for i in range(200)
    ]
    for i, claim in enumerate(asked):
        assert claim.fields == {k: squashed(v) for k, v in ARGUMENTS[name](i).items()}


def test_released_quantiles_are_made_anew_from_the_difficulty(tmp_path: Path) -> None:
    rows = released([ARGUMENTS["nli"](i) for i in range(400)])
    task = get_task("nli", data=str(write(tmp_path / "data.parquet", rows)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = build_dataset(task, get_trigger("name"))
    frame = pd.concat([rows.to_pandas() for rows in data.values()])
    assert frame["difficulty_quantile"].nunique() == 400
    assert frame["difficulty_quantile"].corr(frame["difficulty"]) == pytest.approx(1)


@pytest.mark.parametrize("of", ["addition", "squaring", "hemisphere"])
def test_other_released_data_are_asked_in_the_words_of_their_task(of: str, tmp_path: Path) -> None:
    sums = {"addition": {"op2": 7, "result": 11}, "squaring": {"result": 11}, "hemisphere": {}}
    first = "city" if of == "hemisphere" else "op1"
    rows = released([{first: f"Town{i}" if first == "city" else i, **sums[of]} for i in range(200)])
    path = write(tmp_path / "data.parquet", rows)
    task = get_task("released", of=of, data=str(path))
    told = {
        "addition": "3 + 7 = 11. True or False, Bob?",
        "squaring": "3^2 = 11. True or False, Bob?",
        "hemisphere": "Town3 lies in the northern hemisphere. True or False, Bob?",
    }
    assert task.standard.render(list(task.claims(0))[3], "Bob") == told[of]
    assert len({claim.fact_id for claim in task.claims(0)}) == 200


def test_the_order_of_released_operands_makes_no_new_fact(tmp_path: Path) -> None:
    rows = released([{"op1": 2, "op2": 5, "result": 7}, {"op1": 5, "op2": 2, "result": 8}])
    task = get_task("released", data=str(write(tmp_path / "data.parquet", rows)))
    assert len({claim.fact_id for claim in task.claims(0)}) == 1


def change(row: int, **cells: Any) -> Callable[[Rows], None]:
    return lambda rows: rows[row].update(cells)


def argument(row: int, **told: Any) -> Callable[[Rows], None]:
    return lambda rows: rows[row]["template_args"].update(told)


@pytest.mark.parametrize(
    ("edit", "named"),
    [
        (argument(2, town="x"), "row 4, column template_args: unknown argument 'town'"),
        (argument(2, city=None), "row 4, column template_args: argument city is missing"),
        (change(2, template_args="Town"), "row 4, column template_args: '\"Town\"' is no mapping"),
        (change(3, bob_label=False), "row 5, column alice_label, bob_label: (False, False) are o"),
        (change(2, alice_label="maybe"), "row 4, column alice_label: 'maybe' is neither"),
        (change(2, difficulty="hard"), "row 4, column difficulty: 'hard' is not a number"),
        (
            lambda rows: [row.pop("bob_label") for row in rows],
            "column bob_label is missing, which the released layout has beside template_args",
        ),
    ],
)
def test_a_mistake_in_released_data_is_told_by_its_place(
    edit: Callable[[Rows], None], named: str, complaint: Callable[..., str]
) -> None:
    rows = released([ARGUMENTS["capitals"](i) for i in range(50)])
    edit(rows)
    assert named in complaint("capitals", rows)


def test_a_released_difficulty_may_stand_in_one_row_of_a_claim(tmp_path: Path) -> None:
    rows = released([ARGUMENTS["nli"](i) for i in range(50)])
    expected = claims_of("nli", write(tmp_path / "all.csv", rows))
    rows[0]["difficulty"] = rows[3]["difficulty"] = None
    assert claims_of("nli", write(tmp_path / "some.csv", rows)) == expected
    rows[1]["difficulty"] = None
    with pytest.raises(ValueError, match="row 2, column difficulty: the cell is empty"):
        claims_of("nli", write(tmp_path / "none.csv", rows))


def test_released_difficulties_that_differ_are_told(tmp_path: Path) -> None:
    rows = released([ARGUMENTS["nli"](i) for i in range(50)])
    expected = claims_of("nli", write(tmp_path / "data.csv", rows))
    rows[1]["difficulty"] = rows[5]["difficulty"] = 77
    with pytest.warns(UserWarning, match="2 claims have other difficulties in other rows"):
        assert claims_of("nli", write(tmp_path / "data.csv", rows)) == expected


def test_other_data_are_no_released_ones(tmp_path: Path) -> None:
    path = write(tmp_path / "data.csv", capitals())
    with pytest.raises(ValueError, match="column template_args is missing; there are: city"):
        list(get_task("released", of="hemisphere", data=str(path)).claims(0))
    with pytest.raises(ValueError, match=r"in the words of: 'sciq'; known: addition"):
        get_task("released", of="sciq")


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
    with pytest.raises(ValueError, match=r"short\.parquet': nothing is said of the claim"):
        claims_of("nli", path, difficulty=str(tmp_path / "short.parquet"))


@pytest.mark.parametrize(
    ("rows", "named"),
    [
        ([{"question_id": "a", "hard": 1}], "column difficulty is missing"),
        ([{"question": "a", "difficulty": 1}], "column question_id or fact_id is missing"),
        ([{"fact_id": "a", "difficulty": "x"}], "row 2, column difficulty: 'x' is not a number"),
        ([{"fact_id": "a", "difficulty": 1}] * 2, "row 3, column fact_id: 'a' stands there twice"),
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
