"""The dry run: what it says is what a run would take, and it loads no weights to say it."""

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from datasets import Dataset
from huggingface_hub import constants
from torch.utils.flop_counter import FlopCounterMode
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedModel

from benchmarks import cli
from benchmarks.activations.residual import extract_residual
from benchmarks.preflight import needs
from benchmarks.preflight.needs import DataSize, ModelShape
from benchmarks.preflight.plan import CALL_SECONDS, Plan, plan_recipe
from benchmarks.preflight.plan_tables import summary_lines
from benchmarks.recipe.datasets import ensure_recipe_dataset
from benchmarks.recipe.load import load_recipe, validate_recipe
from benchmarks.recipe.schema import Recipe
from benchmarks.store.datasets import PROBE_SPLITS
from finetune.adapters.lora import add_lora
from finetune.models import load as models
from finetune.models.load import LoadedModel
from finetune.models.tokenizer import load_tokenizer
from finetune.pretrain.vocabulary import VOCABULARY
from finetune.training.settings import FinetuneSettings
from quirky.sources import hub

FAMILIES = ("gpt_neox", "mamba")


@pytest.fixture(autouse=True)
def no_weights(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Loading weights fails the test; the store is the test's own."""
    monkeypatch.setenv("QUIRKY_HOME", str(tmp_path / "home"))
    monkeypatch.delattr(models.AutoModelForCausalLM, "from_pretrained")


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """No hub, and a cache that is empty."""
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    hub.hub_answers.cache_clear()
    yield
    hub.hub_answers.cache_clear()


@pytest.fixture
def hollow(
    tmp_path: Path, random_base: Path, tiny_model: Callable[..., PreTrainedModel]
) -> dict[str, Path]:
    """By family, a folder with a config and a tokenizer and nothing else."""
    folders = {}
    for family in FAMILIES:
        folder = folders[family] = tmp_path / family
        folder.mkdir()
        for file in random_base.glob("*token*"):
            shutil.copy(file, folder)
        tiny_model(family, vocab_size=VOCABULARY).config.save_pretrained(folder)
    return folders


def small(hollow: dict[str, Path], **changes: Any) -> Recipe:
    content = {
        "name": "small",
        "models": [str(folder) for folder in hollow.values()],
        "tasks": [{"name": "addition", "digits": 2}],
        "finetune": {"rank": 2, "alpha": 2, "lr": 1e-3, "steps": 10, "batch": 8},
        "probes": ["lr", "random"],
        "transfers": ["A->A", "A->B"],
        "draws": 2,
        "sizes": {"train": 100, "validation": 200, "test": 200},
        "dtype": "bfloat16",
    }
    return validate_recipe({**content, **changes})


def model_of(folder: Path, dtype: torch.dtype) -> PreTrainedModel:
    torch.manual_seed(0)
    config = AutoConfig.from_pretrained(folder)
    return AutoModelForCausalLM.from_config(config).to(dtype).eval()


def test_the_dry_run_prints_every_cell_and_exits_with_0(
    hollow: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    recipe = small(hollow)
    content = recipe.model_dump(mode="json", by_alias=True)
    (tmp_path / "small.yaml").write_text(yaml.safe_dump(content))
    words = ["quirky", "run", str(tmp_path / "small.yaml"), "--dry-run", "--flops", "1e12"]
    monkeypatch.setattr(sys, "argv", words)
    monkeypatch.setattr(cli.terminal.console, "width", 300, raising=False)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert not ended.value.code
    shown = capsys.readouterr().out
    made = plan_recipe(recipe, 1e12)
    assert len(made.cells) == 4
    assert all(cell.name in shown for cell in made.cells)
    assert "4 cells: disk" in shown
    assert "time, an estimate" in shown
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("family", FAMILIES)
def test_the_states_take_the_disk_that_was_foretold(
    hollow: dict[str, Path], tmp_path: Path, family: str
) -> None:
    recipe = small(hollow)
    made = plan_recipe(recipe, 1e12)
    folder = str(hollow[family])
    loaded = LoadedModel(folder, model_of(hollow[family], torch.bfloat16), load_tokenizer(folder))
    examples = probe_examples(recipe)
    (tmp_path / "states").mkdir()
    extract_residual(loaded, examples, tmp_path / "states")
    real = sum(file.stat().st_size for file in (tmp_path / "states").iterdir())
    foretold = [need.states for cell, need in foretold_of(made).items() if family in cell]
    assert foretold == [pytest.approx(real, rel=0.05)] * 2


def probe_examples(recipe: Recipe) -> Dataset:
    dataset = ensure_recipe_dataset(recipe, recipe.tasks[0], recipe.trigger[0], 0)
    return dataset.examples(PROBE_SPLITS)


def foretold_of(made: Plan) -> dict[str, Any]:
    return {cell.name: made.needs[cell.name] for cell in made.cells}


@pytest.mark.parametrize("family", FAMILIES)
def test_the_sizes_are_those_of_the_model(hollow: dict[str, Path], family: str) -> None:
    shape = plan_recipe(small(hollow), 1e12).shapes[str(hollow[family])]
    model = model_of(hollow[family], torch.float32)
    assert shape.parameters == sum(p.numel() for p in model.parameters())
    assert (shape.blocks, shape.width) == (3, model.config.hidden_size)


def test_only_tuned_cells_pay_for_an_adapter(hollow: dict[str, Path]) -> None:
    recipe = small(hollow)
    made = foretold_of(plan_recipe(recipe, 1e12))
    for family, folder in hollow.items():
        quirky, base = (
            next(n for cell, n in made.items() if family in cell and cell.endswith(variant))
            for variant in ("quirky", "base")
        )
        settings = recipe.finetuning(recipe.models[0], recipe.tasks[0])
        adapted = add_lora(model_of(folder, torch.float32), settings.rank, settings.alpha)
        numbers = sum(p.numel() for p in adapted.parameters() if p.requires_grad)
        assert quirky.disk - base.disk == 4 * numbers
        assert quirky.flops > base.flops
        assert quirky.device >= base.device


def test_token_states_are_counted_where_a_probe_reads_them(hollow: dict[str, Path]) -> None:
    made = plan_recipe(small(hollow), 1e12)
    plain, width = foretold_of(made), made.shapes[str(hollow["gpt_neox"])].width
    probes = ["lr", "random", {"name": "attention", "evaluations": 5}]
    recipe = small(hollow, probes=probes, tokens={"layers": 2})
    reading = foretold_of(plan_recipe(recipe, 1e12))
    examples = probe_examples(recipe)
    tokenizer = load_tokenizer(str(hollow["gpt_neox"]))
    tokens = sum(len(ids) for ids in tokenizer(list(examples["prompt"]))["input_ids"])
    name = next(name for name in plain if "gpt_neox" in name and name.endswith("base"))
    assert reading[name].disk - plain[name].disk > tokens * 2 * width * 2
    assert reading[name].states == plain[name].states


def test_recurrent_states_are_counted_where_the_model_has_them(hollow: dict[str, Path]) -> None:
    sites = ["resid", "ssm_state"]
    projection = {"size": 8, "seed": 0}
    plain, with_states = (
        plan_recipe(small(hollow, **more), 1e12)
        for more in ({}, {"sites": sites, "projection": projection})
    )
    cells = [cell.name for cell in plain.cells if cell.variant == "base"]
    more = {name: with_states.needs[name].disk - plain.needs[name].disk for name in cells}
    examples = 2 * 400  # validation, heldout and test, in both contexts
    transformer, recurrent = (next(more[n] for n in cells if f in n) for f in FAMILIES)
    assert transformer == 0
    assert recurrent > 3 * examples * 8 * 4


@pytest.mark.parametrize("family", FAMILIES)
def test_operations_are_those_that_torch_counts(
    hollow: dict[str, Path], monkeypatch: pytest.MonkeyPatch, family: str
) -> None:
    """Attention's products of positions and the scan, which grow otherwise, are small here."""
    model = model_of(hollow[family], torch.float32)
    shape, length = ModelShape.of(model), 12
    size = DataSize(tokens=length, longest=length, examples=1, scored=1, token_states=0)
    monkeypatch.setattr(needs, "VALIDATED", 0)
    settings = FinetuneSettings(rank=1, steps=2, batch=3)
    ids = torch.zeros(3, length, dtype=torch.long)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(input_ids=ids, use_cache=False, logits_to_keep=1)
    forward = counter.get_total_flops() / 3
    assert needs._flops(shape, None, size, 0, passes=2) / 2 == pytest.approx(forward, rel=0.2)
    adapted = add_lora(model, 1, 1).train()
    with FlopCounterMode(display=False) as counter:
        adapted(input_ids=ids, use_cache=False, logits_to_keep=1).logits.sum().backward()
    tuned = needs._flops(shape, settings, size, 0, passes=2) - 2 * forward
    assert tuned == pytest.approx(2 * counter.get_total_flops(), rel=0.3)


def test_a_hub_model_that_cannot_be_reached_is_a_line_and_the_others_stand(
    hollow: dict[str, Path], offline: None
) -> None:
    names = ["nobody/nothing", *(str(folder) for folder in hollow.values())]
    made = plan_recipe(small(hollow, models=names), 1e12)
    assert len(made.cells) == 6
    assert {cell.model.name for cell in made.cells if cell.name not in made.needs} == {names[0]}
    (line,) = (line for line in summary_lines(made) if "nobody/nothing" in line)
    assert line.startswith("? ")
    assert "HF_HUB_OFFLINE" in line
    assert any("4 of 6 cells: disk" in line for line in summary_lines(made))


def test_the_recipe_of_real_models_holds_on_its_tasks(hollow: dict[str, Path]) -> None:
    made = plan_recipe(load_recipe("pythia-mamba", {"models": [str(hollow["mamba"])]}), 1e12)
    assert len(made.needs) == len(made.cells) == 6


def test_the_recipe_of_real_models_is_planned_without_a_hub_or_a_gpu(offline: None) -> None:
    made = plan_recipe(load_recipe("pythia-mamba"))
    assert len(made.cells) == 60
    assert len(made.unreachable) == 10
    assert len(summary_lines(made)) == 11


def test_time_follows_the_rate_and_is_unknown_without_one(hollow: dict[str, Path]) -> None:
    slow, fast = (plan_recipe(small(hollow), flops) for flops in (1e12, 2e12))
    for cell in slow.cells:
        need = slow.needs[cell.name]
        calls = need.calls * CALL_SECONDS
        assert slow.seconds(need) - calls == pytest.approx(2 * (fast.seconds(need) - calls))
        assert slow.seconds(need) > calls > 0
    absent = plan_recipe(small(hollow, device="cuda:99"))
    assert absent.rate is None
    assert absent.seconds(need) is None
    assert "--flops" in summary_lines(absent)[-1]


def test_the_rate_of_a_device_that_is_there_is_measured(hollow: dict[str, Path]) -> None:
    made = plan_recipe(small(hollow, dtype="float32"))
    assert made.rate is not None
    assert made.rate > 1e8
    assert "measured on cpu" in summary_lines(made)[-1]
