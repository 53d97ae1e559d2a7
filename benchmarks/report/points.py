"""Lines of points with intervals, and what a hollow one means."""

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from benchmarks.report.panels import HOVER
from benchmarks.results.summary import LayerEstimate


def line_of_points(
    x: Sequence[str],
    figures: Sequence[LayerEstimate],
    *,
    name: str,
    colour: str,
    dash: str,
    hollow: Sequence[bool],
    told: Sequence[str],
) -> go.Scatter:
    """Figures with their 95 % intervals, in order; `told` is shown where one points at them."""
    return go.Scatter(
        x=list(x),
        y=[figure.value for figure in figures],
        mode="lines+markers",
        line={"color": colour, "width": 2, "dash": dash},
        marker={
            "size": 9,
            "color": colour,
            "symbol": ["circle-open" if empty else "circle" for empty in hollow],
            "line": {"color": colour, "width": 2},
        },
        error_y=_bars(figures, colour),
        name=name,
        legendgroup=name,
        text=list(told),
        hovertemplate=HOVER,
        meta={"line": name},
    )


def _bars(figures: Sequence[LayerEstimate], colour: str) -> dict[str, Any]:
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
