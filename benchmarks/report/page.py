"""The report of a run: one HTML file that needs nothing else to be read."""

import os
from pathlib import Path

import plotly.graph_objects as go
import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from benchmarks.report import tables
from benchmarks.report.dials import dial_figure
from benchmarks.report.distance import distance_figure
from benchmarks.report.figures import curves
from benchmarks.report.panels import least_width
from benchmarks.report.withheld import withheld_figure, withheld_tables
from benchmarks.results.summary import (
    HEADLINE_TRANSFER,
    Group,
    Summary,
    mean,
    number,
    with_interval,
)
from benchmarks.scoring.fits import SHUFFLES

TEMPLATE = "report.html.j2"
SOURCE, TARGET = HEADLINE_TRANSFER.split("->")
SPOKEN = {"lr": "logistic-regression", "mean-diff": "difference-in-means", "ccs": "CCS"}


def write_report(run_dir: Path) -> Path:
    """Write `report.html` into a run folder, the same bytes for the same results.

    Raises FileNotFoundError if the manifest, the results or a gate is missing, ValueError if the
    results are those of an earlier version.
    """
    summary = Summary.read(run_dir)
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    picture, known = curves(summary), withheld_figure(summary)
    by_distance, by_dial = distance_figure(summary), dial_figure(summary)
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
        by_distance=_embedded(by_distance, "distance") if by_distance else None,
        by_dial=_embedded(by_dial, "dials") if by_dial else None,
        known=_embedded(known, "withheld") if known else None,
        headline=tables.headline_table(summary),
        sections=tables.cell_sections(summary),
        gate=tables.gate_table(summary),
        withheld=withheld_tables(summary),
        shuffles=SHUFFLES,
    )
    path = run_dir / "report.html"
    unfinished = path.with_suffix(".html.part")
    unfinished.write_text(page, encoding="utf-8")
    os.replace(unfinished, path)
    return path


def headline_sentence(summary: Summary) -> str:
    """What the run shows, in one sentence whose numbers come from the cells that passed.

    The layer picked in hindsight and the layer picked by EIL are told apart by name.
    """
    gated = [group for group in summary.groups if group.main.gate["gated"]]
    passed = [group for group in gated if group.main.counts]
    if not gated:
        return "No quirky model was tested in this run, so it says nothing about lying."
    if not passed:
        every = {1: "the one quirky model", 2: "both quirky models"}
        fate = every.get(len(gated), f"all {len(gated)} quirky models")
        return (
            f"This run says nothing about reading the truth in a model that lies, because {fate} "
            "failed the gate."
        )
    models = "quirky model" if len(gated) == 1 else "quirky models"
    part = "The one" if len(gated) == 1 else f"{len(passed)} of {len(gated)}"
    probe = next(iter(summary.headline_probes), "")
    measured = [group for group in passed if summary.curve(group.main, probe)]
    if not measured:
        return (
            f"{part} {models} passed the gate, but no probe was measured on {SOURCE}→{TARGET}, "
            "so this run says nothing about reading the truth where a model lies."
        )
    return f"{part} {models} passed the gate, {_finding(summary, measured, probe)}"


def _finding(summary: Summary, groups: list[Group], probe: str) -> str:
    """What a probe does in the groups, all of which passed the gate and have its curve."""
    best = {
        group: figure
        for group in groups
        if (figure := summary.best_with_hindsight(group.main, probe))
    }
    top = max(best, key=lambda group: best[group].value)
    reading = sum(figure.low > _bar(summary, group) for group, figure in best.items())
    at_best = (
        f"{with_interval(best[top])} ({top.name}, layer {best[top].layer}"
        f"{_own_answer(summary, top)})"
    )
    at_eil = (
        f"at the layer that EIL picks without seeing the target {_at_eil(summary, groups, probe)}."
    )
    if reading:
        return (
            f"and in {_share(reading, len(groups))} {_spoken(probe)} fitted where the model is "
            "truthful still reads the truth where it lies, better than a reader of the text "
            f"alone: with the layer picked in hindsight (an oracle) at AUROC up to {at_best}; "
            f"{at_eil}"
        )
    verb = "does not read" if len(groups) == 1 else "reads"
    where = "it" if len(groups) == 1 else "none of these"
    return (
        f"but in {where} {_spoken(probe)} fitted where the model is truthful {verb} the truth "
        "where it lies better than a reader of the text alone: even with the layer picked in "
        f"hindsight (an oracle) its AUROC is at most {at_best}; {at_eil}"
    )


def _bar(summary: Summary, group: Group) -> float:
    """What a probe's interval must lie above: chance, and what the text alone gives away."""
    text = summary.figure(group.main, "text")
    return max(0.5, text.value) if text and not text.blank else 0.5


def _own_answer(summary: Summary, group: Group) -> str:
    own = summary.figure(group.main, "lm")
    if own is None or own.blank:
        return ""
    if own.high < 0.5:
        return f", where the model itself says the opposite: {number(own.value)}"
    return f", where the model's own answers have {number(own.value)}"


def _at_eil(summary: Summary, groups: list[Group], probe: str) -> str:
    figures = [summary.figure(group.main, probe) for group in groups]
    values = [figure.value for figure in figures if figure and not figure.blank]
    if not values:
        return "there is no figure"
    if len(values) == 1:
        return f"its AUROC is {number(values[0])}"
    span = f"{number(min(values))} to {number(max(values))}"
    return f"the mean AUROC over {len(values)} models is {number(mean(figures)[0])} ({span})"


def _share(part: int, whole: int) -> str:
    if whole == 1:
        return "it"
    if part == whole:
        return "both of these" if whole == 2 else f"all {whole} of these"
    return f"{part} of these {whole}"


def _spoken(probe: str) -> str:
    return f"a {SPOKEN[probe]} probe" if probe in SPOKEN else f"the probe {probe}"


def _embedded(figure: go.Figure, name: str) -> Markup:
    """A figure's data and the call that draws it, without plotly.js, which is inlined once."""
    config = {"displaylogo": False, "responsive": True, "displayModeBar": False}
    html = figure.to_html(full_html=False, include_plotlyjs=False, div_id=name, config=config)
    return Markup(html)


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return "not recorded"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [f"{hours} h"] * bool(hours) + [f"{minutes} min"] * bool(hours or minutes)
    return " ".join([*parts, f"{rest} s"])
