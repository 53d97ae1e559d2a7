"""Points with intervals, and what a hollow one means."""

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from benchmarks.report.summary import LayerEstimate


def bars(figures: Sequence[LayerEstimate], colour: str) -> dict[str, Any]:
    """The 95 % intervals."""
    return {
        "type": "data",
        "symmetric": False,
        "array": [figure.high - figure.value for figure in figures],
        "arrayminus": [figure.value - figure.low for figure in figures],
        "color": colour,
        "thickness": 1.2,
    }


def hollow_entry(meaning: str) -> go.Scatter:
    """An entry of the legend that says what a hollow point means."""
    return go.Scatter(
        x=[None],
        y=[None],
        mode="markers",
        marker={"symbol": "circle-open", "size": 9, "color": "#52606d", "line": {"width": 2}},
        name=f"hollow: {meaning}",
        meta={"line": ""},
    )
