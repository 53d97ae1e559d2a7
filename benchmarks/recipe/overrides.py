"""Overrides: what the command line or a caller puts in place of a recipe's fields."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.recipe.schema import Recipe
from benchmarks.recipe.task_entry import TaskEntry
from finetune.adapters import adapter_base, is_adapter
from finetune.models import resolve_model


def apply_overrides(recipe: Recipe, overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a recipe that overrides replace.

    A model or task that is given by a name of the recipe keeps the recipe's settings; the name of a
    task stands for all of the recipe's tasks with that name.

    Args:
        recipe: what is overridden.
        overrides: fields as in a recipe, and `templates`: a file of templates for the only task.

    Raises:
        ValueError: if templates are given for several tasks.
    """
    fields = dict(overrides)
    if "models" in overrides:
        fields["models"] = _override_models(recipe, overrides["models"])
    if "tasks" in overrides:
        fields["tasks"] = [
            entry for task in overrides["tasks"] for entry in _override_task(recipe, task)
        ]
    if "templates" in overrides:
        templates = fields.pop("templates")
        tasks = fields.get("tasks") or [task.model_dump() for task in recipe.tasks]
        if len(tasks) != 1:
            raise ValueError(
                f"templates {str(templates)!r} are for one task, and there are {len(tasks)}; "
                "choose one by --task, or name the file in the recipe's `tasks`"
            )
        (task,) = tasks
        task = {"name": task} if isinstance(task, str) else task
        fields["tasks"] = [{**task, "templates": templates}]
    return fields


def _override_models(recipe: Recipe, models: Sequence[str | Mapping[str, Any]]) -> list[Any]:
    """Return entries of models; those of the recipe keep its settings."""
    own = {model.name: model.model_dump() for model in recipe.models if not model.already_quirky}
    return [
        own.get(model, model)
        if isinstance(model, str)
        else {**own.get(str(model.get("name")), {}), **model}
        for model in models
    ]


def _override_task(recipe: Recipe, task: str | Mapping[str, Any]) -> list[Any]:
    """Return the entries that a task's name, or an entry with other data, stands for."""
    if isinstance(task, Mapping):
        own = [entry for entry in recipe.tasks if entry.has_data and entry.name == task.get("name")]
        return [{**_settings_to_keep(entry, task), **task} for entry in own] or [task]
    own = [entry for entry in recipe.tasks if task in (entry.name, entry.label)]
    return [entry.model_dump() for entry in own] or [task]


def _settings_to_keep(entry: TaskEntry, override: Mapping[str, Any]) -> dict[str, Any]:
    """Return an entry's fields, without its data parameters if the override brings other data.

    Files of the rules stay: other data are judged by the same rules.
    """
    task = entry.task_class
    replaced = set(task.data_parameters) - set(task.rule_files) if "data" in override else set()
    return {field: value for field, value in entry.model_dump().items() if field not in replaced}


def model_entries(
    bases: Sequence[str], adapters: Sequence[str], quirky_models: Sequence[str]
) -> list[str | dict[str, Any]]:
    """Return the entries of `models` that a command line names.

    Args:
        bases: of `--model`. Without adapters they are fine-tuned; with adapters there is at most
            one, the base of all; by default each adapter's own.
        adapters: of `--adapter`.
        quirky_models: of `--quirky-model`. One that is an adapter is treated as such.

    Raises:
        ValueError: one line, if there are adapters and several bases, or if the base that an
            adapter names cannot be used here.
    """
    all_adapters = [*adapters, *(source for source in quirky_models if is_adapter(source))]
    whole = [{"name": name, "quirky": True} for name in quirky_models if name not in all_adapters]
    if not all_adapters:
        return [*bases, *whole]
    if len(bases) > 1:
        raise ValueError(
            f"--model: {len(bases)} bases ({', '.join(bases)}) for adapters; give the one that "
            "they were made for"
        )
    base_entries = [{"name": bases[0]} if bases else _base_entry(a) for a in all_adapters]
    adapted = [{**b, "adapter": a} for b, a in zip(base_entries, all_adapters, strict=True)]
    return [*adapted, *whole]


def _base_entry(adapter: str | Path) -> dict[str, Any]:
    """Return the entry of the base that an adapter's settings name."""
    name, revision = adapter_base(adapter)
    if not name:
        raise ValueError(f"adapter {str(adapter)!r} does not name its base; give it by --model")
    try:
        resolve_model(name, revision)
    except ValueError as error:
        raise ValueError(
            f"adapter {str(adapter)!r} was made for {name!r}, which cannot be used here: {error}; "
            "give the base by --model"
        ) from error
    return {"name": name, **({"revision": revision} if revision else {})}
