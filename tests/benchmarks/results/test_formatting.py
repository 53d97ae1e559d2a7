"""Numbers as people read them."""

import math

import pytest

from benchmarks.metrics.estimates import Estimate
from benchmarks.results.formatting import format_estimate, format_number


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.87, ".87"), (1.0, "1.00"), (0.0, ".00"), (-0.43, "−.43"), (-0.001, ".00"), (1.2, "1.20")],
)
def test_a_number_has_two_decimals_and_no_leading_zero(value: float, text: str) -> None:
    assert format_number(value) == text


def test_an_undefined_number_is_a_dash() -> None:
    assert format_number(math.nan) == "–"


def test_an_estimate_has_its_interval_if_that_is_defined() -> None:
    assert format_estimate(Estimate(0.87, 0.82, 0.91, 100)) == ".87 [.82, .91]"
    assert format_estimate(Estimate(0.87, math.nan, 0.91, 100)) == ".87"
    assert format_estimate(Estimate(math.nan, math.nan, math.nan, 0)) == "–"
