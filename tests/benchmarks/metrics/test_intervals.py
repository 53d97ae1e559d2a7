"""Intervals that cover what they claim to."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import binormal, classes, tied_scores
from scipy.stats import binomtest, bootstrap, norm

from benchmarks.metrics.auroc import auroc
from benchmarks.metrics.intervals import bca_interval, delong_interval, t_interval, wilson_interval


class TestDelongInterval:
    @pytest.mark.parametrize(("area", "size"), [(0.7, 50), (0.95, 50), (0.95, 100), (0.99, 150)])
    def test_covers_the_true_auroc(self, area, size):
        rng = np.random.default_rng(1)
        labels = classes(size, size)
        intervals = [delong_interval(binormal(rng, labels, area), labels) for _ in range(1000)]
        covered = np.mean([low <= area <= high for low, high in intervals])
        assert 0.92 <= covered <= 0.98

    def test_coverage_holds_on_tied_scores(self):
        rng = np.random.default_rng(2)
        labels = classes(60, 60)
        true, false = np.array([0.1, 0.2, 0.7]), np.array([0.5, 0.3, 0.2])
        area = true[1] * false[0] + true[2] * false[:2].sum() + true @ false / 2
        covered = 0
        for _ in range(1000):
            scores = np.r_[rng.choice(3, 60, p=true), rng.choice(3, 60, p=false)].astype(float)
            low, high = delong_interval(scores, labels)
            covered += low <= area <= high
        assert 0.92 <= covered / 1000 <= 0.98

    def test_variance_equals_the_definition(self):
        """DeLong, DeLong & Clarke-Pearson (1988): the variance of both structural components."""
        rng = np.random.default_rng(3)
        labels = classes(12, 17)
        scores = rng.integers(6, size=29) + 2.0 * labels
        difference = scores[labels][:, None] - scores[~labels]
        wins = (difference > 0) + (difference == 0) / 2
        variance = wins.mean(1).var(ddof=1) / 12 + wins.mean(0).var(ddof=1) / 17
        area = wins.mean()
        center, half = np.log(area / (1 - area)), 1.959964 * variance**0.5 / (area * (1 - area))
        expected = 1 / (1 + np.exp([-(center - half), -(center + half)]))
        assert delong_interval(scores, labels) == pytest.approx(expected, abs=1e-6)

    @settings(max_examples=200, deadline=None)
    @given(tied_scores())
    def test_holds_the_estimate_and_has_width(self, sample):
        scores, labels = sample
        low, high = delong_interval(scores, labels)
        assert 0 <= low <= auroc(scores, labels) <= high <= 1
        assert low < high

    @settings(deadline=None)
    @given(tied_scores())
    def test_flipping_labels_mirrors_it(self, sample):
        scores, labels = sample
        low, high = delong_interval(scores, labels)
        assert delong_interval(scores, ~labels) == pytest.approx((1 - high, 1 - low), abs=1e-9)

    @pytest.mark.parametrize("smaller", [1, 3, 10, 100])
    def test_perfect_separation_is_clopper_pearson_in_the_smaller_class(self, smaller):
        labels = classes(smaller, 100)
        low, high = delong_interval(labels.astype(float), labels)
        assert high == 1
        assert low**smaller == pytest.approx(0.025)

    def test_narrows_with_the_square_root_of_n(self):
        rng = np.random.default_rng(4)
        widths = []
        for size in (250, 1000):
            labels = classes(size, size)
            low, high = delong_interval(binormal(rng, labels, 0.8), labels)
            widths.append(high - low)
        assert widths[0] / widths[1] == pytest.approx(2, rel=0.15)


class TestBcaInterval:
    @pytest.mark.parametrize("area", [0.7, 0.95])
    def test_is_close_to_delong_when_every_fact_occurs_once(self, area):
        rng = np.random.default_rng(5)
        labels = classes(200, 300)
        scores = binormal(rng, labels, area)
        low, high = delong_interval(scores, labels)
        allowed = 0.1 * (high - low)
        assert bca_interval(scores, labels, np.arange(500)) == pytest.approx(
            (low, high), abs=allowed
        )

    def test_repeating_examples_does_not_narrow_it(self):
        rng = np.random.default_rng(6)
        labels = classes(80, 120)
        scores, facts = binormal(rng, labels, 0.8), np.arange(200)
        once = bca_interval(scores, labels, facts)
        repeated = [np.repeat(column, 4) for column in (scores, labels, facts)]
        assert bca_interval(*repeated) == pytest.approx(once, abs=1e-9)
        low, high = delong_interval(*repeated[:2])
        assert once[1] - once[0] > 1.8 * (high - low)

    def test_covers_the_true_auroc_of_correlated_examples(self):
        rng = np.random.default_rng(7)
        labels, facts = np.repeat(classes(60, 60), 3), np.repeat(np.arange(120), 3)
        clustered, independent = 0, 0
        for _ in range(300):
            shared, own = rng.normal(size=120)[facts], rng.normal(size=360)
            scores = 0.9 * shared + 0.19**0.5 * own + labels * norm.ppf(0.9) * 2**0.5
            low, high = bca_interval(scores, labels, facts, resamples=1000)
            clustered += low <= 0.9 <= high
            low, high = delong_interval(scores, labels)
            independent += low <= 0.9 <= high
        assert 0.91 <= clustered / 300 <= 0.985
        assert independent < 0.85 * 300

    def test_equals_scipy_on_skewed_and_tied_scores(self):
        rng = np.random.default_rng(8)
        truth = np.tile([True, False, False], 25).reshape(25, 3)
        scores = np.round(rng.normal(size=truth.shape) + 2.2 * truth)

        def statistic(picked):
            picked = picked.astype(int)
            return auroc(scores[picked].ravel(), truth[picked].ravel())

        expected = bootstrap(
            (np.arange(25),),
            statistic,
            method="BCa",
            n_resamples=8000,
            vectorized=False,
            random_state=8,
        ).confidence_interval
        facts = np.repeat(np.arange(25), 3)
        found = bca_interval(scores.ravel(), truth.ravel(), facts, resamples=40_000)
        assert found == pytest.approx(tuple(expected), abs=0.004)

    def test_depends_on_the_seed_only(self):
        rng = np.random.default_rng(9)
        labels, facts = classes(30, 30), np.repeat(np.arange(30), 2)
        scores = binormal(rng, labels, 0.8)
        first = bca_interval(scores, labels, facts, seed=1)
        assert bca_interval(scores, labels, facts, seed=1) == first
        assert bca_interval(scores, labels, facts, seed=2) != first

    def test_names_and_order_of_facts_do_not_matter(self):
        rng = np.random.default_rng(10)
        labels, facts = classes(30, 30), np.repeat(np.arange(30), 2)
        scores = binormal(rng, labels, 0.8)
        order = rng.permutation(60)
        names = np.array([f"fact-{code:02d}" for code in facts])
        shuffled = bca_interval(scores[order], labels[order], names[order])
        assert shuffled == pytest.approx(bca_interval(scores, labels, facts), abs=1e-12)

    @settings(max_examples=60, deadline=None)
    @given(tied_scores(), st.integers(1, 4))
    def test_holds_the_estimate_and_has_width(self, sample, size):
        scores, labels = sample
        facts = np.arange(len(labels)) // size
        low, high = bca_interval(scores, labels, facts, resamples=200)
        assert 0 <= low <= auroc(scores, labels) <= high <= 1
        assert low < high

    def test_perfect_separation_counts_facts_not_examples(self):
        labels = np.tile([True, False], 50)
        scores = labels.astype(float)
        low, high = bca_interval(scores, labels, np.arange(100) // 10)
        assert high == 1
        assert low**5 == pytest.approx(0.025)  # ten facts of both classes make five pairs
        assert bca_interval(scores, labels, np.zeros(100)) == (0, 1)

    def test_bad_input_is_named(self):
        scores, labels = np.array([1.0, 0.0]), classes(1, 1)
        with pytest.raises(ValueError, match=r"facts has shape \(3,\); should be \(2,\)"):
            bca_interval(scores, labels, np.arange(3))
        with pytest.raises(ValueError, match=r"resamples is 10; should be at least 100"):
            bca_interval(scores, labels, np.arange(2), resamples=10)


class TestWilsonInterval:
    @pytest.mark.parametrize("right", [0, 1, 30, 39, 40])
    def test_is_wilsons_where_every_fact_occurs_once(self, right):
        expected = binomtest(right, 40).proportion_ci(method="wilson")
        assert wilson_interval(np.arange(40) < right, np.arange(40)) == pytest.approx(
            (expected.low, expected.high)
        )

    @pytest.mark.parametrize("together", [0.0, 0.5, 1.0])
    @pytest.mark.parametrize(("facts", "share"), [(20, 0.5), (50, 0.9), (200, 0.97)])
    def test_covers_the_true_share_however_a_fact_s_answers_go_together(
        self, facts, share, together
    ):
        rng, asked, covered = np.random.default_rng(16), 4, 0
        for _ in range(500):
            known, own = rng.random((facts, 1)) < share, rng.random((facts, asked)) < share
            alike = rng.random((facts, asked)) < together**0.5
            right = np.where(alike, known, own).ravel()
            low, high = wilson_interval(right, np.repeat(np.arange(facts), asked))
            covered += low <= share <= high
        assert covered / 500 >= 0.92

    @pytest.mark.parametrize("right", [True, False])
    def test_all_alike_counts_facts_not_examples(self, right):
        once = wilson_interval(np.full(30, right), np.arange(30))
        again = wilson_interval(np.full(120, right), np.arange(120) % 30)
        assert again == pytest.approx(once)
        assert once[1] - once[0] > 0.1
        low, high = wilson_interval(np.full(120, right), np.zeros(120))  # a single fact
        assert high - low > 0.7

    def test_facts_with_one_right_and_one_wrong_answer_still_have_width(self):
        mixed, facts = np.tile([True, False], 40), np.arange(80) // 2
        assert wilson_interval(mixed, facts) == wilson_interval(mixed, np.arange(80))

    @settings(deadline=None)
    @given(st.lists(st.tuples(st.booleans(), st.integers(0, 4)), min_size=1))
    def test_holds_the_share_and_has_width(self, answers):
        right, facts = (np.array(part) for part in zip(*answers, strict=True))
        low, high = wilson_interval(right, facts)
        assert 0 <= low <= right.mean() <= high <= 1
        assert low < high

    def test_is_blank_of_nothing(self):
        assert np.isnan(wilson_interval(np.array([], dtype=bool), np.array([]))).all()


class TestTInterval:
    def test_equals_the_textbook(self):
        mean, low, high = t_interval([0.7, 0.8, 0.9])
        assert mean == pytest.approx(0.8)
        assert high - mean == pytest.approx(4.30265 * 0.1 / 3**0.5, abs=1e-6)
        assert mean - low == pytest.approx(high - mean)

    def test_two_values_suffice_for_bounds_one_does_not(self):
        assert np.isfinite(t_interval(np.array([0.7, 0.8]))).all()
        mean, low, high = t_interval([0.7])
        assert mean == 0.7
        assert np.isnan([low, high]).all()
        assert np.isnan(t_interval([])).all()

    def test_covers_the_mean_of_three_seeds(self):
        seeds = np.random.default_rng(14).normal(0.8, 0.05, size=(1000, 3))
        bounds = np.array([t_interval(row)[1:] for row in seeds])
        assert 0.92 <= np.mean((bounds[:, 0] <= 0.8) & (bounds[:, 1] >= 0.8)) <= 0.98

    def test_bad_input_is_named(self):
        with pytest.raises(ValueError, match=r"values is \[0\.5, nan\]; should be finite"):
            t_interval([0.5, float("nan")])
        with pytest.raises(ValueError, match=r"values has shape \(1, 2\); should be \(seeds,\)"):
            t_interval([[0.5, 0.6]])
