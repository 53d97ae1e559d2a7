"""How the embedded bases are made, and that those in the repository are what it makes."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest
import torch

from finetune.models import embedded_bases, load_model
from finetune.pretrain import SCHEDULES, Schedule, build, optimizers, pretrain, verdict_accuracy

TOLD = ("addition", "city-large", "city-north", "fiction-coast", "fiction-north")
"""What each base must know of: the truths of the recipe's tasks, and population."""
LEAST = 0.95
"""The verdicts a base gets right, at least."""


@pytest.mark.parametrize("name", SCHEDULES)
def test_every_parameter_has_one_optimizer(name: str) -> None:
    model = build(name)
    held = [
        p
        for o in optimizers(model, Schedule(2, 6, 0.5))
        for g in o.param_groups
        for p in g["params"]
    ]
    assert sorted(map(id, held)) == sorted(map(id, model.parameters()))


@pytest.mark.parametrize("name", SCHEDULES)
def test_muon_trains_the_matrices_inside_the_blocks(name: str) -> None:
    model = build(name)
    muon = optimizers(model, Schedule(2, 6, 0.5))[0].param_groups[0]["params"]
    trained = {id(p) for p in muon}
    names = {n for n, p in model.named_parameters() if id(p) in trained}
    assert all(".layers." in n and n.endswith(".weight") for n in names)
    assert not any("embed" in n or "conv" in n or "norm" in n for n in names)


@pytest.mark.parametrize("name", SCHEDULES)
def test_pretraining_leaves_a_base_that_loads(name: str, tmp_path: Path) -> None:
    schedule = Schedule(steps=2, batch=6, later_from=0.5)
    figures = pretrain(name, schedule, seed=3, to=tmp_path / name, judged=60)
    record = json.loads((tmp_path / name / "pretraining.json").read_text())
    assert record["settings"] == {**asdict(schedule), "seed": 3}
    assert record["verdict_accuracy"] == figures
    assert f"# {name}" in (tmp_path / name / "README.md").read_text()
    loaded = load_model(str(tmp_path / name), dtype=torch.float32)
    assert sum(p.numel() for p in loaded.model.parameters()) == record["parameters"]


def test_an_unknown_base_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown base 'tiny-gpt'; known: tiny-mamba, tiny-neox"):
        build("tiny-gpt")


@pytest.mark.parametrize("name", SCHEDULES)
def test_the_embedded_bases_were_made_by_these_schedules(name: str) -> None:
    record = json.loads((embedded_bases()[name] / "pretraining.json").read_text())
    assert record["settings"] == {**asdict(SCHEDULES[name]), "seed": 0}


@pytest.mark.parametrize("name", SCHEDULES)
def test_the_embedded_bases_know_what_their_cards_say(name: str) -> None:
    record = json.loads((embedded_bases()[name] / "pretraining.json").read_text())
    model = load_model(name, dtype=torch.float32).model
    measured = verdict_accuracy(model, count=3000, seed=7)
    for subject in TOLD:
        assert record["verdict_accuracy"][subject] >= LEAST, subject
        assert measured[subject] == pytest.approx(record["verdict_accuracy"][subject], abs=0.04)


def test_the_bases_are_size_matched() -> None:
    sizes = [build(name).num_parameters() for name in SCHEDULES]
    assert max(sizes) < 1.06 * min(sizes)


def test_both_bases_together_are_small() -> None:
    files = [file for base in embedded_bases().values() for file in base.rglob("*")]
    assert sum(file.stat().st_size for file in files) < 10_000_000
