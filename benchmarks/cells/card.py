"""What the card of a fine-tuned adapter says."""

from benchmarks.cells.cell import Cell
from benchmarks.scoring.gate import GATE_SPLIT, Gate


def card_facts(cell: Cell) -> dict[str, object]:
    """Return how an adapter was made: base, task, trigger, settings, source of the claims."""
    settings = cell.recipe.finetuning(cell.model, cell.task).model_dump()
    columns = {k: v for k, v in cell.columns().items() if k not in ("cell", "variant", "model")}
    return {"base": cell.model.name, **columns, **settings, **cell.task.attribution()}


def gate_summary(gate: Gate) -> dict[str, str]:
    """Return the gate's figures on held-out facts, each with its interval, and the verdict."""
    figures = {
        figure.name: (f"{figure.value:.3f} [{figure.low:.3f}, {figure.high:.3f}]")
        for figure in gate.figures
        if figure.split == GATE_SPLIT and figure.value is not None
    }
    return {**figures, "gate": "passed" if gate.passed else "void"}
