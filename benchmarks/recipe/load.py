"""Load a recipe by name, from a file or from a mapping."""

import re
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from benchmarks.recipe.overrides import apply_overrides
from benchmarks.recipe.schema import Recipe
from benchmarks.recipe.validation import first_problem
from quirky.plugins import unknown


class _Loader(yaml.SafeLoader):
    """Reads 1e-2 as a number, as YAML 1.2 does; YAML 1.1 makes it a string."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+$"),
    list("-+.0123456789"),
)


def list_recipes() -> list[str]:
    """Return the names of the recipes that come with the package."""
    folder = files("benchmarks.recipe") / "recipes"
    return sorted(item.name[:-5] for item in folder.iterdir() if item.name.endswith(".yaml"))


def load_recipe(source: str, overrides: Mapping[str, Any] | None = None) -> Recipe:
    """Return a recipe, with overrides in place of its own fields.

    A recipe that an override changes is named `<name>-<8 hex of its hash>`.

    Args:
        source: the name of a recipe that comes with the package, or the path of a YAML file.
        overrides: fields to replace; see `benchmarks.recipe.overrides.apply_overrides`.

    Raises:
        ValueError: one line: the field, the value and what would be right.
    """
    names = list_recipes()
    if source in names:
        text = (files("benchmarks.recipe") / "recipes" / f"{source}.yaml").read_text()
    elif Path(source).is_file():
        text = Path(source).read_text()
    else:
        raise unknown("recipe", source, [*names, "a path to a YAML file"])
    try:
        content = yaml.load(text, _Loader)
    except yaml.YAMLError as error:
        raise ValueError(f"recipe {source}: not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict):
        raise ValueError(f"recipe {source}: expected a mapping with a name, models, tasks, ...")
    recipe = validate_recipe(content, source)
    if not overrides:
        return recipe
    fields = {**content, **apply_overrides(recipe, overrides)}
    variation = validate_recipe(fields, source)
    if variation.digest() == recipe.digest():
        return recipe
    return variation.model_copy(update={"name": f"{variation.name}-{variation.digest()}"})


def validate_recipe(content: Mapping[str, Any], source: str = "") -> Recipe:
    """Return the recipe that a mapping describes.

    Raises:
        ValueError: one line: the recipe, the field, the value and what would be right.
    """
    try:
        return _validate(content)
    except ValueError as error:
        raise ValueError(f"recipe {source}: {error}") from error


def one_task_recipe(
    name: str,
    models: Sequence[str | Mapping[str, Any]],
    task: Mapping[str, Any],
    **content: Any,
) -> Recipe:
    """Return the recipe of a command that uses one task and fits no probe.

    Args:
        name: of the recipe.
        models: entries of `models`.
        task: the entry of `tasks`.
        content: further fields of a recipe.

    Raises:
        ValueError: one line: the field, the value and what would be right.
    """
    unused = {"probes": ["lr"], "transfers": ["A->B"]}  # required fields of a recipe
    return _validate({"name": name, "models": list(models), "tasks": [task], **content, **unused})


def _validate(content: Mapping[str, Any]) -> Recipe:
    try:
        return Recipe.model_validate(content)
    except ValidationError as error:
        raise ValueError(first_problem(error, Recipe)) from error
