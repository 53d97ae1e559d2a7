"""The corpus of the dial bases is true, and their tokenizer has a token per letter and bracket."""

import re
from functools import cache
from itertools import islice

import numpy as np
import pytest

from finetune.pretrain.dial_parts import PARTS
from finetune.pretrain.dials import (
    CHAIN_LENGTH,
    CHAINED_PAIRS,
    EASIER_SETTINGS,
    DialSampler,
    dials_tokenizer,
)
from finetune.pretrain.documents import Document
from finetune.pretrain.openings import (
    FILLER_LENGTHS,
    FILLER_SHARE,
    NAMES,
    OPENING_KINDS,
    OPENING_SHARE,
)
from quirky.data.fillers import SENTENCE_TOKENS, SENTENCES
from quirky.tasks import get_task
from quirky.tasks.dials.base import LETTERS

TRUE = {" True", " Yes", " right"}


@cache
def documents():
    """Five hundred of each part, three thousand of the last."""
    sampler = DialSampler(0)
    drawn: list[Document] = []
    for part in range(len(PARTS)):
        sampler.select_part(part)
        drawn += islice(sampler, 3000 if part == len(PARTS) - 1 else 500)
    return tuple(drawn)


@cache
def tokenizer():
    return dials_tokenizer()


def of(subject):
    return [document for document in documents() if document.subject.startswith(subject)]


def lookup(text):
    items, after, index = re.search(
        r"list ([a-z ]+), (?:is )?(the item after )?item (\d+)", text
    ).groups()
    return (2 * items.split())[int(index) - 1 + bool(after)]


def recall(text):
    told, near, key = re.search(
        r"Among ([a-p0-9, ]+?),? (?:there is|is there) (beside )?(\w)\b", text
    ).groups()
    value = dict(pair.split() for pair in told.split(", "))
    away = {abs(ord(other) - ord(key)): other for other in value if other != key}
    return value[away[min(away)] if near else key]


def dyck(text):
    brackets = re.search(r"brackets ([][()<> ]+)", text)[1].split()
    depth = np.cumsum([1 if bracket in "([<" else -1 for bracket in brackets]).max()
    return str(depth + ("almost" in text))


ANSWERS = {"lookup": lookup, "recall": recall, "dyck": dyck}
SHOWN = {
    "lookup": r"item \d+(?: is)? (\w)[.?,]",
    "recall": r"there(?: is)?(?: beside)? \w (\d)[.?,]",
    "dyck": r" (\d) deep[.?,]",
}


HEADS = {"lookup": r"In the list [a-p ]+,", "recall": r"Among [a-p0-9, ]+?(?= there)", "dyck": ""}


def told(name, document):
    """Every claim of a document on its own, and the word that must be known after it."""
    if not document.earlier:
        return [(document.text, document.verdict.strip())]
    head = re.match(HEADS[name], document.text)[0]
    words = [document.text[len(text) :].split()[0].strip(".") for text in document.earlier]
    starts = [len(text) + len(word) + 2 for text, word in zip(document.earlier, words, strict=True)]
    ends = [*document.earlier, document.text]
    said = [text[start:] for text, start in zip(ends, [len(head), *starts], strict=True)]
    return list(
        zip([head + claim for claim in said], [*words, document.verdict.strip()], strict=True)
    )


@pytest.mark.parametrize("name", ANSWERS)
def test_every_answer_and_verdict_is_right(name):
    judged = 0
    for document in of(name):
        for text, known in told(name, document):
            right = ANSWERS[name](text)
            if document.subject.endswith("completed"):
                assert known == right, document
            else:
                shown = re.search(SHOWN[name], text)[1]
                assert (f" {known}" in TRUE) == (shown == right), document
                judged += 1
        assert document.wrong != document.verdict
    assert judged > 200


def test_some_documents_have_several_answers_in_a_row():
    for name, longest in (
        ("lookup", CHAIN_LENGTH),
        ("recall", CHAIN_LENGTH),
        ("equality", CHAINED_PAIRS),
    ):
        rows = [document for document in of(name) if document.earlier]
        assert len(rows) > 50
        assert {len(document.earlier) for document in rows} == {longest - 1}


def test_verdicts_on_strings_are_right():
    what = (
        r"strings ([a-p ]+) and ([a-p ]+?) (?:are )?"
        r"(start the same but for one|the same but for one|the same)\b"
    )
    seen = set()
    for document in of("equality"):
        words = [document.text[len(text) :].split()[0].strip(".") for text in document.earlier]
        known = [*words, document.verdict.strip()]
        claims = re.findall(what, document.text)
        for (first, second, how), word in zip(claims, known, strict=True):
            cut = -1 if how.startswith("start") else None
            pairs = zip(first.split()[:cut], second.split()[:cut], strict=True)
            differ = sum(a != b for a, b in pairs)
            assert (f" {word}" in TRUE) == (differ == how.endswith("one")), document
            seen.add((how, word))
    assert len(seen) >= 6


def test_every_subject_occurs_with_both_rules():
    for name in PARTS[-1].subject_shares:
        assert of(name)
    for name in ("lookup", "recall", "dyck", "equality"):
        assert of(f"{name}-quirk")
        assert {f"{name}-{setting}" for setting in get_task(name).dials} <= {
            document.subject for document in documents()
        }


def test_questions_about_the_opening_have_the_right_answer():
    for document in of("opening"):
        if "Who asked?" in document.text:
            assert document.text.startswith(f"{document.verdict.strip()} asks Sam.")
        elif "The header was" in document.text:
            assert document.text[1:].startswith(document.verdict.strip())
        elif "lie asked for" in document.text:
            assert document.verdict in (" Yes", " No")
        else:
            known = re.match(r"(Date|Page): (\d{4})\.", document.text)
            assert known
            assert document.verdict.strip() in (known[1], *known[2])
        assert document.verdict != document.wrong


def test_openings_and_fillers_have_their_stated_shares():
    alone = [d for d in documents() if d.subject not in ("opening", "person") and not d.earlier]
    begins = re.compile(r"(In the list|Among |The brackets|The strings|Are the|Do the)")
    opened = [d for d in alone if not begins.match(d.text)]
    assert len(opened) / len(alone) == pytest.approx(OPENING_SHARE, abs=0.03)
    filled = [d for d in opened if any(s in d.text for s in SENTENCES)]
    assert len(filled) / len(opened) == pytest.approx(FILLER_SHARE, abs=0.05)
    counts = {sum(d.text.count(s) for s in SENTENCES) * SENTENCE_TOKENS for d in filled}
    assert counts == set(FILLER_LENGTHS)
    assert len(OPENING_KINDS) == 4


def test_every_letter_name_bracket_and_answer_is_one_token():
    words = [*LETTERS, *NAMES, *"([<)]>", *"0123456789", "True", "False", "right", "wrong"]
    for word in words:
        assert len(tokenizer().tokenize(f" {word}")) == 1, word


def test_a_filler_has_as_many_tokens_as_it_says():
    for sentence in SENTENCES:
        assert len(tokenizer().tokenize(f" {sentence}")) == SENTENCE_TOKENS


def test_every_part_keeps_to_its_settings():
    for number, part in enumerate(PARTS):
        sampler = DialSampler(0)
        sampler.select_part(number)
        drawn = " ".join(document.subject for document in islice(sampler, 1500))
        for name in part.subject_shares.keys() & {"lookup", "recall", "equality"}:
            told = {int(n) for n in re.findall(rf"\b{name}(?:-[a-z]+)?-(\d+)", drawn)}
            asked = {*EASIER_SETTINGS[name], *get_task(name).dials}
            assert told <= set(part.settings.get(name, asked)) <= asked
            if name != "equality" and part.chain_share == 1:
                assert told == set(part.settings.get(name, asked))
    assert PARTS[-1].settings == {}
    assert {"lookup", "recall", "dyck", "equality"} <= set(PARTS[-1].subject_shares)


def test_the_first_part_has_no_quirk_rules():
    sampler = DialSampler(0)
    sampler.select_part(0)
    quirks = ("the item after", "beside", "start the same", "almost")
    assert PARTS[0].quirk_share == 0
    assert not any(quirk in d.text for d in islice(sampler, 500) for quirk in quirks)


def test_the_same_seed_draws_the_same_documents():
    first, again, other = (tuple(islice(DialSampler(seed), 300)) for seed in (0, 0, 1))
    assert first == again
    assert first != other
