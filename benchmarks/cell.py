"""One cell: model x task x trigger x prompt style x seed x variant."""

from dataclasses import dataclass
from typing import Any

from benchmarks.provenance import claims_origin, probe_origin
from benchmarks.recipe import ModelSpec, Recipe, TaskSpec, Variant
from benchmarks.store import content_hash
from finetune.models import model_fingerprint

FORMAT = 7
"""Raised whenever what a cell's folder holds, or how it is computed, changes."""


@dataclass(frozen=True)
class Cell:
    """What one cell is made of."""

    recipe: Recipe
    model: ModelSpec
    task: TaskSpec
    seed: int
    variant: Variant

    @property
    def name(self) -> str:
        """The folder's name."""
        model = self.model.name.strip("/").replace("/", "--")
        parts = (model, self.task.label, self.recipe.trigger.kind, self.recipe.prompts)
        return ".".join([*parts, f"seed{self.seed}", self.variant])

    def columns(self) -> dict[str, Any]:
        """The columns that every figure of this cell carries."""
        return {
            "cell": self.name,
            "model": self.model.name,
            "task": self.task.label if self._shares_name() else self.task.name,
            "trigger": self.recipe.trigger.kind,
            "prompts": self.recipe.prompts,
            "seed": self.seed,
            "variant": self.variant,
        }

    def _shares_name(self) -> bool:
        return sum(task.name == self.task.name for task in self.recipe.tasks) > 1

    def digest(self) -> str:
        """A hash of all that determines the cell's content."""
        asked = self.recipe.model_dump(
            include={
                *("trigger", "prompts", "sites", "probes", "transfers", "layer_rules"),
                *("controls", "draws", "sizes", "dtype"),
                *(["renderings"] if self.recipe.renderings > 1 else []),
            },
            by_alias=True,
        )
        tuned = self.recipe.finetuning(self.model, self.task).model_dump()
        base = model_fingerprint(self.model.name, self.model.revision)
        code = [probe_origin(probe.make(self.seed)) for probe in self.recipe.probes]
        code.append(claims_code(self.recipe, self.task))
        made = [base, tuned, code, self.task.label, self.seed, self.variant]
        if self.recipe.reads_tokens():
            made.append(self.recipe.tokens.layers)
        loaded = self.loaded()
        if loaded != {"dtype": self.recipe.dtype}:
            made.append(loaded)
        if self.recipe.state_sites():
            made.append(self.recipe.projection.model_dump())
        return content_hash([FORMAT, asked, *made])

    def loaded(self) -> dict[str, Any]:
        """How the model is loaded and asked, as far as its states depend on it.

        On which devices its blocks lie is nothing to them.
        """
        return {
            "dtype": self.recipe.precision(self.model),
            **({"quantise": self.model.quantise} if self.model.quantise else {}),
            **({"chat": True} if self.recipe.chat else {}),
        }


def cells_of(recipe: Recipe) -> list[Cell]:
    """Return the cells of a recipe, those that need fine-tuning first."""
    return [
        Cell(recipe, model, task, seed, variant)
        for variant in sorted(recipe.variants, key=("quirky", "base").index)
        for model in recipe.models
        for task in recipe.tasks
        for seed in recipe.seeds
    ]


def claims_code(recipe: Recipe, task: TaskSpec) -> dict[str, str]:
    """Return what a task's claims and its triggers are made by, if not by this package alone."""
    trigger = claims_origin(recipe.trigger.make(), f"trigger {recipe.trigger.kind!r}")
    return {
        **claims_origin(task.make(), f"task {task.name!r}"),
        **{f"trigger {name}": value for name, value in trigger.items()},
    }
