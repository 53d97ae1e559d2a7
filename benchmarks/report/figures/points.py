"""Points with 95 % intervals, joined by lines; some are hollow."""

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from benchmarks.report.figures.panels import HOVER
from benchmarks.results.records import LayerEstimate


def line_of_points(
    x: Sequence[str],
    estimates: Sequence[LayerEstimate],
    *,
    name: str,
    colour: str,
    dash: str,
    is_hollow: Sequence[bool],
    hover: Sequence[str],
) -> go.Scatter:
    """Return estimates with their intervals, joined in order; `hover` has a text for each point."""
    return go.Scatter(
        x=list(x),
        y=[estimate.value for estimate in estimates],
        mode="lines+markers",
        line={"color": colour, "width": 2, "dash": dash},
        marker={
            "size": 9,
            "color": colour,
            "symbol": ["circle-open" if hollow else "circle" for hollow in is_hollow],
            "line": {"color": colour, "width": 2},
        },
        error_y=error_bars(estimates, colour, thickness=1.2),
        name=name,
        legendgroup=name,
        text=list(hover),
        hovertemplate=HOVER,
        meta={"line": name},
    )


def error_bars(estimates: Sequence[LayerEstimate], colour: str, thickness: float) -> dict[str, Any]:
    """Return the 95 % intervals of estimates as plotly's error bars."""
    return {
        "type": "data",
        "symmetric": False,
        "array": [estimate.high - estimate.value for estimate in estimates],
        "arrayminus": [estimate.value - estimate.low for estimate in estimates],
        "color": colour,
        "thickness": thickness,
    }


def hollow_legend(meaning: str) -> go.Scatter:
    """Return a legend entry that explains hollow points."""
    return go.Scatter(
        x=[None],
        y=[None],
        mode="markers",
        marker={"symbol": "circle-open", "size": 9, "color": "#52606d", "line": {"width": 2}},
        name=f"hollow: {meaning}",
        meta={"line": ""},
    )
