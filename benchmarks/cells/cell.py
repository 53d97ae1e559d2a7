"""One cell: model x task x trigger x prompt style x seed x variant."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from benchmarks.recipe.entries import ModelSpec, TaskSpec
from benchmarks.recipe.schema import Recipe, Variant
from benchmarks.recipe.trigger_entry import TriggerSpec
from benchmarks.store.artefacts import content_hash
from benchmarks.store.provenance import claims_origin, probe_origin
from finetune.models.fingerprint import adapter_fingerprint, model_fingerprint

FORMAT = 11
"""Raised whenever what a cell's folder holds, or how it is computed, changes."""
LONGEST_NAME = 230
"""Bytes; file systems allow 255, and a folder that is being written has a longer name."""


@dataclass(frozen=True)
class Cell:
    """What one cell is made of."""

    recipe: Recipe
    model: ModelSpec
    task: TaskSpec
    trigger: TriggerSpec
    seed: int
    variant: Variant

    @property
    def name(self) -> str:
        """The folder's name."""
        model = self.model.label.strip("/").replace("/", "--")
        parts = (model, self.task.label, self.trigger.name, self.recipe.prompts)
        return ".".join([*parts, f"seed{self.seed}", self.variant])

    def columns(self) -> dict[str, Any]:
        """The columns that every figure of this cell carries."""
        return {
            "cell": self.name,
            "model": self.model.label,
            "task": self.task.label if self._shares_name() else self.task.name,
            "trigger": self.trigger.label,
            "distance": self.trigger.distance,
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
                *("prompts", "sites", "probes", "transfers", "layer_rules"),
                *("controls", "draws", "sizes", "dtype"),
                *(["renderings"] if self.recipe.renderings > 1 else []),
            },
            by_alias=True,
        )
        base = model_fingerprint(self.model.name, self.model.revision)
        code = [probe_origin(probe.make(self.seed)) for probe in self.recipe.probes]
        code.append(claims_code(self.task, self.trigger))
        told = [self.task.label, self.trigger.model_dump()]
        made = [base, self._quirk(), code, *told, self.seed, self.variant]
        if self.recipe.reads_tokens():
            made.append(self.recipe.tokens.layers)
        loaded = self.loaded()
        if loaded != {"dtype": self.recipe.dtype}:
            made.append(loaded)
        if self.recipe.state_sites():
            made.append(self.recipe.projection.model_dump())
        return content_hash([FORMAT, asked, *made])

    @property
    def tuned(self) -> bool:
        """Whether the model is fine-tuned for this cell."""
        return self.variant == "quirky" and not self.model.given

    def loaded(self) -> dict[str, Any]:
        """How the model is loaded and asked, as far as its states depend on it.

        On which devices its blocks lie is nothing to them.
        """
        return {
            "dtype": self.recipe.precision(self.model),
            **({"quantise": self.model.quantise} if self.model.quantise else {}),
            **({"chat": True} if self.recipe.chat else {}),
        }

    def _quirk(self) -> dict[str, Any]:
        """What makes the model quirky: its adapter, nothing but itself, or the fine-tuning."""
        if self.model.adapter is not None:
            return {"adapter": adapter_fingerprint(self.model.adapter)}
        if self.model.quirky:
            return {"quirky": True}
        return self.recipe.finetuning(self.model, self.task).model_dump()


def cells_of(recipe: Recipe) -> list[Cell]:
    """Return the cells of a recipe, those that need fine-tuning first.

    A whole model that came quirky has no variant `base`: what it was before is not known.

    Raises:
        ValueError: if there is none, two have one name, or a name is longer than a folder's may be.
    """
    cells = _all_cells(recipe)
    if not cells:
        raise ValueError(
            "variants: `base` alone leaves nothing to run for models that are quirky already; "
            "add `quirky`"
        )
    for name, count in Counter(cell.name for cell in cells).items():
        if count > 1:
            raise ValueError(f"{count} cells of the recipe are called {name!r}; name each once")
    for cell in cells:
        if len(cell.name.encode()) > LONGEST_NAME:
            raise ValueError(
                f"the cell's name {cell.name!r} is longer than {LONGEST_NAME} bytes; give shorter "
                "paths of models and adapters (relative ones, or links)"
            )
    return cells


def _all_cells(recipe: Recipe) -> list[Cell]:
    return [
        Cell(recipe, model, task, trigger, seed, variant)
        for variant in sorted(recipe.variants, key=("quirky", "base").index)
        for model in recipe.models
        for task in recipe.tasks
        for trigger in recipe.trigger
        for seed in recipe.seeds
        if not (variant == "base" and model.quirky)
    ]


def claims_code(task: TaskSpec, trigger: TriggerSpec) -> dict[str, str]:
    """Return what a task's claims and its trigger are made by, if not by this package alone."""
    shown = claims_origin(trigger.make(), f"trigger {trigger.kind!r}")
    told = task.model_dump()["templates"]
    return {
        **claims_origin(task.make(), f"task {task.name!r}"),
        **({"templates": content_hash(told)} if told else {}),
        **{f"trigger {name}": value for name, value in shown.items()},
    }
