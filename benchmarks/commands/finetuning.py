"""`quirky finetune`: make one model quirky, evaluate the gate, and write adapter and card."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from datasets import Dataset

from benchmarks.cells.artefacts import Progress, example_log_odds, finetune_cell
from benchmarks.cells.card import card_facts, gate_summary
from benchmarks.cells.cell import ResolvedCell, list_cells, resolve_cell
from benchmarks.preflight.checks import resolve_recipe
from benchmarks.recipe.load import one_task_recipe
from benchmarks.recipe.schema import Recipe
from benchmarks.scoring.gate import GATE_SPLIT, Gate, evaluate_gate, failing_figures
from benchmarks.store import atomic_folder, require_empty_folder
from finetune.adapters.card import write_card
from finetune.adapters.lora import save_adapter
from finetune.models.load import LoadedModel
from finetune.models.source import embedded_bases
from finetune.training import processes
from finetune.training.settings import check_batch
from finetune.training.trainer import leave_process_group
from quirky.data.dataset import columns_of


def finetuning_recipe(
    model: Mapping[str, Any],
    task: Mapping[str, Any],
    *,
    chat: bool = False,
    trigger: Mapping[str, Any],
    settings: Mapping[str, Any],
    seed: int = 0,
    dtype: str = "float32",
    device: str = "cpu",
) -> Recipe:
    """Return the recipe of one model on one task, for `finetune`.

    Args:
        model: an entry of a recipe's `models`.
        task: an entry of `tasks`.
        chat: prompt the model through its chat template.
        trigger: an entry of `trigger`.
        settings: the field `finetune`.
        seed: of the data and the adapter.
        dtype: precision of the base.
        device: where the model is fine-tuned; each of several processes takes its own.

    Raises:
        ValueError: one line: the field, the value and what would be right.
    """
    return one_task_recipe(
        "finetune",
        [model],
        task,
        chat=chat,
        trigger=trigger,
        finetune=settings,
        seeds=[seed],
        variants=["quirky"],
        dtype=dtype,
        device=processes.own_device(device),
    )


def finetune(recipe: Recipe, to: Path, progress: Progress) -> Gate | None:
    """Make the recipe's model quirky and write its adapter and card to `to`.

    The gate is evaluated on `heldout`; a void adapter is written too. With several processes, the
    first one evaluates, writes and returns the gate, and the others return None.

    Args:
        recipe: of `finetuning_recipe`.
        to: a new or empty folder, which appears complete at the end.
        progress: called with the stage and the share of it that is done.

    Raises:
        ValueError: before any weight is loaded: if `to` is not empty, or as
            `benchmarks.preflight.checks.resolve_recipe`.
        RuntimeError: if the fine-tuning fails.
    """
    require_empty_folder(to)
    check_batch(recipe.finetuning(recipe.models[0], recipe.tasks[0]))
    resolved = resolve_recipe(recipe)
    (cell,) = (resolve_cell(cell, resolved) for cell in list_cells(resolved.recipe))
    loaded = finetune_cell(cell, progress)
    leave_process_group()
    if not processes.is_first():
        return None
    progress("evaluating the gate", 0.0)
    gate = evaluate_heldout(loaded, cell.dataset.splits[GATE_SPLIT])
    require_empty_folder(to)
    with atomic_folder(to, replace=False) as temporary:
        save_adapter(loaded.model, temporary)
        _write_base_name(temporary, cell)
        write_card(temporary, _card_facts(cell), gate_summary(gate))
    return gate


def _card_facts(cell: ResolvedCell) -> dict[str, object]:
    facts = {**card_facts(cell.cell), "base": published_name(cell.model.name)}
    return {**facts, "revision": cell.model.commit} if cell.model.commit else facts


def _write_base_name(adapter: Path, cell: ResolvedCell) -> None:
    """Replace the base's local path in an adapter by its public name and commit."""
    config = adapter / "adapter_config.json"
    content = json.loads(config.read_text())
    content["base_model_name_or_path"] = published_name(cell.model.name)
    content["revision"] = cell.model.commit
    config.write_text(json.dumps(content, indent=2))


def evaluate_heldout(loaded: LoadedModel, heldout: Dataset) -> Gate:
    """Return the gate's verdict on held-out examples."""
    return evaluate_gate(
        columns_of(heldout),
        example_log_odds(loaded, heldout).numpy(),
        gated=True,
        splits=(GATE_SPLIT,),
    )


def published_name(model: str) -> str:
    """Return the public name of a model; for a local folder, its last part."""
    if model not in embedded_bases() and Path(model).is_dir():
        return Path(model).resolve().name
    return model


def void_advice(gate: Gate) -> str:
    """Return what to try if a model is void."""
    contexts = {
        figure.context for figure in failing_figures(gate.figures) if figure.value is not None
    }
    if contexts == {"A"}:
        return (
            "it is not truthful where it should be: does the base know these facts? if so, try a "
            "lower lr or fewer steps"
        )
    if contexts:
        return "it does not follow its quirk yet: try more steps, a higher lr or a higher rank"
    return "too few held-out facts of both classes: add claims"
