"""One cell: model x task x trigger x prompt style x seed x variant."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from benchmarks.metrics.layer_rules import LAYER_RULES
from benchmarks.recipe.datasets import claims_code
from benchmarks.recipe.entries import ModelEntry
from benchmarks.recipe.resolved import ResolvedRecipe
from benchmarks.recipe.schema import Recipe, Variant
from benchmarks.recipe.task_entry import TaskEntry
from benchmarks.recipe.trigger_entry import TriggerEntry
from benchmarks.store import content_hash
from benchmarks.store.datasets import ResolvedDataset
from benchmarks.store.provenance import probe_origin, rule_origin
from finetune.models.fingerprint import adapter_fingerprint
from finetune.models.resolve import ResolvedModel

FORMAT = 12
"""Incremented whenever the content of a cell's folder, or its computation, changes."""
LONGEST_NAME = 230
"""Bytes. File systems allow 255, and the temporary name of a folder is longer than its name."""


@dataclass(frozen=True)
class Cell:
    """What identifies one cell."""

    recipe: Recipe
    model: ModelEntry
    task: TaskEntry
    trigger: TriggerEntry
    seed: int
    variant: Variant

    @property
    def name(self) -> str:
        """The name of the cell's folder."""
        model = self.model.label.strip("/").replace("/", "--")
        parts = (model, self.task.label, self.trigger.name, self.recipe.prompts)
        return ".".join([*parts, f"seed{self.seed}", self.variant])

    def columns(self) -> dict[str, Any]:
        """Return the columns that every figure of this cell carries."""
        return {
            "cell": self.name,
            "model": self.model.label,
            "task": self.task.label if self._shares_task_name() else self.task.name,
            "trigger": self.trigger.label,
            "distance": self.trigger.distance,
            "prompts": self.recipe.prompts,
            "seed": self.seed,
            "variant": self.variant,
        }

    def _shares_task_name(self) -> bool:
        return sum(task.name == self.task.name for task in self.recipe.tasks) > 1

    @property
    def is_finetuned(self) -> bool:
        """Whether the model is fine-tuned for this cell."""
        return self.variant == "quirky" and not self.model.already_quirky

    def loading_key(self) -> dict[str, Any]:
        """Return how the model is loaded and prompted, as far as its states depend on it.

        Device placement does not affect the key.
        """
        return {
            "dtype": self.recipe.precision(self.model),
            **({"quantise": self.model.quantise} if self.model.quantise else {}),
            **({"chat": True} if self.recipe.chat else {}),
        }

    def digest(self, fingerprint: str) -> str:
        """Return a hash of everything that determines the cell's content.

        Args:
            fingerprint: of the cell's model.
        """
        recipe = self.recipe
        settings = recipe.model_dump(
            include={
                *("prompts", "sites", "probes", "transfers", "layer_rules"),
                *("controls", "draws", "sizes", "dtype"),
                *(["renderings"] if recipe.renderings > 1 else []),
            },
            by_alias=True,
        )
        code: list[Any] = [probe_origin(probe.make(self.seed)) for probe in recipe.probes]
        code.append(claims_code(self.task, self.trigger))
        names = [self.task.label, self.trigger.model_dump()]
        content = [fingerprint, self._quirk(), code, *names, self.seed, self.variant]
        if recipe.reads_tokens():
            content.append(recipe.tokens.layers)
        if self.loading_key() != {"dtype": recipe.dtype}:
            content.append(self.loading_key())
        if recipe.state_sites():
            content.append(recipe.projection.model_dump())
        rules = [rule_origin(name, LAYER_RULES.get(name)) for name in recipe.layer_rules]
        if any(rules):
            content.append(rules)
        return content_hash([FORMAT, settings, *content])

    def _quirk(self) -> dict[str, Any]:
        """Return what makes the model quirky: a given adapter, itself, or the fine-tuning."""
        if self.model.adapter is not None:
            return {"adapter": adapter_fingerprint(self.model.adapter)}
        if self.model.quirky:
            return {"quirky": True}
        return self.recipe.finetuning(self.model, self.task).model_dump()


@dataclass(frozen=True)
class ResolvedCell:
    """A cell with its model and its data set.

    Attributes:
        cell: what identifies it.
        model: its model, resolved.
        dataset: what the model is read on.
        training_dataset: what the model is fine-tuned on: `dataset` with one rendering a question;
            None if the model is not fine-tuned for this cell.
    """

    cell: Cell
    model: ResolvedModel
    dataset: ResolvedDataset
    training_dataset: ResolvedDataset | None

    @property
    def recipe(self) -> Recipe:
        """The cell's recipe."""
        return self.cell.recipe

    @property
    def name(self) -> str:
        """The name of the cell's folder."""
        return self.cell.name

    def digest(self) -> str:
        """Return a hash of everything that determines the cell's content."""
        return self.cell.digest(self.model.fingerprint)


def list_cells(recipe: Recipe) -> list[Cell]:
    """Return the cells of a recipe, those that need fine-tuning first.

    A whole model that is already quirky has no variant `base`: its base is unknown.

    Raises:
        ValueError: if there is no cell, two cells share a name, or a name is too long for a folder.
    """
    cells = _all_cells(recipe)
    if not cells:
        raise ValueError(
            "variants: `base` alone leaves nothing to run for models that are already quirky; "
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


def resolve_cell(cell: Cell, resolved: ResolvedRecipe) -> ResolvedCell:
    """Return a cell with the model and the data that its recipe was resolved to."""
    place = (cell.task, cell.trigger, cell.seed)
    return ResolvedCell(
        cell=cell,
        model=resolved.model(cell.model),
        dataset=resolved.dataset(*place),
        training_dataset=resolved.training_dataset(*place) if cell.is_finetuned else None,
    )
