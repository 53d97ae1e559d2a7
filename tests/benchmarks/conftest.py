import json
import math
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sharing_hub import Hub

from benchmarks import cli
from benchmarks.commands import sharing

MODELS = {"tiny-neox": 6, "tiny-mamba": 8}
TASKS = ("addition", "fiction")
PROBES = ("lr", "mean-diff", "ccs", "lr-on-pair", "mean-diff-on-pair", "random")
TRANSFERS = ("A->A", "A->B", "B->B", "B->A", "AE->AH", "AE->BH")
EXAMPLES = {"all": 1000, "disagree": 480, "agree": 520, "withheld": 600}
SLACK = {"lr": 0.0, "mean-diff": 0.04, "ccs": 0.08, "lr-on-pair": 0.01, "mean-diff-on-pair": 0.05}
OWN = {"all": 0.33, "disagree": 0.03, "agree": math.nan}


class RunFolder:
    """A small synthetic run: two models on two tasks, quirky and before fine-tuning.

    Args:
        path: the run folder.
        void: cells that failed the gate.
        peak: the highest AUROC of `lr` on disagreeing examples.
        triggers: labels with distances.
        unseen: the AUROC against the quirk in B2; None for triggers without that context.
        agreeing: the same on the examples where the quirk is the truth.
        leaky: tasks of which the text alone has an AUROC of .8.
    """

    def __init__(
        self,
        path: Path,
        void: tuple[str, ...],
        peak: float,
        triggers: tuple[tuple[str, int], ...] = (("name", 0),),
        unseen: float | None = None,
        agreeing: float | None = None,
        leaky: tuple[str, ...] = (),
    ) -> None:
        self.path = path
        self.void = void
        self.peak = peak
        self.triggers = triggers
        self.unseen = unseen
        self.agreeing = agreeing
        self.leaky = leaky
        self.transfers = (*TRANSFERS, *(("A->B2", "A->T") if unseen is not None else ()))

    def write(self) -> Path:
        """Write the folder as a run does."""
        cells = [
            {
                "cell": self._name(model, task, trigger, distance, variant),
                "model": model,
                "task": task,
                "trigger": trigger,
                "distance": distance,
                "prompts": "mixture",
                "seed": 0,
                "variant": variant,
            }
            for model in MODELS
            for task in TASKS
            for trigger, distance in self.triggers
            for variant in ("quirky", "base")
        ]
        self.path.mkdir(parents=True, exist_ok=True)
        (self.path / "manifest.json").write_text(json.dumps(_manifest(cells, self.transfers)))
        for cell in cells:
            folder = self.path / "cells" / cell["cell"]
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "gate.json").write_text(json.dumps(self._gate(cell)))
        results = pd.DataFrame([row for cell in cells for row in self._rows(cell)])
        results["layer"] = results["layer"].astype("Int64")
        results.to_parquet(self.path / "results.parquet")
        return self.path

    def _name(self, model: str, task: str, trigger: str, distance: int, variant: str) -> str:
        infix = f"{trigger}{distance}-" if len(self.triggers) > 1 else ""
        return f"{model}-{task}-{infix}{variant}"

    def _gate(self, cell: dict[str, Any]) -> dict[str, Any]:
        gated = cell["variant"] == "quirky"
        void = cell["cell"] in self.void
        liar = 0.61 if void else 0.97
        figures = []
        for split, n in (("heldout", 400), ("test", 1000)):
            values = [("A", "truth", "all", 0.99), ("B", "quirk", "all", liar if gated else 0.34)]
            values += [("B", "quirk", "disagree", liar if gated else 0.02)]
            values += [("B", "quirk", "disagree", liar if gated else 0.02, "share")]
            values += [("B", "quirk", "agree", None)]
            if self.unseen is not None:
                parts = {"all": self.unseen, "disagree": self.unseen, "agree": self.agreeing}
                values += [("B2", "quirk", part, value) for part, value in parts.items()]
                values += [("T", "truth", "all", 0.98)]
            for context, against, subset, value, *metric in values:
                low, high = (None, None) if value is None else _interval(value, n)
                figures.append(
                    {
                        "split": split,
                        "context": context,
                        "against": against,
                        "subset": subset,
                        "value": value,
                        "low": low,
                        "high": high,
                        "n": n,
                        "metric": metric[0] if metric else "auroc",
                    }
                )
        reason = "AUROC against the quirk in B on all is .61; should be at least .80"
        return {
            "cell": cell["cell"],
            "gated": gated,
            "passed": not void if gated else None,
            "reasons": [reason] if void else [],
            "figures": figures,
        }

    def _rows(self, cell: dict[str, Any]) -> Iterator[dict[str, Any]]:
        depth = MODELS[cell["model"]]
        subsets = ["all", "disagree", "agree"] + ["withheld"] * (cell["task"] == "fiction")
        for transfer in self.transfers:
            for subset in subsets:
                where = {"transfer": transfer, "subset": subset}
                for control in ("", "shuffled"):
                    for probe in PROBES if not control else ("lr",):
                        yield from self._probe_rows(cell, probe, control, depth, where)
                for reader in ("lm", "text"):
                    text = 0.8 if cell["task"] in self.leaky else 0.5
                    value = self._own(cell, transfer, subset) if reader == "lm" else text
                    rule = {"layer_rule": "none", "layer": None, "site": "none"}
                    yield _row(cell, value, where | rule | {"probe": reader, "control": ""})

    def _probe_rows(
        self, cell: dict[str, Any], probe: str, control: str, depth: int, where: dict[str, Any]
    ) -> Iterator[dict[str, Any]]:
        values = [self.value(cell, probe, control, depth, layer, **where) for layer in _up(depth)]
        common = where | {"probe": probe, "control": control, "site": "resid"}
        for layer, value in zip(_up(depth), values, strict=True):
            yield _row(cell, value, common | {"layer_rule": "each", "layer": layer})
        for rule, layer in (("eil", depth - 1), ("last", depth)):
            at_rule = common | {"layer_rule": rule, "layer": layer}
            yield _row(cell, values[layer - 1], at_rule)
            if where["transfer"] in ("A->B", "AE->BH") and where["subset"] == "all":
                hard = where["transfer"] == "AE->BH"
                gap = math.nan if hard else (values[layer - 1] - 0.33) / 0.66
                yield _row(cell, gap, at_rule | {"metric": "recovered_gap"})

    def value(
        self,
        cell: dict[str, Any],
        probe: str,
        control: str,
        depth: int,
        layer: int,
        transfer: str,
        subset: str,
    ) -> float:
        """Return a plausible AUROC: it rises with depth, and in B falls after the middle."""
        if subset == "agree" and cell["task"] == "addition":
            return math.nan
        if control or probe == "random" or subset == "withheld":
            return 0.5 + 0.02 * math.sin(3 * layer + len(probe))
        harder = 0.03 * (cell["task"] == "addition") + 0.05 * (cell["model"] == "tiny-mamba")
        truthful_auroc = 0.7 + 0.29 * min(1.0, 1.5 * layer / depth) - SLACK[probe] - harder / 4
        is_truthful = transfer[0] == "A" and transfer.endswith(("A", "AH", "T"))
        if is_truthful or cell["variant"] == "base":
            return truthful_auroc
        middle = depth // 2
        rising = 0.7 + (self.peak - 0.7) * layer / middle - SLACK[probe] - harder
        disagree = rising if layer <= middle else max(0.02, rising - 0.45 * (layer - middle))
        return disagree if subset == "disagree" else 0.33 + 0.66 * disagree

    def _own(self, cell: dict[str, Any], transfer: str, subset: str) -> float:
        if subset == "withheld":
            return 0.51
        if cell["variant"] == "base" or not transfer.endswith(("B", "BH", "B2")):
            return 0.99
        return OWN[subset]


def _up(depth: int) -> range:
    return range(1, depth + 1)


def _interval(value: float, n: int) -> tuple[float, float]:
    half = 1.96 * math.sqrt(max(value * (1 - value), 0.002) / n)
    return max(0.0, value - half), min(1.0, value + half)


def _row(cell: dict[str, Any], value: float, more: dict[str, Any]) -> dict[str, Any]:
    n = EXAMPLES[more["subset"]]
    low, high = _interval(value, n) if value == value else (math.nan, math.nan)
    figures = {"metric": "auroc", "value": value, "low": low, "high": high, "n": n}
    return cell | {"against": "truth", "dial": math.nan} | figures | more


def _manifest(cells: list[dict[str, Any]], transfers: tuple[str, ...]) -> dict[str, Any]:
    recipe = {
        "name": "made-up",
        "models": list(MODELS),
        "tasks": list(TASKS),
        "trigger": {"kind": "name"},
        "prompts": "mixture",
        "seeds": [0],
        "finetune": {"rank": 16, "lr": 4e-3, "steps": 1600, "batch": 128},
        "sites": ["resid"],
        "probes": list(PROBES),
        "transfers": list(transfers),
        "layer_rules": ["eil", "last"],
        "variants": ["quirky", "base"],
        "sizes": {"train": 8000, "validation": 2000, "test": 1000},
    }
    return {
        "name": "made-up",
        "recipe": recipe,
        "recipe_hash": "0123456789abcdef",
        "versions": {"python": "3.11.2", "torch": "2.13.0"},
        "git_commit": "1" * 40,
        "git_dirty": False,
        "plugins": {},
        "hardware": {"cpu": "2 cores", "memory": "8 GB"},
        "threads": 1,
        "seconds": 754.0,
        "cells": cells,
    }


@pytest.fixture
def make_run(tmp_path: Path) -> Callable[..., Path]:
    """Writes a synthetic run folder; the arguments are those of `RunFolder`."""

    def make(
        name: str = "made-up",
        void: tuple[str, ...] = ("tiny-mamba-addition-quirky",),
        peak: float = 0.91,
        **more: Any,
    ) -> Path:
        return RunFolder(tmp_path / name, void, peak, **more).write()

    return make


@pytest.fixture
def run_dir(make_run: Callable[..., Path]) -> Path:
    """Three quirky models that passed the gate, one that is void, fiction with withheld facts."""
    return make_run()


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Hub:
    """The hub that the commands share with."""
    hub = Hub()
    monkeypatch.setattr(sharing, "HfApi", hub)
    return hub


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Runs `quirky` with these arguments and returns its exit code."""

    def run(*arguments: str) -> int:
        monkeypatch.setattr(sys, "argv", ["quirky", *arguments])
        monkeypatch.setattr(cli.terminal.console, "width", 200, raising=False)
        with pytest.raises(SystemExit) as exit_:
            cli.main()
        return int(exit_.value.code or 0)

    return run
