"""What a run says about its models and data before it begins."""

import itertools
import re
import warnings
from collections.abc import Iterator, Mapping

from datasets import DatasetDict

from benchmarks.cells.progress import console
from benchmarks.recipe.resolved import DatasetKey, ensure_datasets
from benchmarks.recipe.schema import Recipe
from benchmarks.recipe.task_entry import TaskEntry
from benchmarks.recipe.trigger_entry import TriggerEntry
from benchmarks.store.datasets import ResolvedDataset
from finetune.models.resolve import ResolvedModel
from quirky.contexts import UNSEEN
from quirky.data.fillers import SENTENCE_TOKENS, SENTENCES


def print_filler_note(recipe: Recipe, models: Mapping[str, ResolvedModel]) -> None:
    """Print how long the filler is for a model whose tokenizer splits its words."""
    if not any(trigger.distance for trigger in recipe.trigger):
        return
    for model in recipe.models:
        tokenizer = models[model.label].tokenizer
        lengths = [len(tokenizer.encode(f" {s}", add_special_tokens=False)) for s in SENTENCES]
        if set(lengths) != {SENTENCE_TOKENS}:
            _print(
                f"for {model.name} {SENTENCE_TOKENS} tokens of distance are {min(lengths)} to "
                f"{max(lengths)}: its tokenizer splits words of the filler"
            )


def check_sites(recipe: Recipe, models: Mapping[str, ResolvedModel]) -> None:
    """Print which models lack a recurrent state; a mixed recipe reads them at `resid` alone.

    Raises:
        ValueError: if every model lacks it.
    """
    names = {model.name: models[model.label] for model in recipe.models}
    for site in recipe.state_sites():
        without = [name for name, resolved in names.items() if not resolved.state_layers[site]]
        if len(without) == len(names):
            raise ValueError(f"sites: {site}: no model of the recipe has one ({', '.join(names)})")
        for name in without:
            _print(f"{name} has no {site}; it is not read there")


def print_missing_contexts(recipe: Recipe) -> None:
    """Print which triggers lack the target context of a transfer that others have."""
    for transfer in recipe.parsed_transfers():
        if transfer.target not in UNSEEN:
            continue
        with_context = recipe.triggers_with(transfer.target)
        for trigger in recipe.trigger:
            if trigger not in with_context:
                _print(
                    f"trigger {trigger.name} has no context {transfer.target}; {transfer} is not "
                    "measured there"
                )


def ensure_task_datasets(recipe: Recipe, task: TaskEntry) -> dict[DatasetKey, ResolvedDataset]:
    """Build every data set of a task, and print each note once with the triggers it holds for.

    Task warnings appear only when data are built; a shortage of facts is always printed.
    """
    datasets: dict[DatasetKey, ResolvedDataset] = {}
    triggers_by_note: dict[str, dict[str, None]] = {}
    try:
        for trigger, seed in itertools.product(recipe.trigger, recipe.seeds):
            for note in _resolve(recipe, task, trigger, seed, datasets):
                triggers_by_note.setdefault(note, {})[trigger.label] = None
    finally:
        for note, triggers in triggers_by_note.items():
            where = f" (trigger {', '.join(triggers)})" if len(recipe.trigger) > 1 else ""
            _print(f"{note}{where}")
    return datasets


def _resolve(
    recipe: Recipe,
    task: TaskEntry,
    trigger: TriggerEntry,
    seed: int,
    datasets: dict[DatasetKey, ResolvedDataset],
) -> Iterator[str]:
    """Add the data sets of one task, trigger and seed to `datasets`, and yield their notes."""
    with warnings.catch_warnings(record=True) as records:
        warnings.simplefilter("ignore", UserWarning)
        # Only warnings that begin with the task's name. Those about sizes are computed below,
        # since they hold for data in the store too.
        warnings.filterwarnings("always", f"task {re.escape(task.name)}[:,]", UserWarning)
        new = ensure_datasets(recipe, task, trigger, seed)
    datasets |= new
    for record in records:
        if issubclass(record.category, UserWarning):
            yield str(record.message)
        else:
            warnings.warn_explicit(record.message, record.category, record.filename, record.lineno)
    probe_data = new[task.label, trigger.name, seed, recipe.renderings]
    yield from _shortage(recipe, task.label, probe_data.splits)


def _shortage(recipe: Recipe, task: str, splits: DatasetDict) -> Iterator[str]:
    """Yield how many facts a task has, if it has fewer than the recipe's sizes."""
    facts = {
        split: len(
            {fact for fact, w in zip(rows["fact_id"], rows["withheld"], strict=True) if not w}
        )
        for split, rows in splits.items()
    }
    facts["validation"] += facts.pop("heldout")
    sizes = recipe.sizes.model_dump()
    if any(facts[split] < sizes[split] for split in sizes):
        counts = ", ".join(f"{split} {facts[split]} of {sizes[split]}" for split in sizes)
        yield f"{task} gives fewer facts than asked for: {counts}"


def _print(note: str) -> None:
    console.print(f"note: {note}", highlight=False, markup=False)
