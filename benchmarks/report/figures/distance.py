"""The headline by the distance between trigger and question, for runs with several distances."""

from collections.abc import Iterable

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
from benchmarks.results.summary import RESID, Summary

TOP = 80  # pixels, for the legend and the tasks
LM_LABEL = "the model's own answer"
COLOURS = {RESID: BLUE, "ssm_state": GREEN, "conv_state": PURPLE, LM_LABEL: ORANGE}


def distance_figure(summary: Summary) -> go.Figure | None:
    """Return the headline by distance: a row of panels per model and trigger, a column per task.

    Lines are the first probe at every site, at the layer chosen by EIL, and the model's own answer.
    Void cells are hollow. None if no trigger of the run has two distances.
    """
    panels = _panels(summary)
    if not panels:
        return None
    rows = list(dict.fromkeys(row for row, _ in panels))
    tasks = list(dict.fromkeys(task for _, task in panels))
    titles = [f"<b>{row}</b><br>AUROC" for row in rows]
    figure = empty_panels(titles, tasks, "tokens between trigger and question, nominal", top=TOP)
    in_legend: set[str] = set()
    for (row, task), cells in panels.items():
        panel = {"rows": rows.index(row) + 1, "cols": tasks.index(task) + 1}
        for name in _line_names(summary):
            line = _line(summary, cells, name)
            if line:
                line.update(showlegend=name not in in_legend)
                in_legend.add(name)
                figure.add_traces([line], **panel)
    if any(cell.is_void for cells in panels.values() for cell in cells):
        figure.add_trace(hollow_legend("failed the gate"), row=1, col=1)
    figure.add_hline(y=0.5, line=CHANCE)
    distances = sorted({cell.distance for cells in panels.values() for cell in cells})
    order = [str(distance) for distance in distances]
    figure.update_xaxes(type="category", categoryorder="array", categoryarray=order)
    return figure


def _panels(summary: Summary) -> dict[tuple[str, str], list[CellRecord]]:
    """Return, by row and task, the cells that differ in the distance alone, sorted by it."""
    panels: dict[tuple[str, str], list[CellRecord]] = {}
    for group in summary.groups:
        panel = (summary.row_label(group.main, without="distance"), group.task)
        panels.setdefault(panel, []).append(group.main)
    return {
        panel: sorted(cells, key=lambda cell: cell.distance)
        for panel, cells in panels.items()
        if len({cell.distance for cell in cells}) > 1
    }


def _line_names(summary: Summary) -> list[str]:
    """Return the first probe at every site, and the model's own answer."""
    first = next(iter(summary.headline_probes), "")
    at_other_sites = (probe for probe in summary.probes if probe.startswith(f"{first} at "))
    return [*([first, *at_other_sites] if first else []), "lm"]


def _line(summary: Summary, cells: Iterable[CellRecord], name: str) -> go.Scatter | None:
    estimates = [(cell, summary.estimate(cell, name)) for cell in cells]
    points = [(cell, item) for cell, item in estimates if item and not item.is_undefined]
    if not points:
        return None
    label, site = _label(name)
    return line_of_points(
        [str(cell.distance) for cell, _ in points],
        [estimate for _, estimate in points],
        name=label,
        colour=COLOURS.get(site, MUTED),
        dash="dash" if name == "lm" else "solid",
        is_hollow=[cell.is_void for cell, _ in points],
        hover=[_hover(label, cell, estimate) for cell, estimate in points],
    )


def _label(name: str) -> tuple[str, str]:
    """Return a line's label and the key of its colour."""
    if name == "lm":
        return LM_LABEL, LM_LABEL
    label = name if " at " in name else f"{name} at {RESID}"
    return label, label.rpartition(" at ")[2]


def _hover(label: str, cell: CellRecord, estimate: LayerEstimate) -> str:
    layer = "" if estimate.layer is None else f", layer {estimate.layer}"
    void = " (void)" if cell.is_void else ""
    return f"{label}, distance {cell.distance}{void}<br>{format_estimate(estimate)}{layer}"
