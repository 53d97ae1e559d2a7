"""Everything that can be checked before a weight is loaded, and what it resolves."""

import itertools
from collections.abc import Mapping

import numpy as np
import torch

from benchmarks.activations import check_budget
from benchmarks.cells.cell import list_cells
from benchmarks.cells.progress import quiet_libraries
from benchmarks.preflight import notes
from benchmarks.recipe.entries import ModelEntry
from benchmarks.recipe.pinning import check_weights, pin_recipe
from benchmarks.recipe.resolved import DatasetKey, ResolvedRecipe, resolve_models
from benchmarks.recipe.schema import Recipe
from benchmarks.recipe.task_entry import TaskEntry
from benchmarks.scoring.fits import measured_transfers
from benchmarks.scoring.gate import check_gate_data
from benchmarks.store.datasets import FIT_SPLIT, Columns, ResolvedDataset
from finetune.adapters.loading import check_adapter_fits
from finetune.adapters.lora import check_targets
from finetune.architectures.lora_targets import default_targets
from finetune.models.resolve import ResolvedModel
from finetune.prompting.answers import check_answers
from finetune.training import processes
from probes import list_probes
from quirky.contexts import BY_DIFFICULTY, in_context

MIN_CLASS_EXAMPLES = 8
"""A probe is fitted on at least this many examples of each class."""


def resolve_recipe(recipe: Recipe) -> ResolvedRecipe:
    """Check a recipe, and resolve its models and data sets.

    Models are built on the meta device, without weights; data sets that the store lacks are built.

    Raises:
        ValueError: one line: what is wrong and what would be right.
    """
    quiet_libraries()
    check_device(recipe.device)
    list_cells(recipe)
    recipe = pin_recipe(recipe)
    models = resolve_models(recipe, recipe.models)
    check_weights(recipe, models)
    return resolve_models_and_data(recipe, models)


def resolve_models_and_data(recipe: Recipe, models: Mapping[str, ResolvedModel]) -> ResolvedRecipe:
    """Check what needs neither weights nor the recipe's device, and build the data sets.

    Args:
        recipe: with pinned revisions.
        models: its models, by the label of their entry.

    Raises:
        ValueError: one line: what is wrong and what would be right.
    """
    list_probes()  # imports every installed plug-in, and warns about broken ones
    for model in recipe.models:
        _check_model(recipe, model, models[model.label])
    notes.print_filler_note(recipe, models)
    notes.check_sites(recipe, models)
    notes.print_missing_contexts(recipe)
    datasets: dict[DatasetKey, ResolvedDataset] = {}
    for task in recipe.tasks:
        datasets |= notes.ensure_task_datasets(recipe, task)
    resolved = ResolvedRecipe(recipe, models, datasets)
    for task in recipe.tasks:
        for trigger, seed in itertools.product(recipe.trigger, recipe.seeds):
            _check_data(resolved, task, resolved.dataset(task, trigger, seed))
    return resolved


def check_device(name: str) -> None:
    """Check that a device exists.

    Raises:
        ValueError: if not, with the devices that exist.
    """
    try:
        device = torch.device(name)
    except RuntimeError:
        raise ValueError(f"device {name!r}: write cpu or cuda") from None
    count = torch.cuda.device_count()
    if device.type == "cuda" and (device.index or 0) >= count:
        raise ValueError(f"device {name!r}: this machine has {count} CUDA devices that torch sees")
    if device.index and processes.count() == 1:  # fine-tuning uses the first visible device
        raise ValueError(
            f"device {name!r}: write cuda, and choose the device by "
            f"CUDA_VISIBLE_DEVICES={device.index}"
        )


def check_contexts(columns: Columns, recipe: Recipe, task: str) -> None:
    """Check that every transfer has both classes to fit on, to choose a layer by and to score.

    A transfer to a context that the trigger lacks is not measured and not checked.

    Raises:
        ValueError: naming the transfer, the split and the missing class, or a context that needs a
            difficulty which the claims lack.
    """
    unranked = bool(np.isnan(columns["difficulty_quantile"].astype(float)).all())
    for transfer in measured_transfers(recipe, set(columns["context"])):
        ranked = {transfer.source, transfer.target} & BY_DIFFICULTY
        if unranked and ranked:
            raise ValueError(
                f"task {task}, transfer {transfer}: its claims have no difficulty, which "
                f"{', '.join(sorted(ranked))} need; add a column `difficulty` to the table, or "
                "remove the transfer from the recipe"
            )
        for split, context, column, minimum in (
            (FIT_SPLIT, transfer.source, "label", MIN_CLASS_EXAMPLES),
            ("heldout", transfer.source, "label", 2),
            ("test", transfer.target, "truth", 2),
        ):
            inside = (columns["split"] == split) & in_context(columns, context)
            inside &= ~columns["withheld"]
            for value in (False, True):
                count = int((columns[column][inside] == value).sum())
                if count < minimum:
                    raise ValueError(
                        f"task {task}, transfer {transfer}: split {split} has {count} examples of "
                        f"context {context} with {column} {value}, at least {minimum} are needed; "
                        f"raise `sizes.{'test' if split == 'test' else 'validation'}`, or add "
                        "claims"
                    )


def _check_model(recipe: Recipe, model: ModelEntry, resolved: ResolvedModel) -> None:
    """Check the adapter that a model brings, or what fine-tuning would adapt."""
    if model.adapter is not None:
        check_adapter_fits(resolved.build_skeleton(), model.adapter)
    if not model.already_quirky:
        default_targets(resolved.skeleton)
        for task in recipe.tasks:
            check_targets(resolved.skeleton, recipe.finetuning(model, task).targets)


def _check_data(resolved: ResolvedRecipe, task: TaskEntry, dataset: ResolvedDataset) -> None:
    """Check one data set against the recipe and every model's tokenizer."""
    recipe, columns = resolved.recipe, dataset.probe_columns
    check_contexts(columns, recipe, task.label)
    if "quirky" in recipe.variants:
        check_gate_data(columns, task.label)
    prompts = [prompt for rows in dataset.splits.values() for prompt in rows["prompt"]]
    choices = [(no, yes) for rows in dataset.splits.values() for no, yes in rows["choices"]]
    for model in recipe.models:
        resolved_model = resolved.model(model)
        check_answers(resolved_model.prompt_encoder, prompts, choices)
        if recipe.reads_tokens():
            _check_token_budget(recipe, model, resolved_model, task, columns)


def _check_token_budget(
    recipe: Recipe, model: ModelEntry, resolved: ResolvedModel, task: TaskEntry, columns: Columns
) -> None:
    prompts, dtype = columns["prompt"].tolist(), getattr(torch, recipe.precision(model))
    try:
        check_budget(recipe.tokens, resolved.skeleton, resolved.prompt_encoder, prompts, dtype)
    except ValueError as error:
        raise ValueError(f"{model.name} on {task.label}: {error}") from error
