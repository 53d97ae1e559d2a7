"""AUROC against the distance between trigger and question, for runs that have several."""

from collections.abc import Iterable

import plotly.graph_objects as go

from benchmarks.report.panels import empty_panels
from benchmarks.report.points import hollow_entry, line_of_points
from benchmarks.results.summary import RESID, CellRecord, LayerEstimate, Summary, with_interval

TOP = 80  # pixels, for the legend and the tasks
COLOURS = {"resid": "#0b5fa5", "ssm_state": "#0f766e", "conv_state": "#7c3aed", "lm": "#c2410c"}


def distance_figure(summary: Summary) -> go.Figure | None:
    """The headline figure by distance: a row of panels per model and trigger, a column per task.

    Lines are the first probe at every site that was read, at the layer chosen by EIL, and the
    model's own answer; void cells are hollow. None if no trigger of the run has two distances.
    """
    panels = _panels(summary)
    if not panels:
        return None
    rows = list(dict.fromkeys(row for row, _ in panels))
    tasks = list(dict.fromkeys(task for _, task in panels))
    titles = [f"<b>{row}</b><br>AUROC" for row in rows]
    figure = empty_panels(titles, tasks, "tokens between trigger and question, nominal", top=TOP)
    told: set[str] = set()
    for (row, task), cells in panels.items():
        where = {"rows": rows.index(row) + 1, "cols": tasks.index(task) + 1}
        for name in _names(summary):
            line = _line(summary, cells, name)
            if line:
                line.update(showlegend=name not in told)
                told.add(name)
                figure.add_traces([line], **where)
    if any(cell.void for cells in panels.values() for cell in cells):
        figure.add_trace(hollow_entry("failed the gate"), row=1, col=1)
    figure.add_hline(y=0.5, line={"color": "#6b7280", "width": 1, "dash": "dot"})  # chance
    distances = sorted({cell.distance for cells in panels.values() for cell in cells})
    figure.update_xaxes(
        type="category", categoryorder="array", categoryarray=[str(d) for d in distances]
    )
    return figure


def _panels(summary: Summary) -> dict[tuple[str, str], list[CellRecord]]:
    """By row and task, the cells that differ in the distance alone, near ones first."""
    panels: dict[tuple[str, str], list[CellRecord]] = {}
    for group in summary.groups:
        where = (summary.row(group.main, without="distance"), group.task)
        panels.setdefault(where, []).append(group.main)
    return {
        where: sorted(cells, key=lambda cell: cell.distance)
        for where, cells in panels.items()
        if len({cell.distance for cell in cells}) > 1
    }


def _names(summary: Summary) -> list[str]:
    """The first probe wherever it was fitted, and the model's own answer."""
    first = next(iter(summary.headline_probes), "")
    elsewhere = (probe for probe in summary.probes if probe.startswith(f"{first} at "))
    return [*([first, *elsewhere] if first else []), "lm"]


def _line(summary: Summary, cells: Iterable[CellRecord], name: str) -> go.Scatter | None:
    measured = [(cell, summary.figure(cell, name)) for cell in cells]
    points = [(cell, figure) for cell, figure in measured if figure and not figure.blank]
    if not points:
        return None
    label = "the model's own answer" if name == "lm" else name
    if " at " not in name and name != "lm":
        label = f"{name} at {RESID[0]}"
    colour = COLOURS.get("lm" if name == "lm" else label.rpartition(" at ")[2], "#6b7280")
    return line_of_points(
        [str(cell.distance) for cell, _ in points],
        [figure for _, figure in points],
        name=label,
        colour=colour,
        dash="dash" if name == "lm" else "solid",
        hollow=[cell.void for cell, _ in points],
        told=[_told(label, cell, figure) for cell, figure in points],
    )


def _told(label: str, cell: CellRecord, figure: LayerEstimate) -> str:
    layer = "" if figure.layer is None else f", layer {figure.layer}"
    void = " (void)" if cell.void else ""
    return f"{label}, distance {cell.distance}{void}<br>{with_interval(figure)}{layer}"
