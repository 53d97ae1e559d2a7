"""What a run says of its data before it begins: what they leave out, and what they lack."""

import itertools
import re
import warnings
from collections.abc import Iterator

from datasets import DatasetDict

from benchmarks.cells.artefacts import data_of, load_data
from benchmarks.cells.workers import console
from benchmarks.recipe.entries import TaskSpec
from benchmarks.recipe.schema import Recipe
from benchmarks.recipe.trigger_entry import TriggerSpec


def tell_data(recipe: Recipe) -> None:
    """Build every data set of a recipe, and say each thing once, with the triggers it holds for.

    Whatever a task warns of is told as its data are built, so not of data that are in the store;
    of which size they are is told always.
    """
    for task in recipe.tasks:
        said: dict[str, dict[str, None]] = {}
        try:
            for trigger, seed in itertools.product(recipe.trigger, recipe.seeds):
                for line in _lines(recipe, task, trigger, seed):
                    said.setdefault(line, {})[trigger.label] = None
        finally:
            for line, triggers in said.items():
                where = f" (trigger {', '.join(triggers)})" if len(recipe.trigger) > 1 else ""
                console.print(f"note: {line}{where}", highlight=False, markup=False)


def _lines(recipe: Recipe, task: TaskSpec, trigger: TriggerSpec, seed: int) -> Iterator[str]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("ignore", UserWarning)
        # Not those of sizes, "task NAME has ...": they are told from the data, built before or now.
        warnings.filterwarnings("always", f"task {re.escape(task.name)}[:,]", UserWarning)
        folder = data_of(recipe, task, trigger, seed)
    for warning in caught:
        if issubclass(warning.category, UserWarning):
            yield str(warning.message)
        else:
            warnings.warn_explicit(
                warning.message, warning.category, warning.filename, warning.lineno
            )
    yield from _shortage(recipe, task.label, load_data(folder))


def _shortage(recipe: Recipe, task: str, data: DatasetDict) -> Iterator[str]:
    """Yield how many facts a task gives, if it has fewer than were asked for."""
    known = {
        split: len(
            {fact for fact, w in zip(rows["fact_id"], rows["withheld"], strict=True) if not w}
        )
        for split, rows in data.items()
    }
    known["validation"] += known.pop("heldout")
    asked = recipe.sizes.model_dump()
    if any(known[split] < asked[split] for split in asked):
        given = ", ".join(f"{split} {known[split]} of {asked[split]}" for split in asked)
        yield f"{task} gives fewer facts than asked for: {given}"
