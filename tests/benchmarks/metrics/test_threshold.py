"""The threshold that separates true from false best."""

import numpy as np
import pytest

from benchmarks.metrics.threshold import best_threshold


def threshold(scores: list[float], labels: list[int]) -> float:
    return best_threshold(np.array(scores, dtype=float), np.array(labels, dtype=bool))


def test_separable_scores_are_cut_in_the_middle_of_the_gap() -> None:
    assert threshold([3, 5, 8, 11], [0, 0, 1, 1]) == 6.5


def test_zero_is_taken_if_nothing_is_better() -> None:
    assert threshold([-1, -1, 10, 12], [0, 0, 1, 1]) == 0
    assert threshold([-9, -1, 1, 2, 3], [0, 1, 0, 1, 1]) == 1.5  # at 0 a false one is above


def test_classes_count_alike_however_frequent() -> None:
    # Above 2.5: both true ones and three false ones of eight; above 4.5: one of the true ones.
    scores = [0, 0, 0, 0, 2, 3, 3, 3, 4, 5]
    labels = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1]
    assert threshold(scores, labels) == 3.5
    overlapping = [0, 0, 0, 0, 2, 4.5, 4.5, 4.5, 4, 5]
    # Accuracy would cut at 4.75 (one error); the mean of both shares is best at 3.
    assert threshold(overlapping, labels) == 3


def test_of_equally_good_thresholds_the_one_in_the_widest_gap_is_taken() -> None:
    # false 1, true 2, false 3, true 10: cuts at 1.5 and at 6.5 have the same accuracy.
    assert threshold([1, 2, 3, 10], [0, 1, 0, 1]) == 6.5


def test_scores_that_are_all_equal_are_their_own_threshold() -> None:
    assert threshold([2, 2, 2], [0, 1, 1]) == 2


def test_one_class_has_no_threshold() -> None:
    assert np.isnan(threshold([1, 2], [1, 1]))
    assert np.isnan(threshold([], []))


def test_scores_must_be_finite() -> None:
    with pytest.raises(ValueError, match=r"NaN|finite"):
        threshold([1, float("nan")], [0, 1])


@pytest.mark.parametrize("seed", range(5))
def test_no_other_threshold_is_better(seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels = rng.random(60) < 0.3
    scores = np.round(rng.normal(size=60) + labels, 1)

    def quality(cut: float) -> float:
        return (scores[labels] > cut).mean() + (scores[~labels] <= cut).mean()

    best = best_threshold(scores, labels)
    assert quality(best) == pytest.approx(max(quality(cut) for cut in np.arange(-4, 5, 0.01)))
