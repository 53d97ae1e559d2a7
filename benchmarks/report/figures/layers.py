"""The main picture of a report: AUROC by layer for every cell."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from benchmarks.report.figures.panels import (
    BLUE,
    HOVER,
    MUTED,
    ORANGE,
    VOID,
    VOID_INK,
    empty_panels,
)
from benchmarks.results.formatting import format_estimate, format_number
from benchmarks.results.records import CellRecord, Group, LayerEstimate
from benchmarks.results.summary import HEADLINE_RULE, HEADLINE_TRANSFER, Summary
from benchmarks.scoring.fits import SHUFFLES

SOURCE, TARGET = HEADLINE_TRANSFER.split("->")


@dataclass(frozen=True)
class Style:
    """How a kind of line looks, and its label in the legend."""

    label: str
    colour: str
    width: float
    dash: str = "solid"
    marker: str = ""
    """Symbol of the kind's single point, if it has one."""


STYLES = {
    "headline": Style(f"probe fitted in {SOURCE}, read in {TARGET}, disagreeing examples", BLUE, 4),
    "source": Style(f"probe in {SOURCE}, all examples", "#8a97a6", 2),
    "lm": Style(f"the model's own answer in {TARGET}, disagreeing", ORANGE, 2, "dash"),
    "eil": Style("layer chosen by EIL (the headline)", BLUE, 1.2, "dot", "circle"),
    "oracle": Style("best layer with hindsight (oracle)", "#b8860b", 1, marker="star"),
    "base": Style(f"control: before fine-tuning, {TARGET}, disagreeing", "#a3b18a", 1.5, "dash"),
    "shuffled": Style(
        f"control: shuffled labels (mean of {SHUFFLES}), {TARGET}", "#b9a3c9", 1.5, "dashdot"
    ),
    "chance": Style("chance", MUTED, 1, "dot"),
}
"""By kind, in the order of the legend."""


def layer_figure(summary: Summary, probe: str | None = None) -> go.Figure:
    """Return AUROC by layer: a row of panels per model, a column per task, void cells greyed.

    The figure contains the lines of every probe; those of `probe` (the first by default) are
    visible. The `meta` of a trace has its probe ("" for all probes) and its kind (a key of
    `STYLES`).

    Raises:
        ValueError: if the run has no such probe.
    """
    if probe and probe not in summary.probes:
        raise ValueError(f"unknown probe {probe!r}; in this run: {', '.join(summary.probes)}")
    visible_probe = probe or next(iter(summary.headline_probes), "")
    rows = list(dict.fromkeys(group.row for group in summary.groups))
    tasks = list(dict.fromkeys(group.task for group in summary.groups))
    titles = [f"<b>{row}</b><br>AUROC" for row in rows]
    figure = empty_panels(titles, tasks, x_title="layer (block)")
    for group in summary.groups:
        panel = {"row": rows.index(group.row) + 1, "col": tasks.index(group.task) + 1}
        traces = list(_panel_traces(summary, group, visible_probe))
        figure.add_traces(traces, rows=panel["row"], cols=panel["col"])
        _set_layer_range(figure, _depth(summary, group.main), panel)
        if group.main.is_void:
            _mark_void(figure, panel)
    _add_legend(figure, visible_probe)
    return figure


def _panel_traces(summary: Summary, group: Group, visible_probe: str) -> Iterator[go.Scatter]:
    """Yield the lines of one cell: first those that depend on no probe, then those of each."""
    cell = group.main
    ends = [1, max(_depth(summary, cell), 1)]
    yield _line("chance", "", ends, [0.5, 0.5], cell.is_void, hoverinfo="skip")
    own = summary.estimate(cell, "lm")
    if own and not own.is_undefined:
        text = f"the model's own answer: {format_estimate(own)}, n = {own.n}"
        hover = {"text": [text] * 2, "hovertemplate": HOVER}
        yield _line("lm", "", ends, [own.value] * 2, cell.is_void, **hover)
    for probe in summary.probes:
        for trace in _probe_traces(summary, group, probe):
            trace.visible = probe == visible_probe
            yield trace


def _probe_traces(summary: Summary, group: Group, probe: str) -> Iterator[go.Scatter]:
    cell = group.main
    for control in summary.controls:
        if control in STYLES:
            yield from _curve(control, probe, summary.curve(cell, probe, control=control), cell)
    for other in group.controls:
        if other.variant in STYLES:
            yield from _curve(other.variant, probe, summary.curve(other, probe), cell)
    in_source = summary.curve(cell, probe, f"{SOURCE}->{SOURCE}", subset="all")
    headline = summary.curve(cell, probe)
    for kind, points in (("source", in_source), ("headline", headline)):
        yield from _band(kind, probe, points, cell)
        yield from _curve(kind, probe, points, cell)
    oracle = summary.oracle(cell, probe)
    if oracle:
        yield _marker("oracle", probe, oracle, cell, "best layer with hindsight (oracle)")
    at_eil = summary.estimate(cell, probe, rule=HEADLINE_RULE)
    if at_eil and at_eil.layer is not None:
        layers, height = [at_eil.layer] * 2, [-0.03, 1.03]
        yield _line("eil", probe, layers, height, cell.is_void, hoverinfo="skip")
        if not at_eil.is_undefined:
            yield _marker("eil", probe, at_eil, cell, "chosen by EIL")


def _line(
    kind: str, probe: str, x: Sequence[int], y: Sequence[float], is_void: bool, **more: Any
) -> go.Scatter:
    style = STYLES[kind]
    colour = VOID_INK if is_void else style.colour
    return go.Scatter(
        x=list(x),
        y=list(y),
        mode="lines",
        line={"color": colour, "width": style.width, "dash": style.dash},
        **_trace_identity(kind, probe),
        **more,
    )


def _curve(
    kind: str, probe: str, points: Sequence[LayerEstimate], cell: CellRecord
) -> Iterator[go.Scatter]:
    if points:
        yield _line(
            kind,
            probe,
            [point.layer or 0 for point in points],
            [point.value for point in points],
            cell.is_void,
            text=[_hover(point, f"{probe}: {STYLES[kind].label}") for point in points],
            hovertemplate=HOVER,
        )


def _band(
    kind: str, probe: str, points: Sequence[LayerEstimate], cell: CellRecord
) -> Iterator[go.Scatter]:
    """Yield the 95 % interval around a curve, as a closed shape; none for a void cell."""
    bounded = [point for point in points if point.low == point.low and point.high == point.high]
    if not bounded or cell.is_void:
        return
    layers = [point.layer for point in bounded]
    yield go.Scatter(
        x=layers + layers[::-1],
        y=[point.high for point in bounded] + [point.low for point in bounded][::-1],
        fill="toself",
        mode="lines",
        line={"width": 0},
        fillcolor=_with_opacity(STYLES[kind].colour, 0.18),
        hoverinfo="skip",
        **_trace_identity(kind, probe),
    )


def _marker(
    kind: str, probe: str, point: LayerEstimate, cell: CellRecord, description: str
) -> go.Scatter:
    colour = VOID_INK if cell.is_void else STYLES[kind].colour
    return go.Scatter(
        x=[point.layer],
        y=[point.value],
        mode="markers",
        marker=_marker_style(kind, colour, size=12),
        text=[_hover(point, f"{probe}, {description}")],
        hovertemplate=HOVER,
        **_trace_identity(kind, probe),
    )


def _marker_style(kind: str, colour: str, size: int) -> dict[str, Any]:
    line = {"color": colour, "width": 2}
    return {"symbol": STYLES[kind].marker, "size": size, "color": "white", "line": line}


def _trace_identity(kind: str, probe: str) -> dict[str, Any]:
    return {
        "name": STYLES[kind].label,
        "legendgroup": f"{probe}/{kind}",
        "showlegend": False,
        "meta": {"probe": probe, "kind": kind},
    }


def _add_legend(figure: go.Figure, visible_probe: str) -> None:
    """Add an entry per kind and probe, coloured even where the first panel is void."""
    traces = dict.fromkeys((trace.meta["probe"], trace.meta["kind"]) for trace in figure.data)
    order = list(STYLES)
    for probe, kind in sorted(traces, key=lambda pair: order.index(pair[1])):
        style = STYLES[kind]
        entry = _line(kind, probe, [], [], is_void=False)
        entry.update(x=[None], y=[None], showlegend=True, visible=probe in ("", visible_probe))
        if style.marker:
            marker = _marker_style(kind, style.colour, size=11)
            entry.update(mode="markers", marker=marker)
        figure.add_trace(entry, row=1, col=1)


def _set_layer_range(figure: go.Figure, depth: int, panel: dict[str, int]) -> None:
    step = max(1, round(depth / 8))
    figure.update_xaxes(range=[0.7, max(depth, 1) + 0.3], tick0=step, dtick=step, **panel)


def _mark_void(figure: go.Figure, panel: dict[str, int]) -> None:
    plot = figure.get_subplot(**panel)
    axes = {"xref": f"{plot.xaxis.plotly_name.replace('axis', '')} domain"}
    axes["yref"] = f"{plot.yaxis.plotly_name.replace('axis', '')} domain"
    background = {"fillcolor": VOID, "line_width": 0, "layer": "below"}
    figure.add_shape(type="rect", x0=0, x1=1, y0=0, y1=1, **background, **axes)
    figure.add_annotation(
        text="void",
        x=0.5,
        y=0.28,
        showarrow=False,
        font={"size": 30, "color": "#52606d"},
        bgcolor=VOID,
        **axes,
    )


def _depth(summary: Summary, cell: CellRecord) -> int:
    """Return the last block that the results of a cell have."""
    layers = summary.results.loc[summary.results["cell"] == cell.cell, "layer"].dropna()
    return int(layers.max()) if len(layers) else 0


def _hover(point: LayerEstimate, description: str) -> str:
    return f"{description}<br>layer {point.layer}: {format_estimate(point)}, n = {point.n}"


def _with_opacity(colour: str, opacity: float) -> str:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {format_number(opacity)})"
