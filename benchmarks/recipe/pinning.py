"""Which bytes a run's models are: hub models held to one commit, weights known to be there and fit.

A task whose claims come from a data set of the hub is held to its commit likewise.

All of it is found out before anything runs.
"""

from pathlib import Path

import torch

from benchmarks.recipe.entries import ModelSpec
from benchmarks.recipe.schema import Recipe
from finetune.hub.checkpoints import (
    check_hub_weights,
    check_local_weights,
    check_memory,
    resolve_commit,
)
from finetune.models.load import load_skeleton, model_fingerprint, model_source


def pinned(recipe: Recipe) -> Recipe:
    """Return the recipe with the commit of every hub model or data set in place of branch or tag.

    Raises:
        ValueError: in one line, if one is unknown, gated, or cannot be reached.
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
        tasks.append(task.model_copy(update={"revision": commit}) if commit else task)
    return recipe.model_copy(update={"models": tuple(models), "tasks": tuple(tasks)})


def fingerprints(recipe: Recipe) -> dict[str, str]:
    """Return, by name, the commit of a hub model or the hash of a local one's files."""
    return {model.name: model_fingerprint(model.name, model.revision) for model in recipe.models}


def check_weights(recipe: Recipe) -> None:
    """Make sure that the weights of every model are there, and fit on disk and device.

    Raises:
        ValueError: in one line, with what is missing, or what is needed and what there is.
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
        skeleton = load_skeleton(model.name, model.revision)
        numbers = sum(parameter.numel() for parameter in skeleton.parameters())
        precision = f"{model.quantise} bits" if model.quantise else recipe.precision(model)
        needed = int(numbers * bytes_a_number(recipe, model))
        device = None if model.device_map else torch.device(recipe.device)
        check_memory(model.name, needed, precision, device)


def bytes_a_number(recipe: Recipe, model: ModelSpec) -> float:
    """Return how much of memory a model's weights take for each number, as they are loaded."""
    if model.quantise:
        return model.quantise / 8
    return getattr(torch, recipe.precision(model)).itemsize
