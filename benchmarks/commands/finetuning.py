"""One model made quirky, judged on held-out facts and written to a folder with its card."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from datasets import Dataset

from benchmarks.cells.artefacts import Progress, data_of, load_data, tuned
from benchmarks.cells.cell import Cell
from benchmarks.cells.compute import behaviour, card_facts
from benchmarks.recipe.pinning import pinned
from benchmarks.recipe.schema import one_task_recipe
from benchmarks.run import check
from benchmarks.scoring.gate import DECIDES, REQUIRED, THRESHOLD, Gate, evaluate_gate
from benchmarks.store.artefacts import require_room, written_whole
from finetune.adapters.lora import save_adapter, write_card
from finetune.models.load import LoadedModel, embedded_bases
from finetune.reading.residual import log_odds
from finetune.training import processes
from finetune.training.settings import check_batch
from finetune.training.trainer import leave_process_group
from quirky.dataset import columns_of


def cell_to_tune(
    model: Mapping[str, Any],
    task: Mapping[str, Any],
    *,
    chat: bool = False,
    trigger: Mapping[str, Any],
    settings: Mapping[str, Any],
    seed: int = 0,
    dtype: str = "float32",
    device: str = "cpu",
) -> Cell:
    """Return the cell of one model on one task, for `finetune`.

    `model`, `task` and `trigger` are written as in a recipe, `settings` as its `finetune`.

    Raises:
        ValueError: in one line: which field, which value, and what would be right.
    """
    recipe = one_task_recipe(
        "finetune",
        [model],
        task,
        chat=chat,
        trigger=trigger,
        finetune=settings,
        seeds=[seed],
        dtype=dtype,
        device=processes.own_device(device),
    )
    recipe = pinned(recipe)
    return Cell(recipe, recipe.models[0], recipe.tasks[0], recipe.trigger[0], seed, "quirky")


def finetune(cell: Cell, to: Path, progress: Progress) -> Gate | None:
    """Make the cell's model quirky and write its adapter and card to `to`, which appears whole.

    The gate is judged on `heldout`; a void adapter is written too. Of several processes the first
    one judges, writes, and returns the gate; the others return None.

    Raises:
        ValueError: before any model is loaded: `to` holds something, or as `benchmarks.run.check`.
        RuntimeError: if the fine-tuning fails.
    """
    require_room(to)
    check_batch(cell.recipe.finetuning(cell.model, cell.task))
    check(cell.recipe)
    data = load_data(data_of(cell.recipe, cell.task, cell.trigger, cell.seed))
    made = tuned(cell, data, progress)
    leave_process_group()
    if not processes.is_first():
        return None
    progress("judging", 0.0)
    gate = judge_heldout(made, data[DECIDES])
    name = published_name(cell.model.name)
    require_room(to)
    with written_whole(to, replace=False) as temporary:
        save_adapter(made.model, temporary)
        _name_base(temporary, name, cell.model.revision)
        facts = {**card_facts(cell), "base": name}
        if cell.model.revision:
            facts["revision"] = cell.model.revision
        write_card(temporary, facts, behaviour(gate))
    return gate


def _name_base(adapter: Path, name: str, revision: str | None) -> None:
    """Write the base's name and commit into an adapter, in place of where the base lies here."""
    config = adapter / "adapter_config.json"
    content = {**json.loads(config.read_text()), "base_model_name_or_path": name}
    content["revision"] = revision
    config.write_text(json.dumps(content, indent=2))


def judge_heldout(made: LoadedModel, held: Dataset) -> Gate:
    """Return the gate's verdict on held-out examples."""
    choices = [(false, true) for false, true in held["choices"]]
    said = log_odds(made.model, made.tokenizer, list(held["prompt"]), choices)
    return evaluate_gate(columns_of(held), said.numpy(), gated=True, splits=(DECIDES,))


def published_name(model: str) -> str:
    """Return the name by which others know a model; of a local folder, its last part."""
    if model not in embedded_bases() and Path(model).is_dir():
        return Path(model).resolve().name
    return model


def advice(gate: Gate) -> str:
    """Return what to try where a model is void."""
    below = {
        figure.context
        for figure in gate.figures
        if figure.question in REQUIRED and figure.value is not None and figure.value < THRESHOLD
    }
    if below == {"A"}:
        return (
            "it is not truthful where it should be: does the base know these facts at all? if so, "
            "try a lower lr or fewer steps"
        )
    if below:
        return "it does not follow its quirk yet: try more steps, a higher lr or a higher rank"
    return "too few held-out facts of both classes: bring more claims"
