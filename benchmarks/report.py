"""The report of a run: one HTML file that needs nothing else to be read."""

import math
import os
from pathlib import Path

import plotly.graph_objects as go
import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from benchmarks import tables
from benchmarks.figures import curves, least_width, withheld
from benchmarks.summary import HEADLINE_TRANSFER, Group, Summary, mean, number, with_interval

TEMPLATE = "report.html.j2"
SOURCE, TARGET = HEADLINE_TRANSFER.split("->")
SPOKEN = {
    "lr": "a logistic-regression probe",
    "mean-diff": "a difference-in-means probe",
    "ccs": "a CCS probe",
}


def write_report(run_dir: Path) -> Path:
    """Write `report.html` into a run folder, the same bytes for the same results.

    Raises FileNotFoundError if the manifest, the results or a gate is missing.
    """
    summary = Summary.read(run_dir)
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    picture, known = curves(summary), withheld(summary)
    page = environment.get_template(TEMPLATE).render(
        manifest=summary.manifest,
        recipe=yaml.safe_dump(summary.manifest["recipe"], sort_keys=False, allow_unicode=True),
        duration=_duration(summary.manifest["seconds"]),
        sentence=headline_sentence(summary),
        probes=summary.probes,
        groups=summary.groups,
        plotly=Markup(get_plotlyjs()),
        picture=_embedded(picture, "curves"),
        picture_width=least_width(picture),
        known=_embedded(known, "withheld") if known else None,
        headline=tables.headline_table(summary),
        sections=tables.cell_sections(summary),
        gate=tables.gate_table(summary),
        withheld=tables.withheld_tables(summary),
    )
    path = run_dir / "report.html"
    unfinished = path.with_suffix(".html.part")
    unfinished.write_text(page, encoding="utf-8")
    os.replace(unfinished, path)
    return path


def figures(run_dir: Path, probe: str | None = None) -> go.Figure:
    """The big picture of a run: AUROC by layer for every cell (see `benchmarks.figures.curves`)."""
    return curves(Summary.read(run_dir), probe)


def headline_sentence(summary: Summary) -> str:
    """What the run shows, in one sentence whose numbers come from the cells that passed.

    The layer chosen with hindsight and the layer chosen by EIL are told apart by name.
    """
    gated = [group for group in summary.groups if group.main.gate["gated"]]
    passed = [group for group in gated if group.main.counts]
    if not gated:
        return "No quirky model was tested in this run, so it says nothing about lying."
    if not passed:
        fate = "the one quirky model" if len(gated) == 1 else f"all {len(gated)} quirky models"
        return (
            f"This run says nothing about reading the truth in a model that lies, because {fate} "
            "failed the gate (the reasons are below)."
        )
    gate = f"{_of(len(passed), len(gated))} {_models(len(gated))} passed the gate"
    measured = [g for g in passed if summary.probes and summary.curve(g.main, summary.probes[0])]
    if not measured:
        return (
            f"{_capital(gate)}, but this run has no curve of a probe for {_arrow()} on "
            "disagreeing examples, so it says nothing about reading the truth where they lie."
        )
    return f"{_capital(gate)}, and {_finding(summary, measured, summary.probes[0])}."


def _finding(summary: Summary, groups: list[Group], probe: str) -> str:
    """What the probe does in the groups, all of which passed and have its curve."""
    best = {group: summary.best_with_hindsight(group.main, probe) for group in groups}
    best_figures = {group: figure for group, figure in best.items() if figure}
    reads = [group for group, figure in best_figures.items() if figure.low > 0.5]
    top = max(best_figures, key=lambda group: best_figures[group].value)
    figure = best_figures[top]
    own = summary.figure(top.main, "lm")
    says = (
        f", where the model's own answers have AUROC {number(own.value)}"
        if own and not own.blank
        else ""
    )
    who = SPOKEN.get(probe, f"a probe of the kind {probe}")
    if reads:
        counted = "it" if len(groups) == 1 else f"{len(reads)} of these {len(groups)}"
        counted = "both of these" if len(reads) == len(groups) == 2 else counted
        counted = f"all {len(reads)}" if len(reads) == len(groups) > 2 else counted
        claim = (
            f"in {counted} {who}, fitted where the model is truthful ({SOURCE}), still reads the "
            f"truth where it lies ({TARGET}, examples on which truth and quirk disagree) if the "
            "layer is picked with hindsight"
        )
    else:
        counted = "it" if len(groups) == 1 else "none of these"
        verb = "does not read" if len(groups) == 1 else "reads"
        claim = (
            f"in {counted} {who}, fitted where the model is truthful ({SOURCE}), {verb} the truth "
            f"where it lies ({TARGET}, examples on which truth and quirk disagree) at any layer, "
            "even picked with hindsight"
        )
    return (
        f"{claim} (at best AUROC {with_interval(figure)}, layer {figure.layer} of {top.name}"
        f"{says}), while at the layer that EIL picks without seeing the target "
        f"{_at_eil(summary, groups, probe)}"
    )


def _at_eil(summary: Summary, groups: list[Group], probe: str) -> str:
    chosen = [summary.figure(group.main, probe) for group in groups]
    value, count = mean(chosen)
    if not count:
        return "there is no figure"
    values = [figure.value for figure in chosen if figure and not figure.blank]
    if count == 1:
        return f"its AUROC is {number(value)}"
    return (
        f"the mean AUROC over {count} cells is {number(value)} "
        f"({number(min(values))} to {number(max(values))})"
    )


def _of(part: int, whole: int) -> str:
    return "the one" if part == whole == 1 else f"{part} of {whole}"


def _models(count: int) -> str:
    return "quirky model" if count == 1 else "quirky models"


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def _arrow() -> str:
    return HEADLINE_TRANSFER.replace("->", "→")


def _embedded(figure: go.Figure, name: str) -> Markup:
    """A figure's data and the call that draws it, without plotly.js, which is inlined once."""
    config = {"displaylogo": False, "responsive": True, "displayModeBar": False}
    html = figure.to_html(full_html=False, include_plotlyjs=False, div_id=name, config=config)
    return Markup(html)


def _duration(seconds: float) -> str:
    if not math.isfinite(seconds) or seconds < 0:
        raise ValueError(f"seconds is {seconds}; should be the duration of the run")
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [f"{hours} h"] * bool(hours) + [f"{minutes} min"] * bool(hours or minutes)
    return " ".join([*parts, f"{rest} s"])
