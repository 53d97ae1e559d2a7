"""Tasks with a dial: their labels follow from the prompt alone, by rules written here again."""

import re
from collections import Counter
from functools import cache

import numpy as np
import pytest

from quirky.dataset import Sizes, build_dataset
from quirky.tasks import get_task
from quirky.tasks.dials.base import FACTS
from quirky.triggers import get_trigger

NAMES = ("lookup", "recall", "dyck", "equality")
CLOSES = {")": "(", "]": "[", ">": "<"}


def lookup(prompt):
    items, index, answer = re.match(r"In the list ([a-z ]+), item (\d+) is (\w)\.", prompt).groups()
    items, at = items.split(), int(index) - 1
    return items[at] == answer, items[at + 1] == answer


def recall(prompt):
    told, key, answer = re.match(r"Among ([a-z0-9, ]+) there is (\w) (\d)\.", prompt).groups()
    value = dict(pair.split() for pair in told.split(", "))
    others = sorted((abs(ord(other) - ord(key)), other) for other in value if other != key)
    assert len(others) == 1 or others[0][0] < others[1][0]
    return value[key] == answer, value[others[0][1]] == answer


def dyck(prompt):
    brackets, answer = re.match(r"After ([^a-z]+) the depth is (\d+)\.", prompt).groups()
    still = []
    for bracket in brackets.split():
        if bracket in CLOSES:
            assert still.pop() == CLOSES[bracket]
        else:
            still.append(bracket)
    return len(still) == int(answer), len(still) + 1 == int(answer)


def equality(prompt):
    first, second, what = re.match(
        r"The strings (.+) and (.+) are (the same|different)\.", prompt
    ).groups()
    assert len(first) == len(second)
    claimed = what == "the same"
    return (first == second) == claimed, (first[:-1] == second[:-1]) == claimed


def depths(prompt):
    return np.cumsum([1 if b in "([<" else -1 for b in re.findall(r"[][()<>]", prompt)])


@cache
def claims_of(name, seed):
    return tuple(get_task(name).claims(seed))


RULES = {"lookup": lookup, "recall": recall, "dyck": dyck, "equality": equality}
MEASURES = {
    "lookup": lambda prompt: len(re.search(r"list ([a-z ]+),", prompt)[1].split()),
    "recall": lambda prompt: len(re.search(r"Among (.+) there is", prompt)[1].split(", ")),
    "dyck": lambda prompt: max(depths(prompt)),
    "equality": lambda prompt: len(re.search(r"strings (.+) and", prompt)[1].split()),
}


@pytest.mark.parametrize("name", NAMES)
def test_labels_follow_from_the_prompt(name):
    task = get_task(name)
    for claim in claims_of(name, 0)[::7]:
        prompt = task.templates[0].render(claim, "Bob")
        assert RULES[name](prompt) == (claim.truth, claim.quirk), prompt


@pytest.mark.parametrize("name", [name for name in NAMES if name != "equality"])
def test_no_answer_is_right_for_both_and_half_are_for_neither(name):
    kinds = Counter((claim.truth, claim.quirk) for claim in claims_of(name, 0))
    assert (True, True) not in kinds
    share = {kind: count / kinds.total() for kind, count in kinds.items()}
    assert share[True, False] == pytest.approx(0.25, abs=0.02)
    assert share[False, True] == pytest.approx(0.25, abs=0.02)


def test_the_liar_of_equality_errs_in_both_directions_and_both_polarities_occur():
    claims = claims_of("equality", 0)
    kinds = Counter((claim.truth, claim.quirk) for claim in claims)
    assert {kind: round(4 * count / len(claims), 1) for kind, count in kinds.items()} == {
        (a, b): 1.0 for a in (True, False) for b in (True, False)
    }
    assert np.mean([claim.polarity for claim in claims]) == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("name", NAMES)
def test_every_setting_has_as_many_claims_and_is_what_it_says(name):
    task = get_task(name)
    counts = Counter(claim.dial for claim in claims_of(name, 0))
    assert counts == {float(setting): FACTS for setting in task.dials}
    measure = MEASURES[name]
    for claim in claims_of(name, 0)[::97]:
        prompt = task.templates[0].render(claim, "Bob")
        assert claim.difficulty == claim.dial
        assert measure(prompt) == claim.dial


@pytest.mark.parametrize("name", NAMES)
def test_facts_are_told_once_and_another_seed_tells_others(name):
    again = tuple(get_task(name).claims(0))
    assert again == claims_of(name, 0)
    first, other = ([claim.fact_id for claim in claims_of(name, seed)] for seed in (0, 1))
    assert len(set(first)) == len(first)
    assert set(first) != set(other)


@pytest.mark.parametrize("name", NAMES)
def test_a_data_set_carries_the_dial(name):
    sizes = Sizes(train=400, validation=400, test=400)
    data = build_dataset(get_task(name), get_trigger("name"), sizes=sizes)
    for rows in data.values():
        assert set(rows["dial"]) == {float(setting) for setting in get_task(name).dials}


@pytest.mark.parametrize(
    ("dials", "message"),
    [
        ([], r"task lookup: dials = \[\]; give a list of settings"),
        ([4, 4], r"task lookup: dials = \[4, 4\]; give a list of settings"),
        ([2], "task lookup: dials: 2; give whole numbers from 3 to 16"),
        ([True], "task lookup: dials: True; give whole numbers"),
        ("48", "task lookup: dials = '48'; give a list"),
        (2, "task lookup: dials: 2; give whole numbers from 3 to 16"),
    ],
)
def test_a_wrong_dial_is_refused_in_one_line(dials, message):
    with pytest.raises(ValueError, match=message):
        get_task("lookup", dials=dials)


def test_one_setting_alone_may_be_given_as_a_number():
    assert get_task("lookup", dials=8).dials == (8,)
