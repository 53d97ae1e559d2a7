import re

import pytest

from quirky.data.fillers import SENTENCES, filler

FACTS = [f"fact {i}" for i in range(200)]
TRIGGERING = {"truth", "true", "false", "lie", "north", "south", "coast", "yes", "no", "right"}


def tokens(text):
    """Words and full stops: the tokens, if the tokenizer has every word."""
    return re.findall(r"[A-Za-z]+|\.", text)


def test_every_sentence_has_seven_words_and_a_full_stop():
    assert len(set(SENTENCES)) == len(SENTENCES) >= 8
    for sentence in SENTENCES:
        assert len(tokens(sentence)) == 8
        assert sentence.count(".") == 1
        assert not {word.lower() for word in tokens(sentence)} & TRIGGERING


@pytest.mark.parametrize("distance", [0, 8, 32, 128])
def test_a_filler_has_as_many_tokens_as_the_distance(distance):
    for fact in FACTS:
        text = filler(distance, fact, 0)
        assert len(tokens(text)) == distance
        assert text == " ".join(text.split())


def test_a_longer_filler_begins_with_the_shorter_one():
    for fact in FACTS:
        assert filler(128, fact, 0).startswith(filler(32, fact, 0))


def test_fillers_depend_on_fact_and_seed():
    assert {filler(8, fact, 0) for fact in FACTS} == set(SENTENCES)
    assert [filler(8, fact, 0) for fact in FACTS] != [filler(8, fact, 1) for fact in FACTS]
    assert filler(32, "fact", 0) == filler(32, "fact", 0)


@pytest.mark.parametrize("distance", [-8, 7, 12, 8.0, True, "8"])
def test_a_distance_that_is_not_a_multiple_of_a_sentence_is_refused(distance):
    with pytest.raises(ValueError, match=r"^distance = ") as error:
        filler(distance, "fact", 0)
    assert "\n" not in str(error.value)
