"""The empty panels of a picture, and the look that all pictures share."""

from collections.abc import Sequence

import plotly.graph_objects as go
from plotly.subplots import make_subplots

PANEL_HEIGHT, PANEL_WIDTH = 250, 250  # pixels; the width is the least that stays legible
TOP, BOTTOM, LEFT, RIGHT = 120, 55, 80, 20
ROW_GAP, COLUMN_GAP = 48, 0.03  # pixels; and a share of the picture's width
HOVER = "%{text}<extra></extra>"
INK, GRID, MUTED = "#1f2933", "#dfe3e8", "#6b7280"
BLUE, ORANGE, GREEN, PURPLE = "#0b5fa5", "#c2410c", "#0f766e", "#7c3aed"
VOID, VOID_INK = "#f1f1ef", "#b0b4ba"
CHANCE = {"color": MUTED, "width": 1, "dash": "dot"}
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"


def empty_panels(
    rows: Sequence[str], tasks: Sequence[str], x_title: str, top: int = TOP
) -> go.Figure:
    """Return a row of panels per title and a column per task, each from 0 to 1 upwards.

    Args:
        rows: titles of the rows, as HTML.
        tasks: titles of the columns.
        x_title: title of the x axis, below the last row.
        top: pixels above the first row, for the legend and the tasks.
    """
    height = PANEL_HEIGHT * len(rows)
    figure = make_subplots(
        rows=len(rows),
        cols=len(tasks),
        shared_yaxes=True,
        column_titles=list(tasks),
        horizontal_spacing=min(COLUMN_GAP, 0.5 / len(tasks)),
        vertical_spacing=min(ROW_GAP / height, 0.5 / len(rows)),
    )
    figure.update_yaxes(range=[-0.03, 1.03], tickvals=[0, 0.5, 1], ticktext=["0", ".5", "1"])
    for row, title in enumerate(rows, start=1):
        figure.update_yaxes(title_text=title, row=row, col=1)
    figure.update_xaxes(title_text=x_title, row=len(rows))
    apply_style(figure, height=height + top + BOTTOM, top=top)
    return figure


def minimum_width(figure: go.Figure) -> int:
    """Return the pixels below which a figure's panels are no longer legible."""
    columns = sum(1 for _ in figure.select_xaxes(row=1))
    return columns * PANEL_WIDTH + LEFT + RIGHT


def apply_style(figure: go.Figure, height: int, top: int) -> None:
    """Give a figure the look that all pictures of a report share."""
    figure.update_layout(
        template="plotly_white",
        font={"family": FONT, "size": 13, "color": INK},
        height=height,
        autosize=True,
        margin={"l": LEFT, "r": RIGHT, "t": top, "b": BOTTOM},
        legend={
            "orientation": "h",
            "yref": "container",
            "y": 1,
            "yanchor": "top",
            "x": 0,
            "traceorder": "normal",
            "groupclick": "togglegroup",
        },
        hoverlabel={"align": "left"},
    )
    figure.update_xaxes(gridcolor=GRID, zeroline=False, linecolor=GRID, mirror=True)
    figure.update_yaxes(gridcolor=GRID, zeroline=False, linecolor=GRID, mirror=True)
    figure.update_annotations(font_size=14)
