"""A recipe with its models and data sets, each resolved once before anything is computed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from benchmarks.recipe.datasets import ensure_recipe_dataset
from benchmarks.recipe.entries import ModelEntry
from benchmarks.recipe.schema import Recipe
from benchmarks.recipe.task_entry import TaskEntry
from benchmarks.recipe.trigger_entry import TriggerEntry
from benchmarks.store.datasets import ResolvedDataset
from finetune.models.resolve import ResolvedModel, resolve_model

DatasetKey = tuple[str, str, int, int]
"""Task label, trigger name, seed, renderings."""


@dataclass(frozen=True)
class ResolvedRecipe:
    """A recipe whose models are known to load and whose data sets are in the store.

    Attributes:
        recipe: its revisions are commits.
        models: by the label of the entry.
        datasets: by task label, trigger name, seed and number of renderings.
    """

    recipe: Recipe
    models: Mapping[str, ResolvedModel]
    datasets: Mapping[DatasetKey, ResolvedDataset]

    def model(self, model: ModelEntry) -> ResolvedModel:
        """Return the model of an entry."""
        return self.models[model.label]

    def dataset(self, task: TaskEntry, trigger: TriggerEntry, seed: int) -> ResolvedDataset:
        """Return the data set that models are read on."""
        return self.datasets[task.label, trigger.name, seed, self.recipe.renderings]

    def training_dataset(
        self, task: TaskEntry, trigger: TriggerEntry, seed: int
    ) -> ResolvedDataset:
        """Return the data set that models are fine-tuned on: one rendering of each question."""
        return self.datasets[task.label, trigger.name, seed, 1]


def resolve_models(recipe: Recipe, models: Iterable[ModelEntry]) -> dict[str, ResolvedModel]:
    """Resolve models of a recipe, by the label of their entry.

    Raises:
        ValueError: as `finetune.models.resolve_model`.
    """
    return {
        model.label: resolve_model(
            model.name, model.revision, chat=recipe.chat, quantise=model.quantise
        )
        for model in models
    }


def resolve_datasets(
    recipe: Recipe, task: TaskEntry, trigger: TriggerEntry, seed: int
) -> dict[DatasetKey, ResolvedDataset]:
    """Build the data sets of one task, trigger and seed, or find them in the store.

    Raises:
        ValueError: as `quirky.data.dataset.build_dataset`.
    """
    return {
        (task.label, trigger.name, seed, renderings): ensure_recipe_dataset(
            recipe, task, trigger, seed, renderings
        )
        for renderings in sorted({1, recipe.renderings})
    }
