"""Recipes: the schema, its entries, loading, overrides, pinned revisions and data sets."""

from benchmarks.recipe.datasets import claims_code, ensure_recipe_dataset
from benchmarks.recipe.entries import ModelEntry, ProbeEntry
from benchmarks.recipe.load import list_recipes, load_recipe, one_task_recipe, validate_recipe
from benchmarks.recipe.overrides import apply_overrides, model_entries
from benchmarks.recipe.pinning import bytes_per_weight, check_weights, pin_recipe
from benchmarks.recipe.resolved import DatasetKey, ResolvedRecipe, ensure_datasets, resolve_models
from benchmarks.recipe.schema import READERS, Recipe, Variant
from benchmarks.recipe.task_entry import TaskEntry
from benchmarks.recipe.trigger_entry import TriggerEntry
from benchmarks.recipe.validation import first_problem

__all__ = [
    "READERS",
    "DatasetKey",
    "ModelEntry",
    "ProbeEntry",
    "Recipe",
    "ResolvedRecipe",
    "TaskEntry",
    "TriggerEntry",
    "Variant",
    "apply_overrides",
    "bytes_per_weight",
    "check_weights",
    "claims_code",
    "ensure_datasets",
    "ensure_recipe_dataset",
    "first_problem",
    "list_recipes",
    "load_recipe",
    "model_entries",
    "one_task_recipe",
    "pin_recipe",
    "resolve_models",
    "validate_recipe",
]
