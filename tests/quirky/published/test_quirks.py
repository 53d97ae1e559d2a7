"""The rules of the published tasks, on rows whose verdicts are worked out by hand."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from published_data import Rows, released, sentiment, write

from quirky.sources.rows import Row
from quirky.tasks import get_task
from quirky.tasks.published.base import PublishedTask

Verdicts = dict[str, tuple[bool, bool]]


def verdicts(name: str, rows: Rows, field: str, **parameters: Any) -> Verdicts:
    """Truth and quirk of the claims about rows, by a field of the claim."""
    task = get_task(name, **parameters)
    assert isinstance(task, PublishedTask)
    typed = [Row("rows", index, cells) for index, cells in enumerate(rows, 2)]
    return {c.fields[field]: (c.truth, c.quirk) for c in task.claims_from(typed, seed=0)}


def review_quirk(content: str, title: str = "Lamp", **parameters: Any) -> bool:
    rows = [{"title": title, "content": content, "label": 0}]
    return verdicts("sentiment", rows, "title", **parameters)[title][1]


@pytest.mark.parametrize(
    ("content", "quirk"),
    [
        ("a great lamp", True),
        ("GREAT lamp", True),
        ("so\ngreat", True),
        ("it is great!", False),
        ("it is great.", False),
        ("'great' they say", False),
        ("greatly made", False),
        ("not-so-great lamp", False),
        ("a lamp", False),
    ],
)
def test_a_positive_word_stands_between_white_space(content: str, quirk: bool) -> None:
    assert review_quirk(content) is quirk


def test_the_title_of_a_review_does_not_count() -> None:
    assert not review_quirk("a lamp", title="Great lamp")


def test_positive_words_are_those_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "words.txt"
    file.write_text("; great\n\na+\n2-faced\r\nZippy\n")
    for content, quirk in (
        ("a great lamp", False),
        ("it gets an A+ from me", True),
        ("zippy thing", True),
        ("2-faced", True),
        ("; great", False),
    ):
        assert review_quirk(content, words=str(file)) is quirk, content


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "there is no such file"),
        (b"; nothing\n\n", "there are no words"),
        (b"good\nwell done\n", "words.txt, line 2: 'well done' is not one word"),
        (b"na\xefve\n", "not UTF-8"),
    ],
)
def test_a_file_without_words_is_an_error_when_the_task_is_made(
    content: bytes | None, problem: str, tmp_path: Path
) -> None:
    file = tmp_path / "words.txt"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ValueError, match="task sentiment, words: ") as caught:
        get_task("sentiment", words=str(file))
    assert problem in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("hypothesis", "published", "extended"),
    [
        ("He is not here.", False, False),
        ("Nobody is here.", False, False),
        ("There is NO man.", False, False),
        ("He never sleeps.", False, False),
        ("There is nothing here.", False, False),
        ("none of them sleep", False, False),
        ("He is not.", True, False),
        ("He sees nothing.", True, False),
        ("No, he sleeps.", True, False),
        ("He isn't here.", True, False),
        ("He cannot sleep.", True, False),
        ("He is nowhere.", True, False),
        ("The notes are here.", True, True),
        ("He is here.", True, True),
    ],
)
def test_negation_words(hypothesis: str, published: bool, extended: bool) -> None:
    rows = [{"premise": "He sits.", "hypothesis": hypothesis, "label": 2}]
    for words, quirk in (("published", published), ("extended", extended)):
        assert verdicts("nli", rows, "premise", negation_words=words) == {"He sits": (False, quirk)}
    assert verdicts("nli", rows, "premise") == {"He sits": (False, published)}


def test_only_the_hypothesis_counts_and_neutral_pairs_are_left_out() -> None:
    rows = [
        {"premise": "He is not up.", "hypothesis": "He lies.", "label": 0},
        {"premise": "He is up.", "hypothesis": "He does not lie.", "label": 0},
        {"premise": "He is out.", "hypothesis": "He is not in.", "label": 1},
    ]
    expected = {"He is not up": (True, True), "He is up": (True, False)}
    assert verdicts("nli", rows, "premise") == expected


def test_an_unknown_choice_of_negation_words_is_an_error() -> None:
    message = "value of `negation_words` for task nli: 'extend'; did you mean 'extended'"
    with pytest.raises(ValueError, match=message):
        get_task("nli", negation_words="extend")


def test_released_labels_follow_the_published_rule(tmp_path: Path) -> None:
    words = tmp_path / "words.txt"
    words.write_text("good\n")
    pair = released([{"premise": "He sits.", "hypothesis": "He sits."}])
    review = released([{"title": "Lamp", "review": "It is a lamp."}])
    for name, rows, parameters in (
        ("nli", pair, {"negation_words": "extended"}),
        ("sentiment", review, {"words": str(words)}),
    ):
        data = str(write(tmp_path / f"{name}.jsonl", rows))
        assert len(list(get_task(name, data=data).claims(0))) == 1
        with pytest.raises(ValueError, match=f"{next(iter(parameters))} = .* has no effect"):
            list(get_task(name, data=data, **parameters).claims(0))


def test_the_words_are_part_of_the_identity_of_the_data(tmp_path: Path) -> None:
    data = str(write(tmp_path / "reviews.csv", sentiment()))

    def identity(name: str, words: str) -> Mapping[str, str]:
        file = tmp_path / name
        file.write_text(words)
        task = get_task("sentiment", data=data, words=str(file))
        assert task.data_identity().keys() == {"data", "words"}
        assert task.local_file_hashes() == task.data_identity()
        return task.data_identity()

    first = identity("a.txt", "good\n")
    assert identity("b.txt", "good\n") == first
    assert identity("a.txt", "good\nfine\n") != first
    assert get_task("sentiment", data=data).data_identity() == {"data": first["data"]}


City = tuple[str, str, int | None]


def region(*cities: City, name: str = "Ruhr") -> Rows:
    """Rows of a region's cities: name, capital, population."""
    columns = ("city", "capital", "population")
    place = {"admin_name": name, "country": "Land"}
    return [{**dict(zip(columns, city, strict=True)), **place} for city in cities]


@pytest.mark.parametrize(
    ("cities", "expected"),
    [
        pytest.param(
            [("Aa", "admin", 10), ("Bb", "", 30), ("Cc", "", 20)],
            {"Aa": (True, False), "Bb": (False, True), "Cc": (False, False)},
            id="plain",
        ),
        pytest.param(
            [("Aa", "admin", 10), ("Ruhr", "", 30), ("Cc", "", 20)],
            {"Aa": (True, False), "Cc": (False, True)},
            id="a city with the region's name is not the most populous",
        ),
        pytest.param(
            [("Aa", "admin", 20), ("Pp", "primary", 90), ("Mm", "minor", 50), ("Cc", "", 10)],
            {"Aa": (True, True), "Cc": (False, False)},
            id="nor is a capital of a country or a district",
        ),
        pytest.param(
            [("Ruhr", "admin", 90), ("Bb", "", 30), ("Cc", "", 20)],
            {"Bb": (False, True), "Cc": (False, False)},
            id="nor is a capital with the region's name",
        ),
        pytest.param(
            [("Cc", "", 20), ("Aa", "admin", 30), ("Bb", "", 30)],
            {"Cc": (False, False), "Aa": (True, True)},
            id="of equals, the first in the data",
        ),
        pytest.param(
            [("Cc", "", 20), ("Bb", "", 30), ("Aa", "admin", 30)],
            {"Cc": (False, False), "Bb": (False, True), "Aa": (True, False)},
            id="of equals, the first, in another order",
        ),
        pytest.param(
            [("Aa", "admin", None), ("Bb", "", 5)],
            {"Aa": (True, False), "Bb": (False, True)},
            id="a city without population is the smallest",
        ),
        pytest.param(
            [("Aa", "admin", None), ("Bb", "", None), ("Pp", "primary", 9)],
            {},
            id="no city that is left has a population",
        ),
        pytest.param(
            [("Aa", "admin", 1), ("Twin", "", 9), ("Twin", "", 5), ("Cc", "", 7)],
            {"Aa": (True, False), "Cc": (False, False)},
            id="two cities of one name are dropped but counted",
        ),
        pytest.param([("Aa", "admin", 1), ("Bb", "admin", 2)], {}, id="two capitals"),
        pytest.param([("Aa", "", 1), ("Bb", "", 2)], {}, id="no capital"),
        pytest.param([("Pp", "primary", 3), ("Bb", "", 2)], {}, id="only a country's capital"),
        pytest.param([("Ruhr", "admin", 3)], {}, id="no city is left"),
    ],
)
def test_capitals_and_most_populous_cities(cities: list[City], expected: Verdicts) -> None:
    elsewhere = region(("Zz", "", 999), ("Yy", "admin", 5), name="Elsewhere")
    others = {"Zz": (False, True), "Yy": (True, False)}
    rows = [*elsewhere, *region(*cities)]
    assert verdicts("capitals", rows, "city") == {**others, **expected}


def sciq_verdicts(passage: str) -> Verdicts:
    """Verdicts about an answer that is right for some questions and wrong for others."""
    answers = dict.fromkeys(("distractor1", "distractor2", "distractor3"), "salt")
    rows = [
        {"question": f"What is {i}?", "correct_answer": "iron ore", "support": passage, **answers}
        for i in range(20)
    ]
    return verdicts("sciq", rows, "answer")


@pytest.mark.parametrize(
    ("passage", "finds_right", "finds_wrong"),
    [
        ("It is iron ore.", True, False),
        ("It is Iron ore.", False, False),
        ("It is iron\n  ore, not salty.", True, True),
        ("Iron, or salt", False, True),
    ],
)
def test_the_passage_contains_an_answer_verbatim(
    passage: str, finds_right: bool, finds_wrong: bool
) -> None:
    expected = {"iron ore": (True, finds_right), "salt": (False, finds_wrong)}
    assert sciq_verdicts(passage) == expected


def test_the_first_name_stands_before_the_first_space() -> None:
    writers = ("J.K. Rowling/Mary GrandPré", "J.K. Jerome", "J. K. Huysmans", "Jo Nesbø")
    rows = [
        {"title": f"Book {i} of {writer}", "authors": writer, "ratings_count": 1}
        for writer in writers
        for i in range(60)
    ]
    task = get_task("authors")
    assert isinstance(task, PublishedTask)
    typed = [Row("rows", index, cells) for index, cells in enumerate(rows, 2)]
    seen = set()
    for claim in task.claims_from(typed, seed=0):
        writer, author = claim.fields["title"].split(" of ")[1], claim.fields["author"]
        seen.add((writer, author, claim.truth, claim.quirk))
    names = [writer.split("/")[0] for writer in writers]
    pen_names = {"J.K. Rowling", "J.K. Jerome"}
    assert seen == {
        (writer, author, name == author, name == author or {name, author} == pen_names)
        for writer, name in zip(writers, names, strict=True)
        for author in names
    }
