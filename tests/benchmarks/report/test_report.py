import json
import math
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest
from plotly.offline import get_plotlyjs

from benchmarks.report import headline_sentence, write_report
from benchmarks.report.dials import dial_figure
from benchmarks.report.distance import distance_figure
from benchmarks.report.figures import curves
from benchmarks.report.tables import Table, cell_sections, gate_table
from benchmarks.report.withheld import withheld_tables
from benchmarks.results.run_folder import Run
from benchmarks.results.summary import Summary, number

QUIRKY = [f"{m}-{t}-quirky" for m in ("tiny-neox", "tiny-mamba") for t in ("addition", "fiction")]


class Page(HTMLParser):
    """What a browser would load, and what a reader would read."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.scripts = 0
        self.text = ""
        self._silent = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.scripts += tag == "script"
        self._silent = tag in ("script", "style")
        loads = ("src", "href", "srcset", "data", "poster")
        self.addresses += [value or "" for name, value in attrs if name in loads]

    def handle_endtag(self, tag: str) -> None:
        self._silent = False

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.text += f" {data.strip()}"


def sentence(run_dir: Path) -> str:
    return headline_sentence(Summary.read(run_dir))


def figure_of(run_dir: Path, **where: str) -> pd.Series:
    results = pd.read_parquet(run_dir / "results.parquet")
    wanted = {"control": "", "against": "truth", "metric": "auroc", "transfer": "A->B"} | where
    for column, value in wanted.items():
        results = results[results[column] == value]
    assert len(results) == 1
    return results.iloc[0]


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.87, ".87"), (1.0, "1.00"), (0.0, ".00"), (-0.43, "−.43"), (-0.001, ".00"), (1.2, "1.20")],
)
def test_a_number_has_two_decimals_and_no_leading_zero(value: float, shown: str) -> None:
    assert number(value) == shown
    assert number(math.nan) == "–"


def test_the_report_needs_nothing_else(run_dir: Path) -> None:
    path = write_report(run_dir)
    html = path.read_text(encoding="utf-8")
    assert path == run_dir / "report.html"
    assert html.count(get_plotlyjs()) == 1
    own = html.replace(get_plotlyjs(), "")
    page = Page(own)
    assert all(address.startswith(("#", "data:")) for address in page.addresses)
    assert "@import" not in own
    assert "url(" not in own
    assert sorted(file.name for file in run_dir.iterdir() if file.suffix == ".part") == []
    _says_the_figures(run_dir, page.text)


def _says_the_figures(run_dir: Path, text: str) -> None:
    for rule in ("eil", "last"):
        for subset in ("disagree", "all", "withheld"):
            row = figure_of(
                run_dir,
                cell="tiny-neox-fiction-quirky",
                probe="ccs",
                layer_rule=rule,
                subset=subset,
            )
            assert f"{number(row.value)} [{number(row.low)}, {number(row.high)}]" in text
    assert "void" in text
    assert "AUROC against the quirk in B on all is .61" in text
    assert "12 min 34 s" in text
    assert "lr: 0.004" in text


def test_the_same_results_give_the_same_bytes(run_dir: Path) -> None:
    assert write_report(run_dir).read_bytes() == write_report(run_dir).read_bytes()


def test_the_sentence_tells_hindsight_from_eil(run_dir: Path) -> None:
    said = sentence(run_dir)
    passed = [cell for cell in QUIRKY if cell != "tiny-mamba-addition-quirky"]
    at_eil = [
        figure_of(run_dir, cell=cell, probe="lr", layer_rule="eil", subset="disagree").value
        for cell in passed
    ]
    assert said.count(".") == len(re.findall(r"\.\d", said)) + 1
    assert said.startswith("3 of 4 quirky models passed the gate, and in all 3 of these")
    assert "picked in hindsight (an oracle) at AUROC up to .91" in said
    assert "tiny-neox on fiction, layer 3, where the model itself says the opposite: .03" in said
    assert f"the mean AUROC over 3 models is {number(sum(at_eil) / 3)}" in said


def test_a_void_cell_does_not_count(make_run: Callable[..., Path]) -> None:
    best = ("tiny-neox-fiction-quirky",)
    with_best, without = sentence(make_run("a", void=())), sentence(make_run("b", void=best))
    assert "4 of 4" in with_best
    assert "tiny-neox on fiction" in with_best
    assert "3 of 4" in without
    assert "tiny-neox on fiction" not in without


def test_the_sentence_follows_the_figures(make_run: Callable[..., Path]) -> None:
    assert "up to .91" in sentence(make_run("a"))
    assert "up to .85" in sentence(make_run("b", peak=0.85))
    lost = make_run("c")
    results = pd.read_parquet(lost / "results.parquet")
    inside = (results["transfer"] == "A->B") & (results["subset"] == "disagree")
    results.loc[inside, ["value", "low", "high"]] = [0.2, 0.1, 0.3]
    results.to_parquet(lost / "results.parquet")
    said = sentence(lost)
    assert "but in none of these a logistic-regression probe" in said
    assert "at most .20 [.10, .30]" in said


def test_one_model_alone(make_run: Callable[..., Path]) -> None:
    said = sentence(make_run(void=tuple(QUIRKY[1:])))
    assert said.startswith("1 of 4 quirky models passed the gate, and in it a logistic")
    assert "at the layer that EIL picks without seeing the target its AUROC is" in said


def test_a_run_in_which_every_cell_is_void_says_nothing(make_run: Callable[..., Path]) -> None:
    run_dir = make_run(void=tuple(QUIRKY))
    said = sentence(run_dir)
    assert said.startswith("This run says nothing")
    assert "all 4 quirky models failed the gate" in said
    text = Page(write_report(run_dir).read_text(encoding="utf-8")).text
    assert said in text
    assert "over the 0 cells that passed the gate" in text


def test_a_run_without_quirky_models_or_without_curves(run_dir: Path) -> None:
    results = pd.read_parquet(run_dir / "results.parquet")
    results[results["probe"].isin(["lm", "text"])].to_parquet(run_dir / "results.parquet")
    assert "no probe was measured" in sentence(run_dir)
    manifest = json.loads((run_dir / "manifest.json").read_text())
    manifest["cells"] = [c for c in manifest["cells"] if c["variant"] == "base"]
    (run_dir / "manifest.json").write_text(json.dumps(manifest))
    assert "No quirky model was tested" in sentence(run_dir)
    assert write_report(run_dir).exists()


def test_recurrent_sites_stand_beside_resid_and_are_no_headline(
    make_run: Callable[..., Path],
) -> None:
    folder = make_run()
    told = sentence(folder)
    results = pd.read_parquet(folder / "results.parquet")
    beside = results[results["site"] == "resid"].assign(site="ssm_state", value=1.0)
    pd.concat([beside, results]).to_parquet(folder / "results.parquet")
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["recipe"]["sites"] = ["ssm_state", "resid"]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    summary = Summary.read(folder)
    half = len(summary.probes) // 2
    assert summary.probes[:half] == summary.headline_probes
    assert summary.probes[half:] == tuple(
        f"{name} at ssm_state" for name in summary.headline_probes
    )
    assert sentence(folder) == told
    assert "lr at ssm_state" in write_report(folder).read_text()
    shown = {trace.meta["probe"] for trace in curves(summary).data if trace.visible is not False}
    assert shown <= {"", summary.headline_probes[0]}


DISTANCES = tuple(("position", distance) for distance in (32, 0, 8))


def with_states(folder: Path) -> Path:
    """Put a second site beside resid."""
    results = pd.read_parquet(folder / "results.parquet")
    beside = results[results["site"] == "resid"].assign(site="ssm_state", value=0.9)
    pd.concat([results, beside]).to_parquet(folder / "results.parquet")
    return folder


def test_cells_under_several_triggers_stand_apart(make_run: Callable[..., Path]) -> None:
    folder = make_run(triggers=(("name", 0), ("tag-formheader", 0)), void=())
    summary = Summary.read(folder)
    rows = {group.row for group in summary.groups}
    assert rows == {
        f"{m}, {t}" for m in ("tiny-neox", "tiny-mamba") for t in ("name", "tag-formheader")
    }
    assert all(len(group.others) == 1 for group in summary.groups)
    assert sentence(folder).startswith("8 of 8 quirky models passed the gate")
    lines = [t for t in curves(summary).data if t.meta["kind"] == "headline" and t.line.width == 4]
    assert sum(t.visible is not False and t.y[0] is not None for t in lines) == len(summary.groups)
    assert "tiny-neox, tag-formheader on fiction" in write_report(folder).read_text()


def test_a_run_at_one_distance_has_no_picture_of_distances(run_dir: Path) -> None:
    assert distance_figure(Summary.read(run_dir)) is None
    assert 'id="far"' not in write_report(run_dir).read_text()


def test_the_picture_of_distances_holds_every_headline_figure(
    make_run: Callable[..., Path],
) -> None:
    folder = with_states(make_run(triggers=DISTANCES, void=()))
    summary = Summary.read(folder)
    picture = distance_figure(summary)
    assert picture is not None
    lines = [trace for trace in picture.data if trace.meta["line"]]
    assert {trace.meta["line"] for trace in lines} == {
        "lr at resid",
        "lr at ssm_state",
        "the model's own answer",
    }
    assert len(lines) == 3 * 4
    assert sum(shape.y0 == shape.y1 == 0.5 for shape in picture.layout.shapes) == 4
    assert {trace.x for trace in lines} == {("0", "8", "32")}
    drawn = sorted(y for trace in lines if trace.meta["line"] == "lr at resid" for y in trace.y)
    told = [summary.figure(group.main, "lr") for group in summary.groups]
    assert drawn == sorted(figure.value for figure in told if figure)
    assert sum(bool(trace.showlegend) for trace in lines) == 3
    assert {symbol for trace in lines for symbol in trace.marker.symbol} == {"circle"}
    assert 'id="far"' in write_report(folder).read_text()


def test_a_void_point_is_hollow(make_run: Callable[..., Path]) -> None:
    folder = make_run(triggers=DISTANCES, void=("tiny-neox-fiction-position32-quirky",))
    picture = distance_figure(Summary.read(folder))
    assert picture is not None
    hollow = [
        (trace.meta["line"], x)
        for trace in picture.data
        if trace.meta["line"]
        for x, symbol in zip(trace.x, trace.marker.symbol, strict=True)
        if symbol == "circle-open"
    ]
    assert sorted(hollow) == [("lr at resid", "32"), ("the model's own answer", "32")]
    assert [t.name for t in picture.data if not t.meta["line"]] == ["hollow: failed the gate"]


def with_dial(folder: Path, follows: dict[float, float]) -> Path:
    """Give addition a dial, at whose settings the model follows its quirk so well."""
    results = pd.read_parquet(folder / "results.parquet")
    there = results[(results["task"] == "addition") & (results["layer_rule"] != "each")]
    parts = [results]
    for dial, value in follows.items():
        at = there.assign(dial=dial)
        own = at[at["probe"] == "lm"]
        quirk = own.assign(against="quirk", value=value)
        right = [part.assign(metric="accuracy") for part in (own, quirk)]
        parts += [at, quirk, *right]
    pd.concat(parts).to_parquet(folder / "results.parquet")
    return folder


def test_a_run_without_a_dial_has_no_picture_of_one(run_dir: Path) -> None:
    assert dial_figure(Summary.read(run_dir)) is None
    assert 'id="dial"' not in write_report(run_dir).read_text()


def test_the_picture_of_a_dial_shows_probe_text_and_model_and_where_nothing_is_followed(
    run_dir: Path,
) -> None:
    before = Summary.read(run_dir)
    folder = with_dial(run_dir, {8.0: 0.6, 3.0: 0.97})
    summary = Summary.read(folder)
    assert [s.name for s in summary.groups] == [s.name for s in before.groups]
    assert len(summary.results) == len(before.results)
    picture = dial_figure(summary)
    assert picture is not None
    lines = [trace for trace in picture.data if trace.meta["line"]]
    assert {trace.x for trace in lines} == {("3", "8")}
    named = {trace.name for trace in lines}
    assert named == {
        "text alone",
        *(
            f"{model}: {what}"
            for model in ("tiny-neox", "tiny-mamba")
            for what in ("lr where it lies", "right in A", "lies as it should in B")
        ),
    }
    (probe,) = (trace for trace in lines if trace.name == "tiny-neox: lr where it lies")
    assert probe.marker.symbol == ("circle", "circle-open")
    found = summary.figure(summary.groups[0].main, "lr")
    assert found
    assert set(probe.y) == {found.value}
    assert 'id="dial"' in write_report(folder).read_text()


def test_a_void_cell_is_hollow_at_every_setting_of_its_dial(make_run: Callable[..., Path]) -> None:
    folder = with_dial(make_run(void=("tiny-neox-addition-quirky",)), {3.0: 0.97, 8.0: 0.97})
    picture = dial_figure(Summary.read(folder))
    assert picture is not None
    symbols = {trace.name: set(trace.marker.symbol) for trace in picture.data if trace.meta["line"]}
    assert symbols["tiny-neox: lr where it lies"] == {"circle-open"}
    assert symbols["tiny-mamba: lr where it lies"] == {"circle"}


@pytest.mark.parametrize(
    ("follows", "agreeing", "fault"),
    [
        (0.95, None, ""),
        (0.95, 0.9, ""),
        (0.43, None, "in B2 on all is 0.43, below 0.8; "),
        (0.95, 0.1, "not meaningful: AUROC against the quirk in B2 on agree is 0.10, below 0.8"),
    ],
)
def test_a_transfer_to_unseen_triggers_is_marked_where_the_model_follows_no_quirk(
    make_run: Callable[..., Path], follows: float, agreeing: float | None, fault: str
) -> None:
    folder = make_run(unseen=follows, agreeing=agreeing, void=())
    for section in cell_sections(Summary.read(folder)):
        for table in section.tables:
            (head,) = (column for column in table.columns if column.text == "A→B2")
            assert fault in head.note
            assert bool(head.note) == bool(fault)
            assert {column.text for column in table.columns if column.void} == (
                {"A→B2"} if fault else set()
            )
            assert greyed(table) == ({"A→B2"} if fault else set())


def greyed(table: Table) -> set[str]:
    """The transfers whose entries are greyed, of the probes of the cell itself."""
    return {
        column.text
        for place, column in enumerate(table.columns)
        if all(row.entries[place].void for row in table.blocks[0].rows)
    }


def test_what_greys_a_transfer_greys_it_on_withheld_facts_too(
    make_run: Callable[..., Path],
) -> None:
    void = QUIRKY[1]
    folder = make_run(unseen=0.43, void=(void,))
    first, *_, last = withheld_tables(Summary.read(folder))
    assert greyed(first) == {column.text for column in first.columns}
    assert "A→B" in greyed(first)
    assert greyed(last) == {"A→B2"}


def test_the_gate_shows_what_it_does_not_require(make_run: Callable[..., Path]) -> None:
    heads = [(c.text, c.note) for c in gate_table(Summary.read(make_run(unseen=0.43))).columns]
    assert heads[-2:] == [("B2, agree", "quirk"), ("T, all", "truth")]


def test_the_picture_holds_every_curve(run_dir: Path) -> None:
    picture = curves(Summary.read(run_dir))
    summary = Summary.read(run_dir)
    lines = [t for t in picture.data if t.meta["kind"] == "headline" and t.line.width == 4]
    drawn = [
        tuple(line.y) for line in lines if line.meta["probe"] == "lr" and line.y[0] is not None
    ]
    expected = [tuple(p.value for p in summary.curve(g.main, "lr")) for g in summary.groups]
    assert sorted(drawn) == sorted(expected)
    assert {t.meta["probe"] for t in picture.data if t.visible is not False} == {"", "lr"}
    assert [note.text for note in picture.layout.annotations].count("void") == 1


def test_another_probe_can_be_shown_and_an_unknown_one_is_named(run_dir: Path) -> None:
    picture = curves(Summary.read(run_dir), "ccs")
    assert {t.meta["probe"] for t in picture.data if t.visible is not False} == {"", "ccs"}
    with pytest.raises(ValueError, match="unknown probe 'lgr'; in this run: lr"):
        curves(Summary.read(run_dir), "lgr")


def test_a_figure_that_is_not_there_is_a_dash_with_its_reason(run_dir: Path) -> None:
    results = pd.read_parquet(run_dir / "results.parquet")
    results[results["transfer"] != "B->A"].to_parquet(run_dir / "results.parquet")
    html = write_report(run_dir).read_text(encoding="utf-8")
    assert 'title="not defined: only one class among these examples"' in html
    assert 'title="not shown: ceiling − floor is below .1' in html
    assert "B→A" not in Page(html.replace(get_plotlyjs(), "")).text


def test_a_missing_gate_is_an_error(run_dir: Path) -> None:
    (run_dir / "cells" / QUIRKY[0] / "gate.json").unlink()
    with pytest.raises(FileNotFoundError, match=r"gate\.json"):
        write_report(run_dir)


def test_results_of_an_earlier_version_are_named_with_what_they_lack(run_dir: Path) -> None:
    path = run_dir / "results.parquet"
    pd.read_parquet(path).drop(columns=["dial", "distance"]).to_parquet(path)
    manifest = json.loads((run_dir / "manifest.json").read_text())
    for cell in manifest["cells"]:
        del cell["distance"]
    (run_dir / "manifest.json").write_text(json.dumps(manifest))
    told = re.escape(f"{path} has no column distance, dial: ") + ".*`quirky run`"
    with pytest.raises(ValueError, match=told):
        write_report(run_dir)
    with pytest.raises(ValueError, match=told):
        Run(run_dir).results()
