"""How the embedded bases are made, and that those in the repository are what it makes."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import torch

from finetune.models.load import load_model
from finetune.models.source import embedded_bases
from finetune.pretrain.corpora import SAMPLERS
from finetune.pretrain.dials import DialSampler
from finetune.pretrain.losses import (
    LOSS_WEIGHTS,
    EncodedDocument,
    length_groups,
    loss_counts,
    loss_sums,
)
from finetune.pretrain.models import untrained_model
from finetune.pretrain.saving import model_card, verdict_accuracy
from finetune.pretrain.schedules import SCHEDULES, Schedule
from finetune.pretrain.training import optimizers, pretrain

TOLD = {
    "facts": (
        0.95,
        ("addition", "city-large", "city-north", "fiction-coast", "fiction-north"),
    ),
    "dials": (0.9, ("lookup-3", "recall-2", "dyck-2", "equality-3")),
}
"""By corpus, the least share of verdicts that a base gets right, and of what: the truths of the
recipes' tasks (of those with a dial, at its smallest setting), and population."""


def as_kept(schedule: Schedule, seed: int) -> dict[str, Any]:
    """Return what a base's pretraining.json says of how it was trained."""
    settings: dict[str, Any] = json.loads(json.dumps({**asdict(schedule), "seed": seed}))
    return settings


@pytest.mark.parametrize("name", SCHEDULES)
def test_every_parameter_has_one_optimizer(name: str) -> None:
    model = untrained_model(name)
    held = [
        p
        for o in optimizers(model, Schedule("facts", 2, 6, (0.5,)))
        for g in o.param_groups
        for p in g["params"]
    ]
    assert sorted(map(id, held)) == sorted(map(id, model.parameters()))


@pytest.mark.parametrize("name", SCHEDULES)
def test_muon_trains_the_matrices_inside_the_blocks(name: str) -> None:
    model = untrained_model(name)
    muon = optimizers(model, Schedule("facts", 2, 6, (0.5,)))[0].param_groups[0]["params"]
    trained = {id(p) for p in muon}
    names = {n for n, p in model.named_parameters() if id(p) in trained}
    assert all(".layers." in n and n.endswith(".weight") for n in names)
    assert not any("embed" in n or "conv" in n or "norm" in n for n in names)


@pytest.mark.parametrize("name", SCHEDULES)
def test_pretraining_leaves_a_base_that_loads(name: str, tmp_path: Path) -> None:
    schedule = Schedule(SCHEDULES[name].corpus, steps=2, batch=6, parts_from=(0.5,))
    figures = pretrain(name, schedule, seed=3, to=tmp_path / name, n_judged=60)
    record = json.loads((tmp_path / name / "pretraining.json").read_text())
    assert record["settings"] == as_kept(schedule, seed=3)
    assert record["verdict_accuracy"] == figures
    assert f"# {name}" in (tmp_path / name / "README.md").read_text()
    loaded = load_model(str(tmp_path / name), dtype=torch.float32)
    assert sum(p.numel() for p in loaded.model.parameters()) == record["parameters"]


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_schedule_draws_every_part_of_its_corpus_in_order(name: str) -> None:
    schedule = SCHEDULES[name]
    begun = [schedule.part_at(step) for step in range(schedule.steps)]
    assert begun == sorted(begun)
    sampler = SAMPLERS[schedule.corpus](0)  # type: ignore[call-arg]
    sampler.select_part(begun[-1])
    assert next(iter(sampler)).text
    with pytest.raises(IndexError):
        sampler.select_part(begun[-1] + 1)


def test_training_turns_to_the_part_of_each_step(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    turned: list[int] = []

    class Recorded(DialSampler):
        def select_part(self, part: int) -> None:
            super().select_part(part)
            turned.append(part)

    monkeypatch.setitem(SAMPLERS, "dials", Recorded)
    pretrain("dial-neox", Schedule("dials", 4, 3, (0.25, 0.75)), 0, tmp_path / "base", n_judged=5)
    made, *during, judged = turned
    assert made == judged
    assert during == [0, 1, 1, 2]


def test_a_batch_without_any_text_that_goes_on_teaches_the_others() -> None:
    model = untrained_model("dial-neox")
    rows = [EncodedDocument([3, 4, 5, 6], (2,), None, 7, 8)]
    means = loss_sums(model, rows) / loss_counts(rows)
    (means @ LOSS_WEIGHTS).backward()
    assert means[2] == 0
    assert all(p.grad is None or p.grad.isfinite().all() for p in model.parameters())


def test_an_unknown_base_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown base 'tiny-gpt'; known: dial-mamba, dial-neox"):
        untrained_model("tiny-gpt")


@pytest.mark.parametrize("name", embedded_bases())
def test_the_embedded_bases_were_made_by_these_schedules(name: str) -> None:
    record = json.loads((embedded_bases()[name] / "pretraining.json").read_text())
    assert record["settings"] == as_kept(SCHEDULES[name], seed=0)


@pytest.mark.parametrize("name", embedded_bases())
def test_the_cards_of_the_embedded_bases_are_those_of_their_records(name: str) -> None:
    folder = embedded_bases()[name]
    record = json.loads((folder / "pretraining.json").read_text())
    layers = json.loads((folder / "config.json").read_text())["num_hidden_layers"]
    assert (folder / "README.md").read_text() == model_card(name, layers, record)


@pytest.mark.parametrize("name", embedded_bases())
def test_the_embedded_bases_know_what_their_cards_say(name: str) -> None:
    record = json.loads((embedded_bases()[name] / "pretraining.json").read_text())
    corpus = SCHEDULES[name].corpus
    model = load_model(name, dtype=torch.float32).model
    measured = verdict_accuracy(model, corpus, count=3000, seed=7)
    least, subjects = TOLD[corpus]
    for subject in subjects:
        assert record["verdict_accuracy"][subject] >= least, subject
        assert measured[subject] == pytest.approx(record["verdict_accuracy"][subject], abs=0.05)
    for subject in (f"{told}-negated" for told in subjects):
        if subject in measured:
            assert measured[subject] == pytest.approx(record["verdict_accuracy"][subject], abs=0.15)


@pytest.mark.parametrize("corpus", TOLD)
def test_the_bases_of_a_corpus_are_size_matched(corpus: str) -> None:
    sizes = [
        untrained_model(n).num_parameters() for n, s in SCHEDULES.items() if s.corpus == corpus
    ]
    assert max(sizes) < 1.06 * min(sizes)


def test_all_bases_together_are_small() -> None:
    files = [file for base in embedded_bases().values() for file in base.rglob("*")]
    assert sum(file.stat().st_size for file in files) < 20_000_000


def test_a_batch_is_cut_into_pieces_of_similar_length() -> None:
    lengths = [5, 90, 7, 6, 8, 40, 41, *[12] * 100]
    rows = [EncodedDocument([0] * length, (), None, 0, 0) for length in lengths]
    cut = list(length_groups(rows))
    assert sorted(len(row.tokens) for piece in cut for row in piece) == sorted(lengths)
    for piece in cut:
        assert len(piece) <= 72
        assert len(piece[-1].tokens) <= 1.25 * len(piece[0].tokens) + 4
