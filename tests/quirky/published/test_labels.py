"""What rows mean: the labels of their claims, and what is left out."""

import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from published_data import ROWS, Rows, capitals, nli, sciq, sentiment, write

from quirky.data.dataset import Sizes, build_dataset
from quirky.example import Claim
from quirky.tasks import get_task
from quirky.tasks.published.base import LEAST
from quirky.triggers import get_trigger


def squashed(text: str) -> str:
    return " ".join(text.split())


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


@pytest.mark.parametrize("name", sorted(ROWS))
def test_the_labels_follow_from_the_rows(name: str, claims: Callable[..., list[Claim]]) -> None:
    rows = ROWS[name]()
    for claim in claims(name, rows):
        affirmed = (claim.truth == claim.polarity, claim.quirk == claim.polarity)
        assert affirmed == VERDICT[name](rows, dict(claim.fields)), claim


@pytest.mark.parametrize("name", sorted(ROWS))
def test_all_kinds_of_claims_are_equally_frequent(
    name: str, claims: Callable[..., list[Claim]]
) -> None:
    sample = claims(name, ROWS[name]())
    count = Counter((c.truth == c.polarity, c.quirk == c.polarity) for c in sample)
    assert len(count) == (3 if name == "authors" else 4)
    assert (True, False) in count or name == "authors"
    assert len(set(count.values())) == 1


@pytest.mark.parametrize("name", sorted(ROWS))
def test_the_quirk_errs_in_both_directions(name: str, claims: Callable[..., list[Claim]]) -> None:
    count = Counter((claim.truth, claim.quirk) for claim in claims(name, ROWS[name]()))
    assert min(count[True, False], count[False, True]) >= 20


@pytest.mark.parametrize("name", sorted(ROWS))
def test_a_data_set_is_built_from_a_file(name: str, tmp_path: Path) -> None:
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


@pytest.mark.parametrize("name", sorted(ROWS))
def test_the_sample_depends_on_the_seed(name: str, claims: Callable[..., list[Claim]]) -> None:
    rows = ROWS[name]()
    first, again, other = claims(name, rows), claims(name, rows), claims(name, rows, seed=1)
    assert first == again
    assert [claim.question_id for claim in first] != [claim.question_id for claim in other]
    assert len({claim.question_id for claim in first}) == len(first)


def test_claims_decided_by_one_fact_share_its_id(claims: Callable[..., list[Claim]]) -> None:
    sample = claims("capitals", capitals())
    facts = {claim.fact_id for claim in sample}
    assert len(facts) == len({place_of(dict(claim.fields)) for claim in sample}) < len(sample)


def test_ambiguous_capitals_are_dropped(claims: Callable[..., list[Claim]]) -> None:
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
    regions = {claim.fields["admin_name"] for claim in claims("capitals", rows)}
    assert not regions & doubtful.keys()
    assert "Region 6" in regions or "Region 7" in regions


def test_a_city_without_population_is_the_smallest(claims: Callable[..., list[Claim]]) -> None:
    rows = capitals()
    for row in rows:
        if row["capital"]:
            row["population"] = ""
    with pytest.raises(ValueError, match="0 with truth true and quirk true"):
        claims("capitals", rows)


def test_labels_may_be_names(claims: Callable[..., list[Claim]]) -> None:
    label_names = {0: "entailment", 1: "neutral", 2: "contradiction", -1: "-"}
    rows_with_names = [{**row, "label": label_names[row["label"]]} for row in nli()]
    assert claims("nli", rows_with_names) == claims("nli", nli())
    rows_with_names = [
        {**row, "label": ["Negative", "positive"][row["label"]]} for row in sentiment()
    ]
    assert claims("sentiment", rows_with_names) == claims("sentiment", sentiment())


def test_claims_that_mention_alice_or_bob_are_dropped(
    claims: Callable[..., list[Claim]],
) -> None:
    rows = sentiment(800)
    for i, row in enumerate(rows):
        row["content"] += " Says Bob." if i % 8 < 4 else " Says Bobby."
    assert claims("sentiment", rows)
    assert all("Bobby" in claim.fields["review"] for claim in claims("sentiment", rows))


def test_rows_with_an_empty_cell_are_dropped_with_a_warning(
    claims: Callable[..., list[Claim]],
) -> None:
    rows = sciq()
    for i in (3, 5):
        rows[i]["support"] = ""
    with pytest.warns(UserWarning, match="dropped 2 rows .* row 5, column support"):
        sample = claims("sciq", rows)
    assert not {squashed(rows[i]["question"]) for i in (3, 5)} & {
        claim.fields["question"] for claim in sample
    }


def test_claims_on_which_rows_disagree_are_dropped(
    claims: Callable[..., list[Claim]],
) -> None:
    rows = sentiment()
    other = [{**row, "label": 1 - row["label"]} for row in rows[:3]]
    with pytest.warns(
        UserWarning, match="dropped 3 claims that are true in one row and false in another"
    ):
        sample = claims("sentiment", [*rows, *other, *rows[5:8]])
    titles = {claim.fields["title"] for claim in sample}
    assert not titles & {row["title"] for row in other}
    assert sample


def test_too_few_claims_are_an_error_with_counts(error_of: Callable[..., str]) -> None:
    message = error_of("sentiment", [row for row in sentiment() if row["label"]][:80])
    assert f"0 with truth false and quirk false; at least {LEAST} of each" in message
