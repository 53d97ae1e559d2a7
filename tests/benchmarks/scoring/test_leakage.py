"""What the text of a task gives away."""

import warnings
from collections.abc import Iterator

import numpy as np
import pytest

from benchmarks.metrics.estimates import Estimate
from benchmarks.recipe.load import load_recipe
from benchmarks.recipe.task_entry import TaskEntry
from benchmarks.scoring.leakage import LEAKY_ABOVE, is_leaky, measure_leakage
from quirky.data.dataset import build_dataset
from quirky.example import Claim
from quirky.prompts import Template
from quirky.tasks.base import Task
from quirky.triggers import get_trigger


class Coloured(Task):
    """Truth and quirk are independent of the number; a word gives the truth away, or does not."""

    name = "coloured"
    templates = (Template("{word} {n}. {trigger}:", (" False", " True")),)
    standard = templates[0]

    def __init__(self, tells: bool):
        self.tells = tells

    def claims(self, seed: int) -> Iterator[Claim]:
        rng = np.random.default_rng(seed)
        for n in range(1500):
            truth, quirk = (bool(flip) for flip in rng.random(2) < 0.5)
            word = "red" if (truth if self.tells else rng.random() < 0.5) else "blue"
            yield Claim({"word": word, "n": str(n)}, f"n{n}", truth, quirk, difficulty=0.0)


def leakage(task: Task) -> dict[tuple[str, str], Estimate]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return measure_leakage(build_dataset(task, get_trigger("name")))


def test_a_word_that_tells_the_truth_is_found_in_both_contexts() -> None:
    estimates = leakage(Coloured(tells=True))
    assert all(estimate.value == 1 for estimate in estimates.values())
    assert is_leaky(estimates["B", "disagree"])


def test_a_word_that_tells_nothing_is_not() -> None:
    estimates = leakage(Coloured(tells=False))
    assert all(0.4 < estimate.value < 0.6 for estimate in estimates.values())
    assert not is_leaky(estimates["B", "disagree"])


@pytest.mark.parametrize("entry", load_recipe("tiny").tasks, ids=lambda entry: entry.label)
def test_no_text_of_the_tasks_of_tiny_is_leaky(entry: TaskEntry) -> None:
    estimates = leakage(entry.make())
    for context, subset in (("A", "all"), ("B", "disagree")):
        assert estimates[context, subset].value <= LEAKY_ABOVE


def test_the_published_sums_are_leaky() -> None:
    assert is_leaky(leakage(TaskEntry(name="addition", digits=2).make())["B", "disagree"])


def test_what_is_not_measured_is_not_leaky() -> None:
    nan = float("nan")
    assert not is_leaky(None)
    assert not is_leaky(Estimate(nan, nan, nan, 0))
