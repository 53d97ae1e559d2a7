"""`quirky strength`: find the gentlest adapter of a ladder that makes a model quirky.

A stronger adapter than necessary changes the model more than necessary. So a ladder that is fixed
beforehand is climbed from its gentlest rung to the first at which the model passes the gate on
every task of the recipe, under each of its triggers. Only the gate's figures on `heldout` are
computed: no probe is fitted, nothing is measured on the split `test`, and nothing against the truth
in B, so what a probe can read there cannot influence the choice. Another seed splits the same facts
differently, so some of the held-out facts of the ladder are test facts of the report.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.cells.artefacts import (
    Progress,
    ensure_adapter,
    example_log_odds,
    load_cell_model,
    no_progress,
)
from benchmarks.cells.cell import Cell, ResolvedCell, resolve_cell
from benchmarks.preflight.checks import resolve_recipe
from benchmarks.recipe.schema import Recipe
from benchmarks.recipe.task_entry import TaskEntry
from benchmarks.scoring.gate import GATE_SPLIT, GateFigure, failures, required_figures
from quirky.data.dataset import columns_of

SEED = 100
"""Of the ladder's data and adapters; no recipe reports on it."""
LADDER: tuple[dict[str, Any], ...] = (
    {"rank": 4, "alpha": 4, "lr": 1e-3, "steps": 400},
    {"rank": 4, "alpha": 4, "lr": 2e-3, "steps": 400},
    {"rank": 4, "alpha": 4, "lr": 2e-3, "steps": 800},
    {"rank": 8, "alpha": 8, "lr": 3e-3, "steps": 800},
    {"rank": 16, "alpha": 16, "lr": 3e-3, "steps": 800},
    {"rank": 16, "alpha": 16, "lr": 4e-3, "steps": 1200},
)
"""For the embedded bases, from gentle to strong. It was fixed before the present bases of `tiny`
were trained, after trials on earlier bases, which docs/trials.md lists."""


@dataclass(frozen=True)
class Trial:
    """One rung on one task under one trigger: the gate's figures, and why they fail."""

    rung: int
    settings: dict[str, Any]
    task: str
    trigger: str
    figures: tuple[GateFigure, ...]
    reasons: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether the model is quirky."""
        return not self.reasons


def climb(
    recipe: Recipe,
    ladder: Sequence[dict[str, Any]] = LADDER,
    seed: int = SEED,
    progress: Progress = no_progress,
) -> Iterator[Trial]:
    """Yield every trial, up to the first rung that passes on all tasks and triggers.

    A rung is abandoned at its first failure. A rung's settings replace those of the recipe and of
    the model. Adapters stay in the store.

    Args:
        recipe: its only model is fine-tuned; its tasks and triggers are tried.
        ladder: fine-tuning settings, from gentle to strong.
        seed: of data and adapters; the recipe must not report on it.
        progress: called with the stage and the share of it that is done.

    Raises:
        ValueError: before anything is computed: if the recipe reports on the seed, or as
            `benchmarks.preflight.checks.resolve_recipe`.
    """
    require_unreported_seed(recipe, seed)
    resolved = resolve_recipe(recipe.model_copy(update={"seeds": (seed,), "variants": ("quirky",)}))
    recipe = resolved.recipe
    (model,) = recipe.models
    for rung, settings in enumerate(ladder, start=1):
        rung_model = model.model_copy(update={"finetune": {**model.finetune, **settings}})
        cells = [
            Cell(recipe, rung_model, _without_settings(task, settings), trigger, seed, "quirky")
            for task in recipe.tasks
            for trigger in recipe.trigger
        ]
        for cell in cells:
            trial = _try_rung(resolve_cell(cell, resolved), rung, settings, progress)
            yield trial
            if not trial.passed:
                break
        else:
            return


def require_unreported_seed(recipe: Recipe, seed: int) -> None:
    """Check that nothing is chosen on a seed whose figures are reported.

    Raises:
        ValueError: if the recipe reports on the seed.
    """
    if seed in recipe.seeds:
        raise ValueError(
            f"seed {seed} is one that recipe {recipe.name} reports on; choose by another"
        )


def _without_settings(task: TaskEntry, settings: dict[str, Any]) -> TaskEntry:
    """Return the task without fine-tuning settings of its own for what the rung decides."""
    finetune = {name: value for name, value in task.finetune.items() if name not in settings}
    return task.model_copy(update={"finetune": finetune})


def _try_rung(cell: ResolvedCell, rung: int, settings: dict[str, Any], progress: Progress) -> Trial:
    loaded = load_cell_model(cell, ensure_adapter(cell, progress))
    heldout = cell.dataset.splits[GATE_SPLIT]
    figures = required_figures(columns_of(heldout), example_log_odds(loaded, heldout).numpy())
    task, trigger = cell.cell.task.label, cell.cell.trigger.name
    return Trial(rung, settings, task, trigger, figures, failures(figures))
