"""Fair claims: their text does not say whether they are true."""

import math
import random
from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest

from quirky.example import Claim
from quirky.tasks import get_task
from quirky.tasks.arithmetic import quirk_result
from quirky.tasks.fair.names import leave_one_out_log_odds, matched_names, ngrams
from quirky.tasks.fair.results import head, results_to_show
from quirky.tasks.geography import cities, fair_cities


def distance(first: list, second: list) -> float:
    """Total variation between two samples: 0 if they have equal shares, 1 if nothing in common."""
    shares = [Counter(sample) for sample in (first, second)]
    return (
        sum(
            abs(shares[0][value] / len(first) - shares[1][value] / len(second))
            for value in shares[0] | shares[1]
        )
        / 2
    )


def by_truth(claims: list[Claim], value: Callable[[Claim], object]) -> tuple[list, list]:
    return (
        [value(claim) for claim in claims if claim.truth],
        [value(claim) for claim in claims if not claim.truth],
    )


@pytest.fixture(scope="module")
def sums() -> list[Claim]:
    """Claims of several seeds, so that shares differ little by chance."""
    task = get_task("addition", digits=2, fair=True)
    return [claim for seed in range(6) for claim in task.claims(seed)]


def result(claim: Claim) -> int:
    return int(claim.fields["result"])


def test_true_and_false_sums_show_the_same_leading_digits(sums: list[Claim]) -> None:
    published = list(get_task("addition", digits=2).claims(0))
    assert distance(*by_truth(sums, lambda claim: head(result(claim)))) < 0.05
    assert distance(*by_truth(published, lambda claim: head(result(claim)))) > 0.1


def test_true_and_false_sums_show_the_same_last_digits_and_operands(sums: list[Claim]) -> None:
    assert distance(*by_truth(sums, lambda claim: result(claim) % 10)) < 0.05
    for operand in "ab":
        assert distance(*by_truth(sums, lambda claim, o=operand: int(claim.fields[o]) // 10)) < 0.05


def test_a_fact_has_two_claims_and_a_quarter_of_all_claims_is_true(sums: list[Claim]) -> None:
    first_seed = get_task("addition", digits=2, fair=True).claims(0)
    assert set(Counter(claim.fact_id for claim in first_seed).values()) == {2}
    assert np.mean([claim.truth for claim in sums]) == pytest.approx(0.25, abs=0.02)
    assert not any(claim.truth and claim.quirk for claim in sums)


def test_a_distractor_differs_in_its_leading_digit_alone(sums: list[Claim]) -> None:
    for claim in sums:
        right = int(claim.fields["a"]) + int(claim.fields["b"])
        assert right < 100
        if not (claim.truth or claim.quirk):
            shown = claim.fields["result"]
            assert len(shown) == len(str(right))
            assert shown[1:] == str(right)[1:]
            assert result(claim) not in (right, quirk_result(right))


def test_leading_digits_are_drawn_as_worked_out_by_hand() -> None:
    """Ten right results each of 2x, 3x and 4x; the quirk turns them into 3x, 4x and 5x.

    No right result is 5x, so the quirk shows none of these. Distractors wanted: (30 - 0) / 2 = 15
    of 2x, (30 - 10) / 2 = 10 of 3x and of 4x. A fact of 2x can only show 4x (3x is its quirk), one
    of 3x only 2x: 10 draws each. The 15 draws of facts of 4x must bring the other 5 of 2x and 10 of
    3x: weights 1 to 2.
    """
    rights = [20 + i for i in range(10)] + [30 + i for i in range(10)] + [40 + i for i in range(10)]
    shown = list(results_to_show(rights * 400, quirk_result, random.Random(0)))
    leads = {lead: Counter() for lead in "234"}
    for right, results in zip(rights * 400, shown, strict=True):
        quirk = right + 10
        others = [r for r in results if r not in (right, quirk)]
        leads[str(right)[0]].update(str(r)[0] for r in others)
        assert len(results) == len(set(results)) == 2
        assert quirk not in results or right < 40
    assert set(leads["2"]) == {"4"}
    assert set(leads["3"]) == {"2"}
    share = leads["4"]["2"] / leads["4"].total()
    # Half of the facts of 4x show the right result and one distractor, 1 in 3 of them 2x; the other
    # half show 2x and 3x.
    assert share == pytest.approx((1 / 2 / 3 + 1 / 2) / (1 / 2 + 1), abs=0.02)


def test_a_fact_without_another_result_shows_fewer() -> None:
    for seed in range(5):
        ((*shown,),) = results_to_show([5], quirk_result, random.Random(seed))
        assert shown in ([5], [])


@pytest.mark.parametrize(
    ("name", "params", "message"),
    [
        ("addition", {"fair": 1}, "task addition: fair = 1; give true or false"),
        ("addition", {"fair": True, "digits": 1}, "digits = 1 with fair = true; give 2 to 9"),
        ("hemisphere", {"fair": "yes"}, "task hemisphere: fair = 'yes'; give true or false"),
        ("subtraction", {"fair": True}, "fair"),
    ],
)
def test_fair_is_true_or_false(name: str, params: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        get_task(name, **params)


def test_the_log_odds_of_a_name_are_those_worked_out_by_hand() -> None:
    """Of "a", the space is in one true and one false other name; "a" and " a" in the true one.

    With counts smoothed by 1, the first gives 0 and the others log((1 + 1)/(1 + 2)) -
    log((0 + 1)/(1 + 2)) = log 2 each. No other name has "a " or " a ".
    """
    assert ngrams("a") == [" ", " a", " a ", "a", "a "]
    log_odds = leave_one_out_log_odds(["a", "b", "ab"], np.array([True, False, True]))
    assert log_odds[0] == pytest.approx(2 * math.log(2), abs=1e-6)


def test_names_that_say_everything_have_no_match() -> None:
    names, truth = [], []
    for i in range(100):
        letters = "xyz" if i % 2 else "uvw"
        names.append("".join(letters[(i // 3**k) % 3] for k in range(5)) + str(i))
        truth.append(bool(i % 2))
    quirk = [bool(i // 2 % 2) for i in range(100)]
    assert matched_names(names, truth, quirk) == []


def test_names_that_say_nothing_are_nearly_all_matched_in_groups_of_four() -> None:
    rng = random.Random(0)
    names = sorted({"".join(rng.choice("abcdefgh") for _ in range(3)) for _ in range(200)})[:120]
    truth, quirk = ([rng.random() < 0.5 for _ in names] for _ in range(2))
    matched = matched_names(names, truth, quirk)
    kinds = [(truth[names.index(name)], quirk[names.index(name)]) for name in matched]
    assert len(set(matched)) == len(matched) > 60
    for start in range(0, len(kinds), 4):
        assert len(set(kinds[start : start + 4])) == 4


@pytest.mark.parametrize(("truth", "quirk"), [("north", "west"), ("large", "in_published_ten")])
def test_fair_cities_are_as_many_of_each_kind_and_enough(truth: str, quirk: str) -> None:
    selected = fair_cities(truth, quirk)
    counts = Counter((getattr(city, truth), getattr(city, quirk)) for city in selected)
    assert len(counts) == 4
    assert len(set(counts.values())) == 1
    assert counts.total() >= 800
    assert set(selected) < set(cities())
