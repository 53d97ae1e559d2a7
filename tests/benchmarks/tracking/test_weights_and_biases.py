import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from wandb.proto.wandb_internal_pb2 import Record

from benchmarks.tracking import weights_and_biases as tracking
from benchmarks.tracking.weights_and_biases import log_run

BLOCK, FILE_HEADER, HEADER = 32768, 7, 7
CELL = "tiny-neox-fiction-quirky"


@pytest.fixture(autouse=True)
def _nobodys_account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No settings and no key of whoever runs the tests."""
    for name in [name for name in os.environ if name.startswith("WANDB_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("NETRC", str(tmp_path / "no-netrc"))
    for name in ("WANDB_CONFIG_DIR", "WANDB_CACHE_DIR", "WANDB_DATA_DIR"):
        monkeypatch.setenv(name, str(tmp_path / "wandb-home"))


@pytest.fixture
def one_cell(run_dir: Path) -> Path:
    """The made-up run with one cell only."""
    manifest = json.loads((run_dir / "manifest.json").read_text())
    manifest["cells"] = [cell for cell in manifest["cells"] if cell["cell"] == CELL]
    (run_dir / "manifest.json").write_text(json.dumps(manifest))
    return run_dir


@dataclass
class Logged:
    """What an offline log says."""

    group: str = ""
    name: str = ""
    project: str = ""
    config: dict[str, Any] = field(default_factory=dict)
    summary: dict[str, Any] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)


def logs(run_dir: Path) -> list[Logged]:
    return [read_log(path) for path in sorted(run_dir.glob("wandb/*run-*/*.wandb"))]


def read_log(path: Path) -> Logged:
    logged = Logged()
    for data in chunks(path.read_bytes()):
        record = Record.FromString(data)
        kind = record.WhichOneof("record_type")
        if kind == "run":
            run = record.run
            logged.group, logged.name, logged.project = (
                run.run_group,
                run.display_name,
                run.project,
            )
            logged.config |= values(run.config.update)
        elif kind == "config":
            logged.config |= values(record.config.update)
        elif kind == "summary":
            logged.summary |= values(record.summary.update)
        elif kind == "history":
            logged.history.append(values(record.history.item))
    return logged


def values(items: Any) -> dict[str, Any]:
    return {
        item.key or "/".join(item.nested_key): json.loads(item.value_json)
        for item in items
        if item.value_json
    }


def chunks(log: bytes) -> Iterator[bytes]:
    """Records of a LevelDB log: blocks of 32 KiB, a record is whole (1) or in parts (2, 3, 4)."""
    assert log[:4] == b":W&B"
    at, whole = FILE_HEADER, b""
    while at + HEADER <= len(log):
        if BLOCK - at % BLOCK < HEADER:
            at += BLOCK - at % BLOCK
            continue
        length, kind = int.from_bytes(log[at + 4 : at + 6], "little"), log[at + 6]
        whole += log[at + HEADER : at + HEADER + length]
        at += HEADER + length
        if kind in (1, 4):
            yield whole
            whole = b""


def figures(run_dir: Path, cell: str = CELL, **where: str) -> pd.DataFrame:
    results = pd.read_parquet(run_dir / "results.parquet")
    wanted = {"cell": cell, "control": "", "against": "truth", "metric": "auroc"} | where
    for column, value in wanted.items():
        results = results[results[column] == value]
    return results


def test_the_offline_log_says_what_the_results_say(
    one_cell: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (one_cell / "report.html").write_text("<html><body>the report</body></html>")
    log_run(one_cell)
    assert capfd.readouterr() == ("", "")
    (logged,) = logs(one_cell)
    assert (logged.group, logged.name, logged.project) == ("made-up", CELL, "quirky")
    assert logged.config["recipe"]["finetune"]["rank"] == 16
    assert (logged.config["model"], logged.config["variant"]) == ("tiny-neox", "quirky")
    _headline_is_the_eil_figure(one_cell, logged)
    _history_is_the_curve(one_cell, logged)
    _gate_figures_are_in_the_summary(one_cell, logged)
    _table_and_report_are_files(one_cell)


def _headline_is_the_eil_figure(run_dir: Path, logged: Logged) -> None:
    for probe, rule in (("lr", "eil"), ("ccs", "eil"), ("random", "eil"), ("lm", "none")):
        for subset in ("disagree", "all"):
            rows = figures(run_dir, probe=probe, layer_rule=rule, subset=subset)
            assert len(rows) == 6
            for row in rows.itertuples():
                key = f"transfer/{row.transfer}/{probe}/auroc_{subset}"
                assert logged.summary[key] == pytest.approx(row.value)
    assert not [key for key in logged.summary if "withheld" in key]


def _history_is_the_curve(run_dir: Path, logged: Logged) -> None:
    key = "curve/A->B/lr/auroc_disagree"
    rows = figures(run_dir, probe="lr", layer_rule="each", transfer="A->B", subset="disagree")
    curve = {row[key] and row["layer"]: row[key] for row in logged.history if key in row}
    assert curve == pytest.approx(dict(zip(rows["layer"], rows["value"], strict=True)))
    steps = [row["_step"] for row in logged.history if key in row]
    assert steps == [row["layer"] for row in logged.history if key in row]
    assert any("curve/A->B/lr/shuffled/auroc_all" in row for row in logged.history)


def _gate_figures_are_in_the_summary(run_dir: Path, logged: Logged) -> None:
    gate = json.loads((run_dir / "cells" / CELL / "gate.json").read_text())
    assert logged.summary["gate/passed"] is True
    for figure in gate["figures"]:
        key = "/".join(
            ["gate", *(figure[part] for part in ("split", "context", "against", "subset"))]
        )
        assert logged.summary.get(key) == figure["value"]


def _table_and_report_are_files(run_dir: Path) -> None:
    (table,) = run_dir.glob("wandb/*run-*/files/media/table/*.json")
    content = json.loads(table.read_text())
    where = {"probe": "lr", "layer_rule": "last", "subset": "disagree", "transfer": "AE->BH"}
    expected = figures(run_dir, **where)["value"].item()
    column = content["columns"].index
    values = [
        row[column("value")]
        for row in content["data"]
        if all(row[column(name)] == value for name, value in where.items())
        and (row[column("control")], row[column("metric")]) == ("", "auroc")
    ]
    assert values == [pytest.approx(expected)]
    assert "withheld" not in {row[column("subset")] for row in content["data"]}
    (html,) = run_dir.glob("wandb/*run-*/files/media/html/*.html")
    assert "the report" in html.read_text()


def test_one_group_a_run_and_one_run_a_cell_logged_once(run_dir: Path) -> None:
    manifest = json.loads((run_dir / "manifest.json").read_text())
    log_run(run_dir)
    log_run(run_dir)
    first = logs(run_dir)
    assert sorted(log.name for log in first) == sorted(c["cell"] for c in manifest["cells"])
    assert {log.group for log in first} == {"made-up"}
    results = pd.read_parquet(run_dir / "results.parquet")
    results.loc[results["cell"] == CELL, "value"] *= 0.5
    results.to_parquet(run_dir / "results.parquet")
    log_run(run_dir)
    names = [log.name for log in logs(run_dir)]
    assert len(names) == len(first) + 1
    assert names.count(CELL) == 2


def test_disabled_logs_nothing(one_cell: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_MODE", "disabled")
    log_run(one_cell)
    assert not (one_cell / "wandb").exists()


def test_a_failure_is_a_warning(tmp_path: Path) -> None:
    with pytest.warns(RuntimeWarning, match="Weights & Biases: nothing more was logged"):
        log_run(tmp_path / "no such run")


def test_a_failing_wandb_is_a_warning(one_cell: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**settings: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(tracking.wandb, "init", fail)
    with pytest.warns(RuntimeWarning, match="no space left"):
        log_run(one_cell)
    assert not (one_cell / "wandb" / "logged.json").exists()


def test_a_server_that_does_not_answer_is_a_warning(
    one_cell: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    init = tracking.wandb.init

    def unreachable(**settings: Any) -> Any:
        if settings["mode"] == "online":
            raise tracking.wandb.errors.CommError("timed out")
        return init(**settings)

    monkeypatch.setenv("WANDB_MODE", "online")
    monkeypatch.setattr(tracking.wandb, "login", lambda **_: True)
    monkeypatch.setattr(tracking.wandb, "init", unreachable)
    with pytest.warns(RuntimeWarning, match="so it logs offline: timed out"):
        log_run(one_cell)
    assert [log.name for log in logs(one_cell)] == [CELL]


def test_online_without_a_key_never_asks(one_cell: Path) -> None:
    """In a terminal, where a login prompt would wait for an answer for ever."""
    script = "import sys, pathlib, benchmarks.tracking as t; t.log_run(pathlib.Path(sys.argv[1]))"
    ours, theirs = pty.openpty()
    ended = subprocess.run(
        [sys.executable, "-c", script, str(one_cell)],
        env=os.environ | {"WANDB_MODE": "online"},
        stdin=theirs,
        stdout=theirs,
        stderr=subprocess.PIPE,
        timeout=300,
        text=True,
    )
    os.close(ours)
    os.close(theirs)
    assert ended.returncode == 0
    assert "no API key is configured, so it logs offline" in ended.stderr
    assert [log.name for log in logs(one_cell)] == [CELL]
