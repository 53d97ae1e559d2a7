"""What the text of a task gives away."""

import warnings
from collections.abc import Iterator

import numpy as np
import pytest

from benchmarks.metrics.estimates import Estimate
from benchmarks.recipe.load import load_recipe
from benchmarks.recipe.task_entry import TaskEntry
from benchmarks.scoring.leakage import HEADLINE, LEAKS, LEAKY_ABOVE, Leak, is_leaky, measure_leakage
from quirky.data.dataset import build_dataset
from quirky.example import Claim
from quirky.prompts import Template
from quirky.tasks.base import Task
from quirky.triggers import get_trigger


class Coloured(Task):
    """Truth and quirk are independent of the number; a word gives one of them away, or neither."""

    name = "coloured"
    templates = (Template("{word} {n}. {trigger}:", (" False", " True")),)
    standard = templates[0]

    def __init__(self, tells: str):
        self.tells = tells

    def claims(self, seed: int) -> Iterator[Claim]:
        rng = np.random.default_rng(seed)
        for n in range(1500):
            truth, quirk = (bool(flip) for flip in rng.random(2) < 0.5)
            told = {"truth": truth, "quirk": quirk, "neither": bool(rng.random() < 0.5)}
            word = "red" if told[self.tells] else "blue"
            yield Claim({"word": word, "n": str(n)}, f"n{n}", truth, quirk, difficulty=0.0)


def leakage(task: Task, seed: int = 0) -> dict[Leak, Estimate]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return measure_leakage(build_dataset(task, get_trigger("name"), seed=seed))


def test_a_word_that_tells_the_truth_is_found_in_both_contexts() -> None:
    estimates = leakage(Coloured(tells="truth"))
    assert all(estimates[leak].value == 1 for leak in LEAKS if leak.against == "truth")
    assert is_leaky(estimates[HEADLINE].value)


def test_a_word_that_tells_the_quirk_is_found_by_a_reader_of_the_quirk() -> None:
    estimates = leakage(Coloured(tells="quirk"))
    assert estimates[Leak("B", "B", "quirk", "all")].value == 1
    assert 0.4 < estimates[Leak("A", "A", "truth", "all")].value < 0.6


def test_a_word_that_tells_nothing_is_not() -> None:
    estimates = leakage(Coloured(tells="neither"))
    assert all(0.4 < estimate.value < 0.6 for estimate in estimates.values())
    assert not is_leaky(estimates[HEADLINE].value)


@pytest.mark.parametrize("entry", load_recipe("tiny").tasks, ids=lambda entry: entry.label)
def test_the_text_of_no_task_of_tiny_tells_truth_or_quirk(entry: TaskEntry) -> None:
    for estimate in leakage(entry.make()).values():
        assert estimate.value <= LEAKY_ABOVE


@pytest.mark.parametrize(
    "entry",
    [TaskEntry(name="population", fair=True), TaskEntry(name="addition", digits=4, fair=True)],
    ids=lambda entry: entry.label,
)
def test_the_text_of_other_fair_tasks_does_not_tell_the_truth(entry: TaskEntry) -> None:
    estimates = leakage(entry.make(), seed=1)
    assert all(estimates[leak].value <= LEAKY_ABOVE for leak in LEAKS if leak.against == "truth")


def test_the_published_sums_are_leaky() -> None:
    assert is_leaky(leakage(TaskEntry(name="addition", digits=2).make())[HEADLINE].value)


def test_what_is_undefined_is_not_leaky() -> None:
    assert not is_leaky(float("nan"))
    assert not is_leaky(LEAKY_ABOVE)
