"""The probe's AUROC and the model's accuracy by the setting of a task's dial."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import plotly.graph_objects as go

from benchmarks.report.figures.panels import (
    BLUE,
    CHANCE,
    GREEN,
    MUTED,
    ORANGE,
    PURPLE,
    empty_panels,
)
from benchmarks.report.figures.points import hollow_legend, line_of_points
from benchmarks.results.formatting import format_estimate
from benchmarks.results.records import CellRecord, LayerEstimate
from benchmarks.results.summary import Summary
from benchmarks.scoring.gate import THRESHOLD

COLOURS = (BLUE, ORANGE, GREEN, PURPLE)
ROWS = ("probe, AUROC", "model, accuracy")
"""Above, what a probe reads where the model lies; below, what the model itself answers."""


class DialLine(NamedTuple):
    """Estimates of one model, or of the text-only baseline, by the setting of the dial."""

    row: int
    name: str
    colour: str
    dash: str
    points: Mapping[float, LayerEstimate]
    hollow: frozenset[float]


def dial_figure(summary: Summary) -> go.Figure | None:
    """Return a column of two panels per task with a dial; None if no task of the run has one.

    Above: the first probe (A->B, disagreeing, EIL). Below: of the disagreeing claims, the share
    that the model answers truthfully in A and the share that it answers as its quirk in B; chance
    is one half. Points are hollow where the model failed the gate or does not follow its quirk at
    that setting.
    """
    tasks = _tasks_with_dial(summary)
    if not tasks:
        return None
    titles = [f"<b>{row}</b>" for row in ROWS]
    figure = empty_panels(titles, list(tasks), x_title="dial")
    figure.update_xaxes(type="category")
    in_legend: set[str] = set()
    any_hollow = False
    models = [summary.row_label(cell) for cells in tasks.values() for cell in cells]
    colours = {model: COLOURS[i % len(COLOURS)] for i, model in enumerate(dict.fromkeys(models))}
    for col, cells in enumerate(tasks.values(), start=1):
        for cell in cells:
            for line in _lines(summary, cell, colours[summary.row_label(cell)]):
                trace = _trace(line).update(showlegend=line.name not in in_legend)
                figure.add_trace(trace, row=line.row, col=col)
                in_legend.add(line.name)
                any_hollow |= bool(line.hollow)
    figure.add_hline(y=0.5, line=CHANCE)
    for col, cells in enumerate(tasks.values(), start=1):
        rows = summary.dial_results["cell"].isin([cell.cell for cell in cells])
        settings = sorted(set(summary.dial_results.loc[rows, "dial"]))
        order = [f"{setting:g}" for setting in settings]
        figure.update_xaxes(categoryorder="array", categoryarray=order, col=col)
    if any_hollow:
        figure.add_trace(hollow_legend("does not follow its quirk"), row=1, col=1)
    return figure


def _tasks_with_dial(summary: Summary) -> dict[str, list[CellRecord]]:
    """Return the cells of each task with a dial."""
    with_dial = set(summary.dial_results["cell"])
    tasks: dict[str, list[CellRecord]] = {}
    for group in summary.groups:
        if group.main.cell in with_dial:
            tasks.setdefault(group.task, []).append(group.main)
    return tasks


def _lines(summary: Summary, cell: CellRecord, colour: str) -> Iterator[DialLine]:
    model = summary.row_label(cell)
    truthful = summary.estimates_by_dial(cell, "lm", "A->A", metric="accuracy")
    quirk_auroc = summary.estimates_by_dial(cell, "lm", against="quirk")
    hollow = frozenset(
        setting
        for setting in truthful
        if cell.is_void or setting not in quirk_auroc or quirk_auroc[setting].value < THRESHOLD
    )
    probe = next(iter(summary.headline_probes), "")
    if probe:
        points = summary.estimates_by_dial(cell, probe)
        yield DialLine(1, f"{model}: {probe} where it lies", colour, "solid", points, hollow)
    text = summary.estimates_by_dial(cell, "text")
    yield DialLine(1, "text-only baseline", MUTED, "dot", text, frozenset())
    yield DialLine(2, f"{model}: truthful in A", colour, "solid", truthful, frozenset())
    lies = summary.estimates_by_dial(cell, "lm", metric="accuracy", against="quirk")
    yield DialLine(2, f"{model}: follows its quirk in B", colour, "dash", lies, frozenset())


def _trace(line: DialLine) -> go.Scatter:
    settings = sorted(line.points)
    estimates = [line.points[setting] for setting in settings]
    return line_of_points(
        [f"{setting:g}" for setting in settings],
        estimates,
        name=line.name,
        colour=line.colour,
        dash=line.dash,
        is_hollow=[setting in line.hollow for setting in settings],
        hover=[
            f"{line.name}, dial {setting:g}<br>{format_estimate(estimate)}, n = {estimate.n}"
            for setting, estimate in zip(settings, estimates, strict=True)
        ],
    )
