"""Tasks with a dial: their labels follow from the prompt alone, by rules written here again."""

import re
from collections import Counter
from functools import cache

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from quirky.data.dataset import Sizes, build_dataset
from quirky.tasks import get_task
from quirky.tasks.dials.base import FACTS
from quirky.triggers import get_trigger

NAMES = ("lookup", "recall", "dyck", "equality")
CLOSES = {")": "(", "]": "[", ">": "<"}


def lookup(prompt):
    items, index, answer = re.match(r"In the list ([a-z ]+), item (\d+) is (\w)\.", prompt).groups()
    ring = 2 * items.split()
    return ring[int(index) - 1] == answer, ring[int(index)] == answer


def recall(prompt):
    listed, key, answer = re.match(r"Among ([a-z0-9, ]+) there is (\w) (\d)\.", prompt).groups()
    value = dict(pair.split() for pair in listed.split(", "))
    others = sorted((abs(ord(other) - ord(key)), other) for other in value if other != key)
    assert len(others) == 1 or others[0][0] < others[1][0]
    return value[key] == answer, value[others[0][1]] == answer


def dyck(prompt):
    brackets, answer = re.match(r"The brackets ([^a-z]+) are (\d+) deep\.", prompt).groups()
    still, deepest = [], 0
    for bracket in brackets.split():
        if bracket in CLOSES:
            assert still.pop() == CLOSES[bracket]
        else:
            still.append(bracket)
        deepest = max(deepest, len(still))
    return deepest == int(answer), deepest + 1 == int(answer)


def equality(prompt):
    words = r"The strings (.+) and (.+) are the same but for one letter\."
    first, second = (text.split() for text in re.match(words, prompt).groups())
    differ = [a != b for a, b in zip(first, second, strict=True)]
    return sum(differ) == 1, sum(differ[:-1]) == 1


@cache
def claims_of(name, seed):
    return tuple(get_task(name).claims(seed))


def deepest(prompt):
    steps = [1 if b in "([<" else -1 for b in re.findall(r"[][()<>]", prompt)]
    return int(np.cumsum(steps).max())


RULES = {"lookup": lookup, "recall": recall, "dyck": dyck, "equality": equality}
MEASURES = {
    "lookup": lambda prompt: len(re.search(r"list ([a-z ]+),", prompt)[1].split()),
    "recall": lambda prompt: len(re.search(r"Among (.+) there is", prompt)[1].split(", ")),
    "dyck": deepest,
    "equality": lambda prompt: len(re.search(r"strings (.+) and", prompt)[1].split()),
}


@pytest.mark.parametrize("name", NAMES)
def test_labels_follow_from_the_prompt(name):
    task = get_task(name)
    for claim in claims_of(name, 0)[::7]:
        prompt = task.templates[0].render(claim, "Bob")
        assert RULES[name](prompt) == (claim.truth, claim.quirk), prompt


@pytest.mark.parametrize("name", [name for name in NAMES if name != "equality"])
def test_no_answer_is_right_by_both_rules_and_half_are_right_by_neither(name):
    kinds = Counter((claim.truth, claim.quirk) for claim in claims_of(name, 0))
    assert (True, True) not in kinds
    share = {kind: count / kinds.total() for kind, count in kinds.items()}
    assert share[True, False] == pytest.approx(0.25, abs=0.02)
    assert share[False, True] == pytest.approx(0.25, abs=0.02)


def test_the_quirk_of_equality_errs_equally_often_in_both_directions():
    kinds = Counter((claim.truth, claim.quirk) for claim in claims_of("equality", 0))
    assert {kind: round(4 * n / kinds.total(), 1) for kind, n in kinds.items()} == {
        (a, b): 1.0 for a in (True, False) for b in (True, False)
    }


CUES = {
    "lookup": {
        "the index": lambda f: int(f["index"]),
        "the place of the answer": lambda f: f["items"].split().index(f["answer"]),
    },
    "recall": {
        "the place of the answer": lambda f: f["pairs"].find(f" {f['answer']}"),
        "the place of the key": lambda f: f["pairs"].index(f["key"]),
    },
    "dyck": {
        "the answer": lambda f: int(f["answer"]),
        "the number of brackets": lambda f: len(f["brackets"].split()) % 2,
        "both": lambda f: (int(f["answer"]) + len(f["brackets"].split())) % 2,
        "how many are open": lambda f: len(re.findall(r"[\[(<]", f["brackets"])) % 2,
    },
    "equality": {"the first letters": lambda f: f["first"][0] == f["second"][0]},
}
"""What may be read without doing what the task asks for."""


@pytest.mark.parametrize(("name", "cue"), [(n, cue) for n, cues in CUES.items() for cue in cues])
def test_where_truth_and_quirk_disagree_no_cue_predicts_the_truth(name, cue):
    for setting in get_task(name).dials[name == "equality" :]:
        lies = [c for c in claims_of(name, 0) if c.dial == setting and c.truth != c.quirk]
        scores = np.array([float(CUES[name][cue](claim.fields)) for claim in lies])
        truth = np.array([claim.truth for claim in lies])
        allowed = 0.05 if name != "equality" else 0.5 / (setting - 1) + 0.05
        assert abs(roc_auc_score(truth, scores) - 0.5) < allowed, setting


@pytest.mark.parametrize("name", NAMES)
def test_every_setting_has_equally_many_claims_and_matches_the_prompt(name):
    task = get_task(name)
    counts = Counter(claim.dial for claim in claims_of(name, 0))
    assert counts == {float(setting): FACTS for setting in task.dials}
    measure = MEASURES[name]
    for claim in claims_of(name, 0)[::97]:
        prompt = task.templates[0].render(claim, "Bob")
        assert claim.difficulty == claim.dial
        if name == "dyck":
            assert measure(prompt) <= claim.dial
        else:
            assert measure(prompt) == claim.dial


@pytest.mark.parametrize("name", NAMES)
def test_facts_are_distinct_and_depend_on_the_seed(name):
    again = tuple(get_task(name).claims(0))
    assert again == claims_of(name, 0)
    first, other = ([claim.fact_id for claim in claims_of(name, seed)] for seed in (0, 1))
    assert len(set(first)) == len(first)
    assert set(first) != set(other)


@pytest.mark.parametrize("name", NAMES)
def test_a_data_set_has_a_column_with_the_dial(name):
    sizes = Sizes(train=400, validation=400, test=400)
    data = build_dataset(get_task(name), get_trigger("name"), sizes=sizes)
    for rows in data.values():
        assert set(rows["dial"]) == {float(setting) for setting in get_task(name).dials}


@pytest.mark.parametrize(
    ("dials", "message"),
    [
        ([], r"task lookup: dials = \[\]; give different settings, in a list"),
        ([4, 4], r"task lookup: dials = \[4, 4\]; give different settings, in a list"),
        ([2], "task lookup: dials: 2; give whole numbers from 3 to 16"),
        ([True], "task lookup: dials: True; give whole numbers"),
        ("48", "task lookup: dials = '48'; give different settings"),
        (2, "task lookup: dials: 2; give whole numbers from 3 to 16"),
    ],
)
def test_a_wrong_dial_is_an_error_of_one_line(dials, message):
    with pytest.raises(ValueError, match=message):
        get_task("lookup", dials=dials)


def test_a_single_setting_may_be_a_number():
    assert get_task("lookup", dials=8).dials == (8,)
