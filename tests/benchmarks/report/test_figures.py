"""The pictures: every estimate is a point; void cells are grey or hollow."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from benchmarks.report import write_report
from benchmarks.report.figures.dials import dial_figure
from benchmarks.report.figures.distance import distance_figure
from benchmarks.report.figures.layers import layer_figure
from benchmarks.results.summary import Summary

DISTANCES = tuple(("position", distance) for distance in (32, 0, 8))


def with_states(run_dir: Path) -> Path:
    """Add results at a second site, beside `resid`."""
    results = pd.read_parquet(run_dir / "results.parquet")
    at_state = results[results["site"] == "resid"].assign(site="ssm_state", value=0.9)
    pd.concat([results, at_state]).to_parquet(run_dir / "results.parquet")
    return run_dir


def with_dial(run_dir: Path, quirk_auroc: dict[float, float]) -> Path:
    """Add a dial to addition; `quirk_auroc` is how well the model follows its quirk by setting."""
    results = pd.read_parquet(run_dir / "results.parquet")
    rows = results[(results["task"] == "addition") & (results["layer_rule"] != "each")]
    parts = [results]
    for setting, value in quirk_auroc.items():
        at_setting = rows.assign(dial=setting)
        own = at_setting[at_setting["probe"] == "lm"]
        quirk = own.assign(against="quirk", value=value)
        accuracies = [part.assign(metric="accuracy") for part in (own, quirk)]
        parts += [at_setting, quirk, *accuracies]
    pd.concat(parts).to_parquet(run_dir / "results.parquet")
    return run_dir


def lines(figure: Any) -> list[Any]:
    """Return the traces but the legend entry for hollow points."""
    return [trace for trace in figure.data if trace.meta["line"]]


def test_layers_have_every_curve(run_dir: Path) -> None:
    summary = Summary.read(run_dir)
    figure = layer_figure(summary)
    curves = [t for t in figure.data if t.meta["kind"] == "headline" and t.line.width == 4]
    values = [
        tuple(curve.y) for curve in curves if curve.meta["probe"] == "lr" and curve.y[0] is not None
    ]
    expected = [tuple(p.value for p in summary.curve(g.main, "lr")) for g in summary.groups]
    assert sorted(values) == sorted(expected)
    assert {t.meta["probe"] for t in figure.data if t.visible is not False} == {"", "lr"}
    assert [note.text for note in figure.layout.annotations].count("void") == 1


def test_layers_can_show_another_probe_and_name_an_unknown_one(run_dir: Path) -> None:
    figure = layer_figure(Summary.read(run_dir), "ccs")
    assert {t.meta["probe"] for t in figure.data if t.visible is not False} == {"", "ccs"}
    with pytest.raises(ValueError, match="unknown probe 'lgr'; in this run: lr"):
        layer_figure(Summary.read(run_dir), "lgr")


def test_a_run_at_one_distance_has_no_distance_figure(run_dir: Path) -> None:
    assert distance_figure(Summary.read(run_dir)) is None
    assert 'id="far"' not in write_report(run_dir).read_text()


def test_distances_have_every_headline_estimate(make_run: Callable[..., Path]) -> None:
    run_dir = with_states(make_run(triggers=DISTANCES, void=()))
    summary = Summary.read(run_dir)
    figure = distance_figure(summary)
    assert figure is not None
    assert {line.meta["line"] for line in lines(figure)} == {
        "lr at resid",
        "lr at ssm_state",
        "the model's own answer",
    }
    assert len(lines(figure)) == 3 * 4
    assert sum(shape.y0 == shape.y1 == 0.5 for shape in figure.layout.shapes) == 4
    assert {line.x for line in lines(figure)} == {("0", "8", "32")}
    values = [y for line in lines(figure) if line.meta["line"] == "lr at resid" for y in line.y]
    estimates = [summary.estimate(group.main, "lr") for group in summary.groups]
    assert sorted(values) == sorted(estimate.value for estimate in estimates if estimate)
    assert sum(bool(line.showlegend) for line in lines(figure)) == 3
    assert {symbol for line in lines(figure) for symbol in line.marker.symbol} == {"circle"}
    assert 'id="far"' in write_report(run_dir).read_text()


def test_a_void_point_is_hollow(make_run: Callable[..., Path]) -> None:
    run_dir = make_run(triggers=DISTANCES, void=("tiny-neox-fiction-position32-quirky",))
    figure = distance_figure(Summary.read(run_dir))
    assert figure is not None
    hollow = [
        (line.meta["line"], x)
        for line in lines(figure)
        for x, symbol in zip(line.x, line.marker.symbol, strict=True)
        if symbol == "circle-open"
    ]
    assert sorted(hollow) == [("lr at resid", "32"), ("the model's own answer", "32")]
    legend = [trace.name for trace in figure.data if not trace.meta["line"]]
    assert legend == ["hollow: failed the gate"]


def test_a_run_without_a_dial_has_no_dial_figure(run_dir: Path) -> None:
    assert dial_figure(Summary.read(run_dir)) is None
    assert 'id="dial"' not in write_report(run_dir).read_text()


def test_dials_have_probe_baseline_and_model_and_are_hollow_without_a_quirk(
    run_dir: Path,
) -> None:
    before = Summary.read(run_dir)
    summary = Summary.read(with_dial(run_dir, {8.0: 0.6, 3.0: 0.97}))
    assert [group.name for group in summary.groups] == [group.name for group in before.groups]
    assert len(summary.results) == len(before.results)
    figure = dial_figure(summary)
    assert figure is not None
    assert {line.x for line in lines(figure)} == {("3", "8")}
    assert {line.name for line in lines(figure)} == {
        "text-only baseline",
        *(
            f"{model}: {label}"
            for model in ("tiny-neox", "tiny-mamba")
            for label in ("lr where it lies", "truthful in A", "follows its quirk in B")
        ),
    }
    (probe,) = (line for line in lines(figure) if line.name == "tiny-neox: lr where it lies")
    assert probe.marker.symbol == ("circle", "circle-open")
    estimate = summary.estimate(summary.groups[0].main, "lr")
    assert estimate
    assert set(probe.y) == {estimate.value}
    assert 'id="dial"' in write_report(run_dir).read_text()


def test_a_void_cell_is_hollow_at_every_setting_of_its_dial(make_run: Callable[..., Path]) -> None:
    run_dir = with_dial(make_run(void=("tiny-neox-addition-quirky",)), {3.0: 0.97, 8.0: 0.97})
    figure = dial_figure(Summary.read(run_dir))
    assert figure is not None
    symbols = {line.name: set(line.marker.symbol) for line in lines(figure)}
    assert symbols["tiny-neox: lr where it lies"] == {"circle-open"}
    assert symbols["tiny-mamba: lr where it lies"] == {"circle"}
