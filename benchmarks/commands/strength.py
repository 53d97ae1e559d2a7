"""How strong an adapter must be: the gentlest of a ladder with which a model is quirky.

A stronger adapter than is needed changes the model more than is needed. So the ladder, fixed
beforehand, is climbed from its gentlest rung to the first at which the model passes the gate on
every task of the recipe, under each of its triggers. Only the gate's own figures on `heldout` are
computed: no probe is fitted, nothing is measured on the split `test`, and nothing against the truth
in B, so what a probe can read there cannot sway the choice. Another seed splits the same facts in
another way, so some of those that the gate is asked about here are test facts of the report.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.cells.artefacts import adapter_of, data_of, load_cell_model, load_data
from benchmarks.cells.cell import Cell
from benchmarks.recipe.entries import ModelSpec, TaskSpec
from benchmarks.recipe.schema import Recipe
from benchmarks.scoring.gate import DECIDES, Figure, faults, required_figures
from finetune.reading.residual import log_odds
from quirky.dataset import columns_of

SEED = 100
"""Of the data and the adapters of the ladder; not one that recipes report on."""
LADDER: tuple[dict[str, Any], ...] = (
    {"rank": 4, "alpha": 4, "lr": 1e-3, "steps": 400},
    {"rank": 4, "alpha": 4, "lr": 2e-3, "steps": 400},
    {"rank": 4, "alpha": 4, "lr": 2e-3, "steps": 800},
    {"rank": 8, "alpha": 8, "lr": 3e-3, "steps": 800},
    {"rank": 16, "alpha": 16, "lr": 3e-3, "steps": 800},
    {"rank": 16, "alpha": 16, "lr": 4e-3, "steps": 1200},
)
"""For the embedded bases, from gentle to strong.

It was written down before the bases that `tiny` runs on were finished, but with trials on earlier
ones in view, which docs/results.md lists.
"""


@dataclass(frozen=True)
class Trial:
    """A rung tried on one task under one trigger: its gate figures, and what they lack."""

    rung: int
    settings: dict[str, Any]
    task: str
    trigger: str
    figures: tuple[Figure, ...]
    reasons: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether the model is quirky."""
        return not self.reasons


def climb(
    recipe: Recipe,
    model: ModelSpec,
    ladder: Sequence[dict[str, Any]] = LADDER,
    seed: int = SEED,
    progress: Callable[[str, float], None] = lambda stage, done: None,
) -> Iterator[Trial]:
    """Yield every trial, up to the first rung that passes on all tasks and triggers of the recipe.

    A rung is left at the first on which it does not pass. It takes the place of the
    fine-tuning settings that it names; the recipe's and the model's others stay. Adapters are
    kept in the store.

    Raises:
        ValueError: as `require_unreported`, before anything is computed.
    """
    require_unreported(recipe, seed)
    for rung, settings in enumerate(ladder, start=1):
        tuned = model.model_copy(update={"finetune": {**model.finetune, **settings}})
        cells = [
            Cell(recipe, tuned, _left_to(task, settings), trigger, seed, "quirky")
            for task in recipe.tasks
            for trigger in recipe.trigger
        ]
        for cell in cells:
            trial = _trial(cell, rung, settings, progress)
            yield trial
            if not trial.passed:
                break
        else:
            return


def require_unreported(recipe: Recipe, seed: int) -> None:
    """Make sure that nothing is chosen by a seed that is reported on.

    Raises:
        ValueError: naming the seed.
    """
    if seed in recipe.seeds:
        raise ValueError(
            f"seed {seed} is one that recipe {recipe.name} reports on; choose by another"
        )


def _left_to(task: TaskSpec, settings: dict[str, Any]) -> TaskSpec:
    """Return the task without settings of its own for what the rung decides."""
    own = {name: value for name, value in task.finetune.items() if name not in settings}
    return task.model_copy(update={"finetune": own})


def _trial(
    cell: Cell, rung: int, settings: dict[str, Any], progress: Callable[[str, float], None]
) -> Trial:
    data = load_data(data_of(cell.recipe, cell.task, cell.trigger, cell.seed))
    loaded = load_cell_model(cell, adapter_of(cell, progress))
    held = data[DECIDES]
    choices = [(false, true) for false, true in held["choices"]]
    said = log_odds(loaded.model, loaded.tokenizer, list(held["prompt"]), choices)
    figures = required_figures(columns_of(held), said.numpy())
    return Trial(rung, settings, cell.task.label, cell.trigger.name, figures, faults(figures))
