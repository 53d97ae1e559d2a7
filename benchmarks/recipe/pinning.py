"""Pin hub models and data sets to commits, and check that weights exist and fit."""

from collections.abc import Mapping
from pathlib import Path

import torch

from benchmarks.recipe.entries import ModelEntry
from benchmarks.recipe.schema import Recipe
from finetune.hub.checkpoints import check_hub_weights, check_local_weights, resolve_commit
from finetune.hub.resources import check_memory
from finetune.models.resolve import ResolvedModel
from finetune.models.source import model_source


def pin_recipe(recipe: Recipe) -> Recipe:
    """Return the recipe with commits as the revisions of its hub models and data sets.

    Raises:
        ValueError: one line, if one is unknown, gated, or cannot be reached or pinned.
    """
    models = []
    for model in recipe.models:
        source = model_source(model.name)
        if isinstance(source, str):
            model = model.model_copy(update={"revision": resolve_commit(source, model.revision)})
        models.append(model)
    tasks = []
    for task in recipe.tasks:
        commit = task.make().hub_commit()
        if commit:
            task.check_pinnable()
        tasks.append(task.model_copy(update={"revision": commit}) if commit else task)
    return recipe.model_copy(update={"models": tuple(models), "tasks": tuple(tasks)})


def check_weights(recipe: Recipe, models: Mapping[str, ResolvedModel]) -> None:
    """Check that the weights of every model exist and fit on disk and device.

    Args:
        recipe: its models, precision and device are checked.
        models: the resolved models, by the label of their entry.

    Raises:
        ValueError: one line, with what is missing, or what is needed and what there is.
    """
    hub = []
    for model in recipe.models:
        source = model_source(model.name)
        if isinstance(source, Path):
            check_local_weights(model.name, source)
        else:
            hub.append((source, model.revision))
    check_hub_weights(hub)
    for model in recipe.models:
        numbers = models[model.label].parameter_count
        precision = f"{model.quantise} bits" if model.quantise else recipe.precision(model)
        needed = int(numbers * bytes_per_weight(recipe, model))
        device = None if model.device_map else torch.device(recipe.device)
        check_memory(model.name, needed, precision, device)


def bytes_per_weight(recipe: Recipe, model: ModelEntry) -> float:
    """Return the bytes that each weight of a model takes in memory, as it is loaded."""
    if model.quantise:
        return model.quantise / 8
    return getattr(torch, recipe.precision(model)).itemsize
