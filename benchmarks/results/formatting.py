"""How numbers and transfers are printed for people."""

import math

from benchmarks.metrics.estimates import Estimate

DASH = "–"
"""Printed for a value that is not defined."""


def format_number(value: float) -> str:
    """Return two decimals without a leading zero: .87, 1.00, −.43; a dash for NaN."""
    if math.isnan(value):
        return DASH
    digits = f"{abs(value):.2f}"
    digits = digits.removeprefix("0") if digits.startswith("0.") else digits
    return f"−{digits}" if value < 0 and digits != ".00" else digits


def format_estimate(estimate: Estimate) -> str:
    """Return the value and its 95 % interval: .87 [.82, .91]."""
    value, low, high = (
        format_number(number) for number in (estimate.value, estimate.low, estimate.high)
    )
    return value if DASH in (value, low, high) else f"{value} [{low}, {high}]"


def format_transfer(transfer: str) -> str:
    """Return a transfer with an arrow: A→B."""
    return transfer.replace("->", "→")
