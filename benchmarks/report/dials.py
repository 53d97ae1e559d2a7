"""AUROC of a probe, and accuracy of the model, against the dial of a task that has one."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import plotly.graph_objects as go

from benchmarks.report.panels import empty_panels
from benchmarks.report.points import hollow_entry, line_of_points
from benchmarks.results.summary import CellRecord, LayerEstimate, Summary, with_interval
from benchmarks.scoring.gate import THRESHOLD

COLOURS = ("#0b5fa5", "#c2410c", "#0f766e", "#7c3aed")
TEXT = "#6b7280"
ROWS = ("probe, AUROC", "model, accuracy")
"""Above, what a probe reads where the model lies; below, what the model itself says."""


class Line(NamedTuple):
    """Points of one model (or of the text alone) by the setting of the dial."""

    row: int
    name: str
    colour: str
    dash: str
    points: Mapping[float, LayerEstimate]
    hollow: frozenset[float]


def dial_figure(summary: Summary) -> go.Figure | None:
    """A column of panels per task: above the first probe (A->B, disagreeing, EIL), below the model.

    Below, chance is one half: of the disagreeing claims, how many the model judges rightly in A,
    and how many as its quirk has it in B. Hollow where it does not follow its quirk at that
    setting, or failed the gate as a whole. None if no task of the run has a dial.
    """
    tasks = _tasks(summary)
    if not tasks:
        return None
    titles = [f"<b>{row}</b>" for row in ROWS]
    figure = empty_panels(titles, list(tasks), x_title="dial")
    figure.update_xaxes(type="category")
    told: set[str] = set()
    hollow = False
    rows = list(dict.fromkeys(summary.row(cell) for cells in tasks.values() for cell in cells))
    for col, cells in enumerate(tasks.values(), start=1):
        for cell in cells:
            colour = COLOURS[rows.index(summary.row(cell)) % len(COLOURS)]
            for line in _lines(summary, cell, colour):
                figure.add_trace(_trace(line, line.name not in told), row=line.row, col=col)
                told.add(line.name)
                hollow |= bool(line.hollow)
    figure.add_hline(y=0.5, line={"color": "#6b7280", "width": 1, "dash": "dot"})
    for col, cells in enumerate(tasks.values(), start=1):
        here = summary.at_dials["cell"].isin([cell.cell for cell in cells])
        known = sorted(set(summary.at_dials.loc[here, "dial"]))
        figure.update_xaxes(categoryorder="array", categoryarray=[f"{d:g}" for d in known], col=col)
    if hollow:
        figure.add_trace(hollow_entry("follows no quirk there"), row=1, col=1)
    return figure


def _tasks(summary: Summary) -> dict[str, list[CellRecord]]:
    """By task with a dial, its cells."""
    with_dial = set(summary.at_dials["cell"])
    tasks: dict[str, list[CellRecord]] = {}
    for group in summary.groups:
        if group.main.cell in with_dial:
            tasks.setdefault(group.task, []).append(group.main)
    return tasks


def _lines(summary: Summary, cell: CellRecord, colour: str) -> Iterator[Line]:
    name, every = summary.row(cell), summary.by_dial(cell, "lm", "A->A", metric="accuracy")
    follows = summary.by_dial(cell, "lm", against="quirk")
    hollow = frozenset(
        dial
        for dial in every
        if cell.void or dial not in follows or follows[dial].value < THRESHOLD
    )
    probe = next(iter(summary.headline_probes), "")
    if probe:
        points = summary.by_dial(cell, probe)
        yield Line(1, f"{name}: {probe} where it lies", colour, "solid", points, hollow)
    text = summary.by_dial(cell, "text")
    yield Line(1, "text alone", TEXT, "dot", text, frozenset())
    yield Line(2, f"{name}: right in A", colour, "solid", every, frozenset())
    lies = summary.by_dial(cell, "lm", metric="accuracy", against="quirk")
    yield Line(2, f"{name}: lies as it should in B", colour, "dash", lies, frozenset())


def _trace(line: Line, first: bool) -> go.Scatter:
    dials = sorted(line.points)
    figures = [line.points[dial] for dial in dials]
    drawn = line_of_points(
        [f"{dial:g}" for dial in dials],
        figures,
        name=line.name,
        colour=line.colour,
        dash=line.dash,
        hollow=[dial in line.hollow for dial in dials],
        told=[
            f"{line.name}, dial {dial:g}<br>{with_interval(figure)}, n = {figure.n}"
            for dial, figure in zip(dials, figures, strict=True)
        ],
    )
    return drawn.update(showlegend=first)
