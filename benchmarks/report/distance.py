"""AUROC against the distance between trigger and question, for runs that have several."""

from collections.abc import Iterable, Sequence

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from benchmarks.report.figures import BOTTOM, HOVER, PANEL_HEIGHT, dress
from benchmarks.report.points import bars, hollow_entry
from benchmarks.report.summary import RESID, CellRecord, LayerEstimate, Summary, with_interval

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
    figure = _empty(rows, tasks)
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


def _empty(rows: Sequence[str], tasks: Sequence[str]) -> go.Figure:
    height = PANEL_HEIGHT * len(rows)
    figure = make_subplots(
        rows=len(rows),
        cols=len(tasks),
        shared_yaxes=True,
        column_titles=list(tasks),
        vertical_spacing=min(60 / height, 0.5 / len(rows)),
    )
    figure.update_yaxes(range=[-0.03, 1.03], tickvals=[0, 0.5, 1], ticktext=["0", ".5", "1"])
    for row, title in enumerate(rows, start=1):
        figure.update_yaxes(title_text=f"<b>{title}</b><br>AUROC", row=row, col=1)
    figure.update_xaxes(title_text="tokens between trigger and question, nominal", row=len(rows))
    dress(figure, height=height + TOP + BOTTOM, top=TOP)
    return figure


def _line(summary: Summary, cells: Iterable[CellRecord], name: str) -> go.Scatter | None:
    measured = [(cell, summary.figure(cell, name)) for cell in cells]
    points = [(cell, figure) for cell, figure in measured if figure and not figure.blank]
    if not points:
        return None
    label = "the model's own answer" if name == "lm" else name
    if " at " not in name and name != "lm":
        label = f"{name} at {RESID[0]}"
    colour = COLOURS.get("lm" if name == "lm" else label.rpartition(" at ")[2], "#6b7280")
    return go.Scatter(
        x=[str(cell.distance) for cell, _ in points],
        y=[figure.value for _, figure in points],
        mode="lines+markers",
        line={"color": colour, "width": 2, "dash": "dash" if name == "lm" else "solid"},
        marker={
            "size": 9,
            "color": colour,
            "symbol": ["circle-open" if cell.void else "circle" for cell, _ in points],
            "line": {"color": colour, "width": 2},
        },
        error_y=bars([figure for _, figure in points], colour),
        name=label,
        legendgroup=name,
        text=[_told(label, cell, figure) for cell, figure in points],
        hovertemplate=HOVER,
        meta={"line": name},
    )


def _told(label: str, cell: CellRecord, figure: LayerEstimate) -> str:
    layer = "" if figure.layer is None else f", layer {figure.layer}"
    void = " (void)" if cell.void else ""
    return f"{label}, distance {cell.distance}{void}<br>{with_interval(figure)}{layer}"
