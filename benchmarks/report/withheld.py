"""Known against withheld facts: the picture and the tables.

A model was never told a withheld fact, so no probe of knowledge can tell it from its opposite.
"""

from collections.abc import Sequence

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from benchmarks.report.figures import VOID_INK
from benchmarks.report.panels import HOVER, dress
from benchmarks.report.tables import (
    RULES,
    Block,
    Entry,
    Heading,
    Row,
    Table,
    arrow,
    figure_line,
    transfer_heading,
)
from benchmarks.results.summary import Group, LayerEstimate, Summary, with_interval


def withheld_figure(summary: Summary, transfer: str = "A->A") -> go.Figure | None:
    """Known against withheld facts at the headline rule, a panel per cell with withheld facts.

    None if the run has no withheld facts.
    """
    names = (*summary.probes, *summary.readers)
    groups = [
        group
        for group in summary.groups
        if any(summary.figure(group.main, name, transfer, subset="withheld") for name in names)
    ]
    if not groups:
        return None
    titles = [group.name + (" (void)" if group.main.void else "") for group in groups]
    figure = make_subplots(cols=len(groups), shared_yaxes=True, subplot_titles=titles)
    for column, group in enumerate(groups, start=1):
        for subset, label, colour, symbol in (
            ("all", "known facts", "#0b5fa5", "circle"),
            ("withheld", "withheld facts", "#c2410c", "diamond-open"),
        ):
            dots = [summary.figure(group.main, name, transfer, subset=subset) for name in names]
            trace = _dots(names, dots, VOID_INK if group.main.void else colour, symbol)
            trace.update(name=label, legendgroup=subset, showlegend=column == 1)
            figure.add_trace(trace, row=1, col=column)
        figure.add_vline(x=0.5, line={"color": "#6b7280", "width": 1, "dash": "dot"}, col=column)
    figure.update_xaxes(range=[-0.02, 1.02], title_text=f"AUROC, {arrow(transfer)}, EIL")
    figure.update_yaxes(autorange="reversed")
    dress(figure, height=150 + 30 * len(names), top=90)
    figure.update_xaxes(tickvals=[0, 0.25, 0.5, 0.75, 1], ticktext=["0", ".25", ".5", ".75", "1"])
    figure.update_layout(margin={"l": 150})
    return figure


def withheld_tables(summary: Summary) -> list[Table]:
    """For every cell with withheld facts: known against withheld, one table per layer rule."""
    return [
        table
        for group in summary.groups
        for rule in summary.rules
        if (table := _withheld_table(summary, group, rule))
    ]


def _withheld_table(summary: Summary, group: Group, rule: str) -> Table | None:
    names = (*summary.probes, *summary.readers)

    def figures(transfer: str, subset: str) -> list[LayerEstimate | None]:
        return [
            summary.figure(group.main, name, transfer, rule=rule, subset=subset) for name in names
        ]

    withheld = {transfer: figures(transfer, "withheld") for transfer in summary.transfers}
    transfers = [transfer for transfer, found in withheld.items() if any(found)]
    if not transfers:
        return None
    known = {transfer: figures(transfer, "all") for transfer in transfers}
    rows = tuple(
        Row(
            Heading(name),
            tuple(
                Entry(
                    (
                        figure_line(known[transfer][i], "known"),
                        figure_line(withheld[transfer][i], "withheld"),
                    ),
                    void=bool(group.main.silent_on(transfer)),
                )
                for transfer in transfers
            ),
        )
        for i, name in enumerate(names)
    )
    caption = f"{group.name}, {RULES.get(rule, rule)}" + (" (void)" if group.main.void else "")
    headings = tuple(transfer_heading(group.main, transfer) for transfer in transfers)
    return Table(caption, "probe", headings, (Block("", rows),))


def _dots(
    names: Sequence[str], dots: Sequence[LayerEstimate | None], colour: str, symbol: str
) -> go.Scatter:
    shown = [(name, dot) for name, dot in zip(names, dots, strict=True) if dot and not dot.blank]
    return go.Scatter(
        x=[dot.value for _, dot in shown],
        y=[name for name, _ in shown],
        mode="markers",
        marker={"size": 10, "color": colour, "symbol": symbol},
        error_x={
            "type": "data",
            "symmetric": False,
            "array": [dot.high - dot.value for _, dot in shown],
            "arrayminus": [dot.value - dot.low for _, dot in shown],
            "color": colour,
            "thickness": 1.5,
        },
        text=[f"{name}: {with_interval(dot)}, n = {dot.n}" for name, dot in shown],
        hovertemplate=HOVER,
    )
