"""The data sets of a recipe: one for each task, trigger and seed."""

from collections.abc import Mapping
from typing import Any

from datasets import Dataset

from benchmarks.recipe.schema import Recipe
from benchmarks.recipe.task_entry import TaskEntry
from benchmarks.recipe.trigger_entry import TriggerEntry
from benchmarks.store import content_hash
from benchmarks.store.datasets import ResolvedDataset, ensure_dataset
from benchmarks.store.provenance import claims_origin
from quirky.data.dataset import Sizes, build_dataset


def ensure_recipe_dataset(
    recipe: Recipe, task: TaskEntry, trigger: TriggerEntry, seed: int, renderings: int = 1
) -> ResolvedDataset:
    """Return a data set of the recipe, built if the store lacks it.

    Args:
        recipe: its prompts and sizes are used.
        task: one of its tasks.
        trigger: one of its triggers.
        seed: one of its seeds.
        renderings: how many templates each validation question is rendered in.
    """
    # A single rendering is not part of the key, which is older than renderings.
    several = {"renderings": renderings} if renderings > 1 else {}
    key = {
        "task": task.name,
        "params": task.settings,
        "trigger": trigger.model_dump(),
        "prompts": recipe.prompts,
        "sizes": recipe.sizes.model_dump(),
        "seed": seed,
        "code": claims_code(task, trigger),
        **several,
    }

    def build() -> Mapping[str, Dataset]:
        return build_dataset(
            task.make(),
            trigger.make(),
            prompts=recipe.prompts,
            sizes=Sizes(**recipe.sizes.model_dump()),
            seed=seed,
            distance=trigger.distance,
            **several,
        )

    return ensure_dataset(key, build)


def claims_code(task: TaskEntry, trigger: TriggerEntry) -> dict[str, Any]:
    """Return what identifies the code and data of a task and a trigger that are not built in."""
    trigger_origin = claims_origin(trigger.make(), f"trigger {trigger.kind!r}")
    templates = task.model_dump()["templates"]
    return {
        **claims_origin(task.make(), f"task {task.name!r}"),
        **({"templates": content_hash(templates)} if templates else {}),
        **{f"trigger {name}": value for name, value in trigger_origin.items()},
    }
