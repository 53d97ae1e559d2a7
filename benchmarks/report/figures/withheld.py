"""Known against withheld facts.

A model never saw a withheld fact, so a probe of its knowledge must be at chance there.
"""

from collections.abc import Sequence

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from benchmarks.report.figures.panels import (
    BLUE,
    CHANCE,
    HOVER,
    ORANGE,
    VOID_INK,
    apply_style,
)
from benchmarks.report.figures.points import error_bars
from benchmarks.results.formatting import format_estimate, format_transfer
from benchmarks.results.records import LayerEstimate
from benchmarks.results.summary import Summary

SUBSETS = (
    ("all", "known facts", BLUE, "circle"),
    ("withheld", "withheld facts", ORANGE, "diamond-open"),
)
"""Subset, label, colour and symbol."""


def withheld_figure(summary: Summary, transfer: str = "A->A") -> go.Figure | None:
    """Return AUROC on known and on withheld facts, at the headline rule, a panel per cell.

    None if the run has no withheld facts.
    """
    names = (*summary.probes, *summary.readers)
    groups = [
        group
        for group in summary.groups
        if any(summary.estimate(group.main, name, transfer, subset="withheld") for name in names)
    ]
    if not groups:
        return None
    titles = [group.name + (" (void)" if group.main.is_void else "") for group in groups]
    figure = make_subplots(cols=len(groups), shared_yaxes=True, subplot_titles=titles)
    for column, group in enumerate(groups, start=1):
        for subset, label, colour, symbol in SUBSETS:
            estimates = [
                summary.estimate(group.main, name, transfer, subset=subset) for name in names
            ]
            trace = _points(names, estimates, VOID_INK if group.main.is_void else colour, symbol)
            trace.update(name=label, legendgroup=subset, showlegend=column == 1)
            figure.add_trace(trace, row=1, col=column)
        figure.add_vline(x=0.5, line=CHANCE, col=column)
    x_title = f"AUROC, {format_transfer(transfer)}, EIL"
    figure.update_xaxes(range=[-0.02, 1.02], title_text=x_title)
    figure.update_yaxes(autorange="reversed")
    apply_style(figure, height=150 + 30 * len(names), top=90)
    figure.update_xaxes(tickvals=[0, 0.25, 0.5, 0.75, 1], ticktext=["0", ".25", ".5", ".75", "1"])
    figure.update_layout(margin={"l": 150})
    return figure


def _points(
    names: Sequence[str],
    estimates: Sequence[LayerEstimate | None],
    colour: str,
    symbol: str,
) -> go.Scatter:
    defined = [
        (name, estimate)
        for name, estimate in zip(names, estimates, strict=True)
        if estimate and not estimate.is_undefined
    ]
    return go.Scatter(
        x=[estimate.value for _, estimate in defined],
        y=[name for name, _ in defined],
        mode="markers",
        marker={"size": 10, "color": colour, "symbol": symbol},
        error_x=error_bars([estimate for _, estimate in defined], colour, thickness=1.5),
        text=[
            f"{name}: {format_estimate(estimate)}, n = {estimate.n}" for name, estimate in defined
        ],
        hovertemplate=HOVER,
    )
