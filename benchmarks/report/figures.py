"""The big picture of a report: AUROC by layer for every cell."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from benchmarks.report.panels import HOVER, empty_panels
from benchmarks.results.summary import (
    HEADLINE_RULE,
    HEADLINE_TRANSFER,
    CellRecord,
    Group,
    LayerEstimate,
    Summary,
    number,
    with_interval,
)
from benchmarks.scoring.fits import SHUFFLES

SOURCE, TARGET = HEADLINE_TRANSFER.split("->")
VOID, VOID_INK = "#f1f1ef", "#b0b4ba"


@dataclass(frozen=True)
class Style:
    """How one kind of line is drawn and called in the legend."""

    label: str
    colour: str
    width: float
    dash: str = "solid"


STYLES = {
    "shuffled": Style(
        f"control: shuffled labels (mean of {SHUFFLES}), {TARGET}", "#b9a3c9", 1.5, "dashdot"
    ),
    "base": Style(f"control: before fine-tuning, {TARGET}, disagreeing", "#a3b18a", 1.5, "dash"),
    "source": Style(f"probe in {SOURCE}, all examples", "#8a97a6", 2),
    "headline": Style(
        f"probe fitted in {SOURCE}, read in {TARGET}, disagreeing examples", "#0b5fa5", 4
    ),
    "lm": Style(f"the model's own answer in {TARGET}, disagreeing", "#c2410c", 2, "dash"),
    "eil": Style("layer chosen by EIL (the headline)", "#0b5fa5", 1.2, "dot"),
    "oracle": Style("best layer with hindsight (oracle)", "#b8860b", 1),
    "chance": Style("chance", "#6b7280", 1, "dot"),
}


def curves(summary: Summary, probe: str | None = None) -> go.Figure:
    """AUROC by layer: a row of panels per model, a column per task, void cells greyed.

    The lines of every probe are in the figure and those of `probe` (the first by default) are
    visible. Each trace says in `meta` to which probe it belongs ("" for all) and of what kind
    (a key of `STYLES`) it is. Raises ValueError if the run has no such probe.
    """
    shown = probe or next(iter(summary.headline_probes), "")
    if probe and probe not in summary.probes:
        raise ValueError(f"unknown probe {probe!r}; in this run: {', '.join(summary.probes)}")
    rows = list(dict.fromkeys(group.row for group in summary.groups))
    tasks = list(dict.fromkeys(group.task for group in summary.groups))
    titles = [f"<b>{row}</b><br>AUROC" for row in rows]
    figure = empty_panels(titles, tasks, x_title="layer (block)")
    for group in summary.groups:
        where = {"row": rows.index(group.row) + 1, "col": tasks.index(group.task) + 1}
        figure.add_traces(
            list(_panel(summary, group, shown)),
            rows=where["row"],
            cols=where["col"],
        )
        _range_layers(figure, _depth(summary, group.main), where)
        if group.main.void:
            _mark_void(figure, where)
    _add_legend(figure, shown)
    return figure


def _panel(summary: Summary, group: Group, shown: str) -> Iterable[go.Scatter]:
    """The lines of one cell: first what no probe changes, then every probe's."""
    main, last = group.main, _depth(summary, group.main)
    ends = [1, max(last, 1)]
    yield _line("chance", "", ends, [0.5, 0.5], main.void, hoverinfo="skip")
    own = summary.figure(main, "lm")
    if own and not own.blank:
        told = f"the model's own answer: {with_interval(own)}, n = {own.n}"
        yield _line(
            "lm", "", ends, [own.value] * 2, main.void, text=[told] * 2, hovertemplate=HOVER
        )
    for probe in summary.probes:
        for trace in _probe_lines(summary, group, probe):
            trace.visible = probe == shown
            yield trace


def _probe_lines(summary: Summary, group: Group, probe: str) -> Iterable[go.Scatter]:
    main = group.main
    for control in summary.controls:
        if control in STYLES:
            yield from _curve(control, probe, summary.curve(main, probe, control=control), main)
    for other in group.others:
        if other.variant in STYLES:
            yield from _curve(other.variant, probe, summary.curve(other, probe), main)
    in_source = summary.curve(main, probe, f"{SOURCE}->{SOURCE}", subset="all")
    headline = summary.curve(main, probe)
    for kind, points in (("source", in_source), ("headline", headline)):
        yield from _band(kind, probe, points, main)
        yield from _curve(kind, probe, points, main)
    best = summary.best_with_hindsight(main, probe)
    if best:
        yield _mark("oracle", probe, best, main, "star", "best layer with hindsight (oracle)")
    chosen = summary.figure(main, probe, rule=HEADLINE_RULE)
    if chosen and chosen.layer is not None:
        yield _line("eil", probe, [chosen.layer] * 2, [-0.03, 1.03], main.void, hoverinfo="skip")
        if not chosen.blank:
            yield _mark("eil", probe, chosen, main, "circle", "chosen by EIL")


def _line(
    kind: str, probe: str, x: Sequence[int], y: Sequence[float], void: bool, **more: Any
) -> go.Scatter:
    style = STYLES[kind]
    return go.Scatter(
        x=list(x),
        y=list(y),
        mode="lines",
        line={
            "color": VOID_INK if void else style.colour,
            "width": style.width,
            "dash": style.dash,
        },
        **_belongs(kind, probe),
        **more,
    )


def _curve(
    kind: str, probe: str, points: Sequence[LayerEstimate], cell: CellRecord
) -> Iterable[go.Scatter]:
    if points:
        yield _line(
            kind,
            probe,
            [point.layer or 0 for point in points],
            [point.value for point in points],
            cell.void,
            text=[_told(point, f"{probe}: {STYLES[kind].label}") for point in points],
            hovertemplate=HOVER,
        )


def _band(
    kind: str, probe: str, points: Sequence[LayerEstimate], cell: CellRecord
) -> Iterable[go.Scatter]:
    """The 95 % interval around a curve, as a closed shape."""
    bounded = [point for point in points if point.low == point.low and point.high == point.high]
    if not bounded or cell.void:
        return
    layers = [point.layer for point in bounded]
    yield go.Scatter(
        x=layers + layers[::-1],
        y=[point.high for point in bounded] + [point.low for point in bounded][::-1],
        fill="toself",
        mode="lines",
        line={"width": 0},
        fillcolor=_faded(STYLES[kind].colour, 0.18),
        hoverinfo="skip",
        **_belongs(kind, probe),
    )


def _mark(
    kind: str, probe: str, point: LayerEstimate, cell: CellRecord, symbol: str, what: str
) -> go.Scatter:
    colour = VOID_INK if cell.void else STYLES[kind].colour
    return go.Scatter(
        x=[point.layer],
        y=[point.value],
        mode="markers",
        marker={
            "symbol": symbol,
            "size": 12,
            "color": "white",
            "line": {"color": colour, "width": 2},
        },
        text=[_told(point, f"{probe}, {what}")],
        hovertemplate=HOVER,
        **_belongs(kind, probe),
    )


def _belongs(kind: str, probe: str) -> dict[str, Any]:
    return {
        "name": STYLES[kind].label,
        "legendgroup": f"{probe}/{kind}",
        "showlegend": False,
        "meta": {"probe": probe, "kind": kind},
    }


def _add_legend(figure: go.Figure, shown: str) -> None:
    """One entry per kind and probe, in colour even where the first panel is void."""
    present = list(
        dict.fromkeys((trace.meta["probe"], trace.meta["kind"]) for trace in figure.data)
    )
    order = ["headline", "source", "lm", "eil", "oracle", "base", "shuffled", "chance"]
    for probe, kind in sorted(present, key=lambda pair: order.index(pair[1])):
        marked = {"eil": "circle", "oracle": "star"}.get(kind)
        style = STYLES[kind]
        entry = _line(kind, probe, [], [], void=False)
        entry.update(x=[None], y=[None], showlegend=True, visible=probe in ("", shown))
        if marked:
            line = {"color": style.colour, "width": 2}
            marker = {"symbol": marked, "size": 11, "color": "white", "line": line}
            entry.update(mode="markers", marker=marker)
        figure.add_trace(entry, row=1, col=1)


def _range_layers(figure: go.Figure, last: int, where: dict[str, int]) -> None:
    step = max(1, round(last / 8))
    figure.update_xaxes(range=[0.7, max(last, 1) + 0.3], tick0=step, dtick=step, **where)


def _mark_void(figure: go.Figure, where: dict[str, int]) -> None:
    plot = figure.get_subplot(**where)
    axes = {"xref": f"{plot.xaxis.plotly_name.replace('axis', '')} domain"}
    axes["yref"] = f"{plot.yaxis.plotly_name.replace('axis', '')} domain"
    grey = {"fillcolor": VOID, "line_width": 0, "layer": "below"}
    figure.add_shape(type="rect", x0=0, x1=1, y0=0, y1=1, **grey, **axes)
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
    """Number of the last block that the results of a cell speak of."""
    layers = summary.results.loc[summary.results["cell"] == cell.cell, "layer"].dropna()
    return int(layers.max()) if len(layers) else 0


def _told(point: LayerEstimate, what: str) -> str:
    return f"{what}<br>layer {point.layer}: {with_interval(point)}, n = {point.n}"


def _faded(colour: str, opacity: float) -> str:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {number(opacity)})"
