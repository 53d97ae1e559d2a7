"""Figures with their intervals, and the subsets they are of."""

import numpy as np
import pytest
from samples import binormal, classes
from scipy.stats import norm

from benchmarks.metrics.auroc import auroc
from benchmarks.metrics.estimates import (
    SUBSETS,
    accuracy_estimate,
    auroc_estimate,
    recovered_gap,
    recovered_gap_estimate,
    subset_mask,
)
from benchmarks.metrics.intervals import ScoredExamples, bca_interval, delong_interval


class TestAurocEstimate:
    def test_takes_delong_when_every_fact_occurs_once(self):
        labels = classes(30, 40)
        scores = binormal(np.random.default_rng(12), labels, 0.8)
        expected = (auroc(scores, labels), *delong_interval(scores, labels), 70)
        for facts in (None, np.arange(70), np.array([f"f{i}" for i in range(70)])):
            found = auroc_estimate(scores, labels, facts)
            assert (found.value, found.low, found.high, found.n) == expected

    def test_takes_bca_when_a_fact_repeats(self):
        labels, facts = classes(30, 40), np.arange(70) // 2
        scores = binormal(np.random.default_rng(13), labels, 0.8)
        found = auroc_estimate(scores, labels, facts)
        assert (found.low, found.high) == bca_interval(scores, labels, facts)

    @pytest.mark.parametrize("facts", [None, np.arange(6), np.zeros(6)])
    def test_one_class_is_blank(self, facts):
        found = auroc_estimate(np.arange(6.0), classes(6, 0), facts)
        assert np.isnan([found.value, found.low, found.high]).all()
        assert found.n == 6

    @pytest.mark.parametrize("facts", [None, np.arange(100) // 2])
    def test_constant_score_is_one_half_and_uncertain(self, facts):
        found = auroc_estimate(np.zeros(100), classes(40, 60), facts)
        assert found.value == 0.5
        assert found.low < 0.45
        assert found.low + found.high == pytest.approx(1)

    def test_wants_one_row_of_scores(self):
        with pytest.raises(ValueError, match=r"scores has shape \(2, 3\); should be \(n,\)"):
            auroc_estimate(np.zeros((2, 3)), classes(1, 2))


class TestRecoveredGap:
    def test_is_zero_at_the_floor_and_one_at_the_ceiling(self):
        assert recovered_gap(0.5, floor=0.5, ceiling=0.9) == 0
        assert recovered_gap(0.9, floor=0.5, ceiling=0.9) == 1
        assert recovered_gap(0.8, floor=0.5, ceiling=0.9) == pytest.approx(0.75)
        assert recovered_gap(0.4, floor=0.5, ceiling=0.9) == pytest.approx(-0.25)

    @pytest.mark.parametrize(("floor", "ceiling"), [(0.8, 0.89), (0.9, 0.9), (0.9, 0.5)])
    def test_is_blank_where_the_gap_is_small(self, floor, ceiling):
        assert np.isnan(recovered_gap(0.85, floor, ceiling))

    def test_a_gap_of_exactly_the_minimum_counts(self):
        assert recovered_gap(0.6, floor=0.5, ceiling=0.6) == pytest.approx(1)

    def test_is_blank_where_an_auroc_is(self):
        nan = float("nan")
        for values in ((nan, 0.5, 0.9), (0.7, nan, 0.9), (0.7, 0.5, nan)):
            assert np.isnan(recovered_gap(*values))

    def test_bad_input_is_named(self):
        with pytest.raises(ValueError, match=r"probe is 70; should be an AUROC"):
            recovered_gap(70, 0.5, 0.9)
        with pytest.raises(ValueError, match=r"minimum is 0; should be above 0"):
            recovered_gap(0.7, 0.5, 0.9, minimum=0)


def about(
    scores: np.ndarray, labels: np.ndarray, facts: np.ndarray | None = None
) -> ScoredExamples:
    return ScoredExamples(scores, labels, np.arange(len(labels)) if facts is None else facts)


def three(
    rng: np.random.Generator, areas: tuple[float, float, float], size: int
) -> list[ScoredExamples]:
    """Readers of these AUROCs on the same facts, asked twice; their mistakes go together."""
    labels, shared = classes(size // 2, size // 2), rng.normal(size=size)
    parts = []
    for area in areas:
        noise = 0.8 * shared + 0.6 * rng.normal(size=size)
        parts.append(about(noise + labels * norm.ppf(area) * 2**0.5, labels))
    return parts


class TestRecoveredGapEstimate:
    def test_covers_the_true_share_where_floor_and_ceiling_are_measured_too(self):
        rng = np.random.default_rng(12)
        areas = (0.85, 0.6, 0.95)
        share = (areas[0] - areas[1]) / (areas[2] - areas[1])
        estimates = [recovered_gap_estimate(*three(rng, areas, 200)) for _ in range(80)]
        inside = [e.low <= share <= e.high for e in estimates]
        assert np.mean(inside) >= 0.9
        assert np.mean([e.high - e.low for e in estimates]) < 0.6

    def test_an_uncertain_floor_widens_it(self):
        rng = np.random.default_rng(13)
        probe, floor, ceiling = three(rng, (0.7, 0.5, 0.95), 300)
        few = np.flatnonzero(np.arange(300) % 10 == 0)
        rough = ScoredExamples(floor.scores[few], floor.labels[few], floor.facts[few])
        wide, narrow = (recovered_gap_estimate(probe, end, ceiling) for end in (rough, floor))
        assert wide.high - wide.low > 1.2 * (narrow.high - narrow.low)

    def test_the_ceiling_itself_recovers_all_and_hardly_varies(self):
        rng = np.random.default_rng(14)
        _, floor, ceiling = three(rng, (0.7, 0.5, 0.9), 300)
        estimate = recovered_gap_estimate(ceiling, floor, ceiling)
        assert estimate.value == 1
        assert estimate.low <= 1 <= estimate.high

    def test_perfect_readers_still_have_width(self):
        labels = classes(30, 30)
        honest, liar = about(labels * 1.0, labels), about(labels * -1.0, labels)
        estimate = recovered_gap_estimate(honest, liar, honest)
        assert (estimate.value, estimate.high) == (1, 1)
        assert 0.8 < estimate.low < 1

    def test_is_blank_where_the_gap_is_small(self):
        rng = np.random.default_rng(15)
        probe, floor, _ = three(rng, (0.7, 0.6, 0.9), 100)
        estimate = recovered_gap_estimate(probe, floor, floor)
        assert np.isnan([estimate.value, estimate.low, estimate.high]).all()
        assert estimate.n == 100


class TestSubset:
    truth = np.array([True, True, False, False, True, False])
    quirk = np.array([True, False, True, False, True, True])
    withheld = np.array([False, False, False, False, True, True])

    def mask(self, name: str) -> list[int]:
        return subset_mask(self.truth, self.quirk, self.withheld, name).astype(int).tolist()

    def test_withheld_facts_count_in_their_own_subset_only(self):
        assert self.mask("all") == [1, 1, 1, 1, 0, 0]
        assert self.mask("disagree") == [0, 1, 1, 0, 0, 0]
        assert self.mask("agree") == [1, 0, 0, 1, 0, 0]
        assert self.mask("withheld") == [0, 0, 0, 0, 1, 1]

    def test_every_example_is_in_one_part(self):
        parts = [self.mask(name) for name in ("disagree", "agree", "withheld")]
        assert np.sum(parts, axis=0).tolist() == [1] * 6
        assert set(SUBSETS) == {"all", "disagree", "agree", "withheld"}

    def test_on_the_disagreeing_the_quirk_scores_zero_and_the_truth_one(self):
        mask = subset_mask(self.truth, self.quirk, self.withheld, "disagree")
        assert auroc(self.quirk[mask].astype(float), self.truth[mask]) == 0
        assert auroc(self.truth[mask].astype(float), self.truth[mask]) == 1

    def test_bad_input_is_named(self):
        with pytest.raises(
            ValueError, match=r"'disagre'; did you mean 'disagree'\? known: agree, all,"
        ):
            self.mask("disagre")
        with pytest.raises(ValueError, match=r"unknown subset name 'xyz'; known: agree, all,"):
            self.mask("xyz")
        with pytest.raises(ValueError, match=r"quirk has shape \(2,\); should be \(6,\)"):
            subset_mask(self.truth, self.quirk[:2], self.withheld, "all")
        with pytest.raises(ValueError, match=r"withheld has dtype float64"):
            subset_mask(self.truth, self.quirk, np.zeros(6), "all")


def test_accuracy_is_the_share_of_right_answers_with_wilsons_interval() -> None:
    log_odds = np.array([2.0, 1.0, -1.0, -3.0, 0.5, 0.0, -0.1, 4.0, 1.0, -2.0])
    labels = np.array([True, True, False, False, False, False, True, True, True, False])
    estimate = accuracy_estimate(log_odds, labels, np.arange(10))
    assert estimate.value == pytest.approx(0.8)
    # Wilson 1927: centre (p + z^2/2n) / (1 + z^2/n), here by hand for 8 of 10
    assert (estimate.low, estimate.high) == pytest.approx((0.4902, 0.9433), abs=1e-3)
    assert np.isnan(accuracy_estimate(log_odds[:0], labels[:0], labels[:0]).value)
