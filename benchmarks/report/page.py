"""The report of a run: one self-contained HTML file."""

from pathlib import Path

import plotly.graph_objects as go
import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from benchmarks.report.figures.dials import dial_figure
from benchmarks.report.figures.distance import distance_figure
from benchmarks.report.figures.layers import layer_figure
from benchmarks.report.figures.panels import minimum_width
from benchmarks.report.figures.withheld import withheld_figure
from benchmarks.report.finding import headline_sentence
from benchmarks.report.tables.gate import gate_table
from benchmarks.report.tables.transfers import cell_sections, headline_table, withheld_tables
from benchmarks.results.summary import Summary
from benchmarks.scoring.fits import SHUFFLES
from benchmarks.store import atomic_file

TEMPLATE = "report.html.j2"


def write_report(run_dir: Path) -> Path:
    """Write `report.html` into a run folder; the same results give the same bytes.

    Raises:
        FileNotFoundError: if the manifest, the results or a gate is missing.
        ValueError: if an earlier version wrote the results.
    """
    summary = Summary.read(run_dir)
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    by_layer = layer_figure(summary)
    page = environment.get_template(TEMPLATE).render(
        manifest=summary.manifest,
        recipe=yaml.safe_dump(summary.manifest["recipe"], sort_keys=False, allow_unicode=True),
        duration=_format_duration(summary.manifest["seconds"]),
        sentence=headline_sentence(summary),
        probes=summary.probes,
        plotly=Markup(get_plotlyjs()),
        layer_figure=_embed(by_layer, "curves"),
        layer_figure_width=minimum_width(by_layer),
        distance_figure=_embed(distance_figure(summary), "distance"),
        dial_figure=_embed(dial_figure(summary), "dials"),
        withheld_figure=_embed(withheld_figure(summary), "withheld"),
        headline_table=headline_table(summary),
        cell_sections=cell_sections(summary),
        gate_table=gate_table(summary),
        withheld_tables=withheld_tables(summary),
        shuffles=SHUFFLES,
    )
    path = run_dir / "report.html"
    with atomic_file(path) as temporary:
        temporary.write_text(page, encoding="utf-8")
    return path


def _embed(figure: go.Figure | None, element_id: str) -> Markup | None:
    """Return a figure's data and the call that draws it; the page has plotly.js once, elsewhere."""
    if figure is None:
        return None
    config = {"displaylogo": False, "responsive": True, "displayModeBar": False}
    return Markup(
        figure.to_html(full_html=False, include_plotlyjs=False, div_id=element_id, config=config)
    )


def _format_duration(seconds: float | None) -> str:
    if seconds is None:
        return "not recorded"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [f"{hours} h"] * bool(hours) + [f"{minutes} min"] * bool(hours or minutes)
    return " ".join([*parts, f"{rest} s"])
