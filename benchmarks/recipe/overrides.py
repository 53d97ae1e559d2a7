"""What is put in place of a recipe's own models, tasks and templates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from finetune.adapters.loading import adapter_base, is_adapter
from finetune.models.resolve import resolve_model
from quirky.tasks.base import found_by

if TYPE_CHECKING:
    from benchmarks.recipe.entries import TaskSpec
    from benchmarks.recipe.schema import Recipe


def apply_overrides(recipe: Recipe, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a recipe that changes stand for.

    A base or a task that is given by its name keeps the recipe's settings, if it is one of the
    recipe's; a task's name stands for all that have it. `templates` is a file for the one task.

    Raises:
        ValueError: if templates are given for several tasks.
    """
    fields = dict(changes)
    if "models" in changes:
        own = {
            model.name: model.model_dump() for model in recipe.models if not model.already_quirky
        }
        fields["models"] = [
            own.get(asked, asked)
            if isinstance(asked, str)
            else {**own.get(asked.get("name"), {}), **asked}
            for asked in changes["models"]
        ]
    if "tasks" in changes:
        fields["tasks"] = [task for asked in changes["tasks"] for task in _tasks(recipe, asked)]
    if "templates" in changes:
        file = fields.pop("templates")
        tasks = fields.get("tasks") or [task.model_dump() for task in recipe.tasks]
        if len(tasks) != 1:
            raise ValueError(
                f"templates {str(file)!r} are for one task, and {len(tasks)} are asked; choose one "
                "by --task, or name the file in the recipe's `tasks`"
            )
        (task,) = tasks
        task = {"name": task} if isinstance(task, str) else task
        fields["tasks"] = [{**task, "templates": file}]
    return fields


def _tasks(recipe: Recipe, asked: Any) -> list[Any]:
    if isinstance(asked, Mapping):  # other data in place of those of the same name
        own = [task for task in recipe.tasks if task.has_data and task.name == asked.get("name")]
        return [{**_kept(task, asked), **asked} for task in own] or [asked]
    own = [task for task in recipe.tasks if asked in (task.name, task.label)]
    return [task.model_dump() for task in own] or [asked]


def _kept(own: TaskSpec, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a recipe says of a task, less where its claims were from if others are asked."""
    other = own.task_class.data_parameters if "data" in asked else ()
    return {field: value for field, value in own.model_dump().items() if field not in other}


def models_of(
    bases: Sequence[str], adapters: Sequence[str], quirky_models: Sequence[str]
) -> list[str | dict[str, Any]]:
    """Return the models of a recipe that a command line names.

    Without adapters, `bases` are models to fine-tune. With adapters (a quirky model that turns
    out to be one is one), the base is the one that is given, or else what each says it is for.

    Raises:
        ValueError: one line, if there are adapters and several bases, or if the base that an
            adapter names cannot be used here.
    """
    brought = [*adapters, *(source for source in quirky_models if is_adapter(source))]
    whole = [{"name": x, "quirky": True} for x in quirky_models if x not in brought]
    if not brought:
        return [*bases, *whole]
    if len(bases) > 1:
        raise ValueError(
            f"--model: {len(bases)} bases ({', '.join(bases)}) for adapters; give the one that "
            "they were made for"
        )
    based = [{"name": bases[0]} if bases else _base_of(adapter) for adapter in brought]
    return [*({**b, "adapter": a} for b, a in zip(based, brought, strict=True)), *whole]


def _base_of(adapter: str | Path) -> dict[str, Any]:
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
