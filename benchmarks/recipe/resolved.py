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
        """Return the data set for fine-tuning: one rendering of each question.

        Raises:
            KeyError: if the recipe fine-tunes nothing and has several renderings.
        """
        return self.datasets[task.label, trigger.name, seed, 1]


def resolve_models(recipe: Recipe, models: Iterable[ModelEntry]) -> dict[str, ResolvedModel]:
    """Resolve each base of some models once, and return the models by the label of their entry.

    Raises:
        ValueError: as `finetune.models.resolve_model`.
    """
    models = tuple(models)
    bases = {(m.name, m.revision, m.quantise) for m in models}
    resolved = {
        (name, revision, quantise): resolve_model(
            name, revision, chat=recipe.chat, quantise=quantise
        )
        for name, revision, quantise in sorted(bases, key=str)
    }
    return {m.label: resolved[m.name, m.revision, m.quantise] for m in models}


def ensure_datasets(
    recipe: Recipe, task: TaskEntry, trigger: TriggerEntry, seed: int
) -> dict[DatasetKey, ResolvedDataset]:
    """Return the data sets of one task, trigger and seed, built if the store lacks them.

    Raises:
        ValueError: as `quirky.data.dataset.build_dataset`.
    """
    return {
        (task.label, trigger.name, seed, renderings): ensure_recipe_dataset(
            recipe, task, trigger, seed, renderings
        )
        for renderings in sorted({recipe.renderings, *([1] if recipe.finetunes() else [])})
    }
