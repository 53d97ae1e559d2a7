"""AUROC: ties, classes, batches."""

import numpy as np
import pytest
from hypothesis import given, settings
from samples import classes, tied_scores
from sklearn.metrics import roc_auc_score

from benchmarks.metrics.auroc import auroc


class TestAuroc:
    def test_tie_counts_one_half(self):
        assert auroc(np.array([1.0, 1.0]), np.array([True, False])) == 0.5
        assert auroc(np.array([1.0, 1.0, 0.0]), np.array([True, False, False])) == 0.75

    def test_constant_score_is_one_half(self):
        assert auroc(np.full(9, 3.0), classes(2, 7)) == 0.5

    @settings(deadline=None)
    @given(tied_scores())
    def test_equals_sklearn_on_tied_scores(self, sample):
        scores, labels = sample
        assert auroc(scores, labels) == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)

    @settings(deadline=None)
    @given(tied_scores())
    def test_flipping_labels_or_scores_mirrors_it(self, sample):
        scores, labels = sample
        mirrored = pytest.approx(1 - auroc(scores, labels), abs=1e-12)
        assert auroc(scores, ~labels) == mirrored
        assert auroc(-scores, labels) == mirrored

    @settings(deadline=None)
    @given(tied_scores())
    def test_only_the_order_matters(self, sample):
        scores, labels = sample
        assert auroc(np.exp(scores / 2) - 7, labels) == auroc(scores, labels)

    def test_batched_equals_looped(self):
        rng = np.random.default_rng(0)
        scores = rng.integers(5, size=(3, 4, 30)).astype(np.float32)
        labels = rng.random(30) < 0.4
        batched = auroc(scores, labels)
        assert batched.shape == (3, 4)
        for index in np.ndindex(3, 4):
            assert batched[index] == auroc(scores[index], labels)

    @pytest.mark.parametrize("labels", [classes(4, 0), classes(0, 4), classes(0, 0)])
    def test_one_class_is_blank(self, labels):
        assert np.isnan(auroc(np.zeros((2, len(labels))), labels)).all()

    def test_infinite_scores_are_ordered(self):
        assert auroc(np.array([np.inf, 0.0, -np.inf]), classes(1, 2)) == 1

    def test_bad_input_is_named(self):
        labels = classes(1, 2)
        with pytest.raises(ValueError, match=r"labels has dtype int64"):
            auroc(np.zeros(3), labels.astype(np.int64))
        with pytest.raises(ValueError, match=r"labels is a list"):
            auroc(np.zeros(3), [True, False, False])
        with pytest.raises(ValueError, match=r"scores has shape \(2, 4\); should be \(\.\.\., 3\)"):
            auroc(np.zeros((2, 4)), labels)
        with pytest.raises(ValueError, match=r"scores holds NaN in 1 of 3 places"):
            auroc(np.array([0.0, np.nan, 1.0]), labels)
        with pytest.raises(ValueError, match=r"scores is of type object"):
            auroc(np.array([None, 0, 1]), labels)
