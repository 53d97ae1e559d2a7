"""Draws the picture of the README, one panel of a finished run, as docs/panel.png.

From the repository, after `make bench`:

    .venv/bin/python docs/picture.py runs/tiny --model tiny-neox --task fiction --to docs/panel.png

A .png needs the extra `docs` (kaleido) and a Chrome or Chromium on the PATH; a .html needs neither.
"""

import argparse
from pathlib import Path

import pandas as pd
import plotly.graph_objects as go

from benchmarks import Run

BLUE, RED, GREY, GOLD, INK = "#0b5fa5", "#c2410c", "#8a97a6", "#b8860b", "#1f2933"
FONT = "DejaVu Sans, Verdana, Arial, sans-serif"
WIDTH, HEIGHT = 1000, 520  # pixels


def panel(results: pd.DataFrame, model: str, task: str, probe: str = "lr") -> go.Figure:
    """Return AUROC by layer of one model on one task, with words on the lines.

    `results` is the table of a run. Shown are the probe fitted in A and scored in B on disagreeing
    examples with its interval, the same probe scored in A on all examples, and the model's own
    answer in B on disagreeing examples.

    Raises:
        ValueError: if the table lacks a figure that the picture shows.
    """
    cell = results[(results["model"] == model) & results["task"].str.fullmatch(f"{task}(-.*)?")]
    in_b = _select(cell, probe=probe, layer_rule="each", transfer="A->B", subset="disagree")
    in_a = _select(cell, probe=probe, layer_rule="each", transfer="A->A", subset="all")
    own = _select(cell, probe="lm", layer_rule="none", transfer="A->B", subset="disagree").iloc[0]
    eil = _select(cell, probe=probe, layer_rule="eil", transfer="A->B", subset="disagree").iloc[0]
    best = in_b.loc[in_b["value"].idxmax()]
    layers = in_b["layer"].astype(int).tolist()
    last = layers[-1]

    figure = go.Figure()
    figure.add_scatter(
        x=layers + layers[::-1],
        y=[*in_b["high"], *in_b["low"][::-1]],
        fill="toself",
        mode="lines",
        line={"width": 0},
        fillcolor="rgba(11, 95, 165, 0.18)",
    )
    for x, y, style in (
        ([1, last], [0.5, 0.5], {"color": GREY, "width": 1, "dash": "dot"}),
        (layers, in_a["value"], {"color": GREY, "width": 2}),
        ([1, last], [own["value"]] * 2, {"color": RED, "width": 3, "dash": "dash"}),
        (layers, in_b["value"], {"color": BLUE, "width": 5}),
    ):
        figure.add_scatter(x=x, y=y, mode="lines", line=style)
    _mark(figure, eil, "circle", BLUE)
    _mark(figure, best, "star", GOLD)

    middle = last // 2
    _word(figure, middle, in_b, "<b>probe, where the model lies</b>", BLUE, below=True)
    _word(figure, middle, in_a, "probe, where the model is truthful", GREY, below=False)
    _text(figure, 1, own["value"], "<b>the model's own answer</b>, where it lies", RED, "left", 14)
    _text(figure, last + 0.1, 0.5, "chance", GREY, "left", 0)
    if eil["layer"] == best["layer"]:
        _label(
            figure,
            eil,
            "layer chosen without looking at the lie<br>(EIL), also the best with hindsight",
            BLUE,
        )
    else:
        _label(figure, eil, "layer chosen without<br>looking at the lie (EIL)", BLUE, beside=True)
        _label(figure, best, "best layer with hindsight", GOLD)

    title = f"<b>{model}</b> on {'invented places' if task == 'fiction' else task}"
    figure.update_layout(
        template="plotly_white",
        title={"text": title, "x": 0.5, "font": {"size": 19}},
        font={"family": FONT, "size": 16, "color": INK},
        showlegend=False,
        width=WIDTH,
        height=HEIGHT,
        margin={"l": 165, "r": 30, "t": 60, "b": 60},
    )
    figure.update_xaxes(title_text="layer (block)", tickvals=layers, range=[0.75, last + 1.1])
    figure.update_yaxes(
        title_text="AUROC",
        range=[-0.06, 1.25],
        tickvals=[0, 0.5, 1],
        ticktext=["reads the lie  0", ".5", "reads the truth  1"],
        zeroline=False,
    )
    return figure


def _select(cell: pd.DataFrame, **columns: str) -> pd.DataFrame:
    """Return the rows of the quirky model against the truth with these values, by layer."""
    wanted = {"variant": "quirky", "control": "", "against": "truth", "metric": "auroc", **columns}
    rows = cell[cell["site"].isin(["resid", "none"]) & cell["dial"].isna()]
    for column, value in wanted.items():
        rows = rows[rows[column] == value]
    if rows.empty:
        raise ValueError(f"no figure with {', '.join(f'{k} = {v}' for k, v in columns.items())}")
    return rows.sort_values("layer")


def _mark(figure: go.Figure, row: pd.Series, symbol: str, colour: str) -> None:
    marker = {"symbol": symbol, "size": 17, "color": "white", "line": {"color": colour, "width": 3}}
    figure.add_scatter(x=[int(row["layer"])], y=[row["value"]], mode="markers", marker=marker)


def _word(
    figure: go.Figure, layer: int, curve: pd.DataFrame, text: str, colour: str, *, below: bool
) -> None:
    """Put words beside a curve at one layer."""
    value = float(curve.loc[curve["layer"] == layer, "value"].iloc[0])
    shift = -70 if below else 18
    _text(figure, layer - 0.1, value, text, colour, "right", shift)


def _text(
    figure: go.Figure, x: float, y: float, text: str, colour: str, anchor: str, shift: int
) -> None:
    figure.add_annotation(
        x=x,
        y=y,
        text=text,
        showarrow=False,
        xanchor=anchor,
        yshift=shift,
        bgcolor="rgba(255, 255, 255, 0.8)",
        font={"color": colour, "size": 17},
    )


def _label(
    figure: go.Figure, row: pd.Series, text: str, colour: str, *, beside: bool = False
) -> None:
    """Put words above a mark, or beside it on the right."""
    figure.add_annotation(
        x=int(row["layer"]),
        y=row["value"],
        text=text,
        showarrow=False,
        xanchor="left" if beside else "center",
        yanchor="middle" if beside else "bottom",
        align="left" if beside else "center",
        xshift=18 if beside else 0,
        yshift=0 if beside else 14,
        bgcolor="rgba(255, 255, 255, 0.8)",
        font={"color": colour, "size": 15},
    )


def main() -> None:
    """Draw the picture that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("run", type=Path, help="a run folder, such as runs/tiny")
    parser.add_argument("--model", default="tiny-neox")
    parser.add_argument("--task", default="fiction")
    parser.add_argument("--probe", default="lr")
    parser.add_argument("--to", type=Path, default=Path("docs/panel.png"), help=".png or .html")
    options = parser.parse_args()
    figure = panel(Run(options.run).results(), options.model, options.task, options.probe)
    if options.to.suffix == ".html":
        figure.write_html(options.to)
    else:
        figure.write_image(options.to)


if __name__ == "__main__":
    main()
