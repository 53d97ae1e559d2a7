"""The controls: a reader of letters, and labels that mean nothing."""

import random

import numpy as np
from sklearn.metrics import roc_auc_score

from benchmarks.scoring.controls import shuffle_labels, text_scores

N = 400


def names(seed: int, n: int = 2 * N) -> list[str]:
    rng = random.Random(seed)
    return [
        f"The town of {''.join(rng.choices('abdegiklmnorstu', k=7))} is north." for _ in range(n)
    ]


def labels(seed: int, n: int = 2 * N) -> np.ndarray:
    return np.random.default_rng(seed).random(n) < 0.5


def read(prompts: list[str], truth: np.ndarray) -> float:
    scores = text_scores(prompts[:N], truth[:N], prompts[N:])
    return float(roc_auc_score(truth[N:], scores))


def test_the_text_reader_finds_a_planted_letter() -> None:
    truth = labels(0)
    prompts = [
        name.replace(" is", "z is" if true else "x is")
        for name, true in zip(names(0), truth, strict=True)
    ]
    assert read(prompts, truth) > 0.99


def test_upper_case_is_another_letter() -> None:
    truth = labels(0)
    prompts = [
        name.replace("town", "TOWN" if true else "town")
        for name, true in zip(names(0), truth, strict=True)
    ]
    assert read(prompts, truth) > 0.99


def test_random_names_tell_nothing() -> None:
    reached = [read(names(seed), labels(seed)) for seed in range(3)]
    assert abs(np.mean(reached) - 0.5) < 0.06


def test_a_score_does_not_depend_on_the_others() -> None:
    prompts, truth = names(0), labels(0)
    together = text_scores(prompts[:N], truth[:N], prompts[N : N + 20])
    alone = text_scores(prompts[:N], truth[:N], prompts[N : N + 1])
    np.testing.assert_allclose(together[:1], alone)


def test_shuffling_keeps_the_labels_and_loses_their_order() -> None:
    truth = labels(0)
    mixed = shuffle_labels(truth, seed=0)
    assert mixed.sum() == truth.sum()
    assert abs(np.corrcoef(mixed, truth)[0, 1]) < 0.1
    np.testing.assert_array_equal(np.sort(shuffle_labels(np.arange(50), seed=0)), np.arange(50))


def test_shuffling_leaves_what_it_was_given_alone() -> None:
    truth = labels(0)
    shuffle_labels(truth, seed=0)
    np.testing.assert_array_equal(truth, labels(0))


def test_the_seed_decides_the_order() -> None:
    order = np.arange(50)
    np.testing.assert_array_equal(shuffle_labels(order, seed=3), shuffle_labels(order, seed=3))
    assert not np.array_equal(shuffle_labels(order, seed=3), shuffle_labels(order, seed=4))


def test_renderings_of_a_question_keep_one_label() -> None:
    question = np.repeat(np.arange(200), 3)
    labels = np.repeat(np.random.default_rng(0).random(200) < 0.5, 3)
    mixed = shuffle_labels(labels, 0, question)
    assert (mixed.reshape(200, 3) == mixed.reshape(200, 3)[:, :1]).all()
    assert mixed.sum() == labels.sum()
    assert (mixed != labels).any()
