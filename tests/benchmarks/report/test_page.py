"""The page: self-contained, the same bytes every time, with every figure of the results."""

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest
from plotly.offline import get_plotlyjs

from benchmarks.metrics.estimates import Estimate
from benchmarks.report import headline_sentence, write_report
from benchmarks.report.figures.layers import layer_figure
from benchmarks.results.formatting import format_estimate
from benchmarks.results.run_folder import Run
from benchmarks.results.summary import Summary


class Page(HTMLParser):
    """The addresses that a browser would load and the text that a person would read."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.text = ""
        self._is_text = True
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._is_text = tag not in ("script", "style")
        loading = ("src", "href", "srcset", "data", "poster")
        self.addresses += [value or "" for name, value in attrs if name in loading]

    def handle_endtag(self, tag: str) -> None:
        self._is_text = True

    def handle_data(self, data: str) -> None:
        if self._is_text:
            self.text += f" {data.strip()}"


def test_the_report_is_self_contained_and_has_the_figures(
    run_dir: Path, find_result: Callable[..., pd.Series]
) -> None:
    path = write_report(run_dir)
    html = path.read_text(encoding="utf-8")
    assert path == run_dir / "report.html"
    assert html.count(get_plotlyjs()) == 1
    own_html = html.replace(get_plotlyjs(), "")
    page = Page(own_html)
    assert all(address.startswith(("#", "data:")) for address in page.addresses)
    assert "@import" not in own_html
    assert "url(" not in own_html
    assert sorted(file.name for file in run_dir.iterdir() if file.suffix == ".part") == []
    cell = {"cell": "tiny-neox-fiction-quirky", "probe": "ccs"}
    for rule in ("eil", "last"):
        for subset in ("disagree", "all", "withheld"):
            row = find_result(run_dir, **cell, layer_rule=rule, subset=subset)
            assert format_estimate(Estimate(row.value, row.low, row.high, row.n)) in page.text
    assert "void" in page.text
    assert "AUROC against the quirk in B on all is .61" in page.text
    assert "12 min 34 s" in page.text
    assert "lr: 0.004" in page.text


def test_the_same_results_give_the_same_bytes(run_dir: Path) -> None:
    assert write_report(run_dir).read_bytes() == write_report(run_dir).read_bytes()


def test_recurrent_sites_come_after_resid_and_are_no_headline(
    make_run: Callable[..., Path],
) -> None:
    run_dir = make_run()
    results = pd.read_parquet(run_dir / "results.parquet")
    at_state = results[results["site"] == "resid"].assign(site="ssm_state", value=1.0)
    pd.concat([at_state, results]).to_parquet(run_dir / "results.parquet")
    manifest = json.loads((run_dir / "manifest.json").read_text())
    manifest["recipe"]["sites"] = ["ssm_state", "resid"]
    (run_dir / "manifest.json").write_text(json.dumps(manifest))
    summary = Summary.read(run_dir)
    half = len(summary.probes) // 2
    assert summary.probes[:half] == summary.headline_probes
    assert summary.probes[half:] == tuple(
        f"{name} at ssm_state" for name in summary.headline_probes
    )
    assert "lr at ssm_state" in write_report(run_dir).read_text()
    traces = layer_figure(summary).data
    visible_probes = {trace.meta["probe"] for trace in traces if trace.visible is not False}
    assert visible_probes <= {"", summary.headline_probes[0]}


def test_cells_under_several_triggers_are_separate(make_run: Callable[..., Path]) -> None:
    run_dir = make_run(triggers=(("name", 0), ("tag-formheader", 0)), void=())
    summary = Summary.read(run_dir)
    assert {group.row for group in summary.groups} == {
        f"{m}, {t}" for m in ("tiny-neox", "tiny-mamba") for t in ("name", "tag-formheader")
    }
    assert all(len(group.controls) == 1 for group in summary.groups)
    assert headline_sentence(summary).startswith("8 of 8 quirky models passed the gate")
    traces = layer_figure(summary).data
    curves = [t for t in traces if t.meta["kind"] == "headline" and t.line.width == 4]
    visible = [t for t in curves if t.visible is not False and t.y[0] is not None]
    assert len(visible) == len(summary.groups)
    assert "tiny-neox, tag-formheader on fiction" in write_report(run_dir).read_text()


def test_a_missing_figure_is_a_dash_with_its_reason(run_dir: Path) -> None:
    results = pd.read_parquet(run_dir / "results.parquet")
    results[results["transfer"] != "B->A"].to_parquet(run_dir / "results.parquet")
    html = write_report(run_dir).read_text(encoding="utf-8")
    assert 'title="not defined: only one class among these examples"' in html
    assert 'title="not shown: ceiling − floor is below .1' in html
    assert "B→A" not in Page(html.replace(get_plotlyjs(), "")).text


def test_a_missing_gate_is_an_error(run_dir: Path) -> None:
    (run_dir / "cells" / "tiny-neox-addition-quirky" / "gate.json").unlink()
    with pytest.raises(FileNotFoundError, match=r"gate\.json"):
        write_report(run_dir)


def test_results_of_an_earlier_version_are_an_error_that_names_the_missing_columns(
    run_dir: Path,
) -> None:
    path = run_dir / "results.parquet"
    pd.read_parquet(path).drop(columns=["dial", "distance"]).to_parquet(path)
    manifest = json.loads((run_dir / "manifest.json").read_text())
    for cell in manifest["cells"]:
        del cell["distance"]
    (run_dir / "manifest.json").write_text(json.dumps(manifest))
    message = re.escape(f"{path} has no column distance, dial: ") + ".*`quirky run`"
    with pytest.raises(ValueError, match=message):
        write_report(run_dir)
    with pytest.raises(ValueError, match=message):
        Run(run_dir).results()
