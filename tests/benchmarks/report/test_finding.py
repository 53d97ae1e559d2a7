"""The finding: one sentence whose numbers come from the cells that passed the gate."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from benchmarks.report import headline_sentence, write_report
from benchmarks.results.formatting import format_number
from benchmarks.results.summary import Summary

QUIRKY = [f"{m}-{t}-quirky" for m in ("tiny-neox", "tiny-mamba") for t in ("addition", "fiction")]


def finding_of(run_dir: Path) -> str:
    return headline_sentence(Summary.read(run_dir))


def test_the_oracle_and_eil_are_both_named(
    run_dir: Path, find_result: Callable[..., pd.Series]
) -> None:
    finding = finding_of(run_dir)
    passed = [cell for cell in QUIRKY if cell != "tiny-mamba-addition-quirky"]
    at_eil = [
        find_result(run_dir, cell=cell, probe="lr", layer_rule="eil", subset="disagree").value
        for cell in passed
    ]
    assert finding.count(".") == len(re.findall(r"\.\d", finding)) + 1
    assert finding.startswith("3 of 4 quirky models passed the gate, and in all 3 of these")
    assert "at the best layer with hindsight (an oracle) its AUROC is up to .91" in finding
    assert "tiny-neox on fiction, layer 3, where the model itself says the opposite: .03" in finding
    assert f"the mean AUROC over 3 models is {format_number(sum(at_eil) / 3)}" in finding


def test_a_void_cell_does_not_count(make_run: Callable[..., Path]) -> None:
    best = "tiny-neox-fiction-quirky"
    all_passed, without_best = finding_of(make_run("a", void=())), make_run("b", void=(best,))
    assert "4 of 4" in all_passed
    assert "tiny-neox on fiction" in all_passed
    assert "3 of 4" in finding_of(without_best)
    assert "tiny-neox on fiction" not in finding_of(without_best)


def test_cells_of_leaky_tasks_count_only_where_there_are_no_others(
    make_run: Callable[..., Path],
) -> None:
    some = finding_of(make_run("a", void=(), leaky=("fiction",)))
    assert some.startswith(
        "4 of 4 quirky models passed the gate, 2 of them on tasks whose text gives little of the "
        "truth away, and in both of these"
    )
    assert "on addition" in some
    assert "on fiction" not in some
    assert "over 2 models" in some
    none = finding_of(make_run("b", void=(), leaky=("fiction", "addition")))
    assert none.startswith("4 of 4 quirky models passed the gate, none of them on tasks whose text")
    assert "over 4 models" in none


def test_the_finding_follows_the_results(make_run: Callable[..., Path]) -> None:
    assert "up to .91" in finding_of(make_run("a"))
    assert "up to .85" in finding_of(make_run("b", peak=0.85))
    unreadable = make_run("c")
    results = pd.read_parquet(unreadable / "results.parquet")
    is_headline = (results["transfer"] == "A->B") & (results["subset"] == "disagree")
    results.loc[is_headline, ["value", "low", "high"]] = [0.2, 0.1, 0.3]
    results.to_parquet(unreadable / "results.parquet")
    finding = finding_of(unreadable)
    assert "but in none of these a logistic-regression probe" in finding
    assert "at most .20 [.10, .30]" in finding


def test_one_model_that_passed(make_run: Callable[..., Path]) -> None:
    finding = finding_of(make_run(void=tuple(QUIRKY[1:])))
    assert finding.startswith("1 of 4 quirky models passed the gate, and in it a logistic")
    assert "at the layer that EIL chooses without seeing the target its AUROC is" in finding


def test_a_run_whose_cells_are_all_void_says_nothing(make_run: Callable[..., Path]) -> None:
    run_dir = make_run(void=tuple(QUIRKY))
    finding = finding_of(run_dir)
    assert finding.startswith("This run says nothing")
    assert "all 4 quirky models failed the gate" in finding
    page = write_report(run_dir).read_text(encoding="utf-8")
    assert finding in page
    assert "over the 0 cells that passed the gate" in page


def test_a_run_without_quirky_models_or_without_curves(run_dir: Path) -> None:
    results = pd.read_parquet(run_dir / "results.parquet")
    results[results["probe"].isin(["lm", "text"])].to_parquet(run_dir / "results.parquet")
    assert "no probe was measured" in finding_of(run_dir)
    manifest = json.loads((run_dir / "manifest.json").read_text())
    manifest["cells"] = [c for c in manifest["cells"] if c["variant"] == "base"]
    (run_dir / "manifest.json").write_text(json.dumps(manifest))
    assert "No quirky model was tested" in finding_of(run_dir)
    assert write_report(run_dir).exists()


def test_recurrent_sites_do_not_enter_the_finding(make_run: Callable[..., Path]) -> None:
    run_dir = make_run()
    finding = finding_of(run_dir)
    results = pd.read_parquet(run_dir / "results.parquet")
    at_state = results[results["site"] == "resid"].assign(site="ssm_state", value=1.0)
    pd.concat([at_state, results]).to_parquet(run_dir / "results.parquet")
    assert finding_of(run_dir) == finding
