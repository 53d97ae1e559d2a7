"""Compute one cell: fine-tune, judge, extract, fit, score, and leave its folder whole."""

import json
import time
from pathlib import Path

from datasets import Dataset, DatasetDict, concatenate_datasets

from benchmarks.activations.views import Store
from benchmarks.cells.artefacts import (
    Progress,
    asked,
    data_of,
    load_data,
    quirk_of,
    recurrent_of,
    states_of,
    to_parquet,
    tokens_of,
)
from benchmarks.cells.cell import Cell
from benchmarks.scoring.figures import figures
from benchmarks.scoring.fits import FITTED, SCORED, score_cell
from benchmarks.scoring.gate import Gate, evaluate_gate
from benchmarks.store.artefacts import written_whole
from finetune.adapters.card import write_card
from finetune.models.fingerprint import adapter_fingerprint
from quirky.dataset import columns_of


def is_done(cell: Cell, folder: Path) -> bool:
    """Return whether the folder holds this very cell."""
    record = folder / "cell.json"
    return record.exists() and json.loads(record.read_text())["digest"] == cell.digest()


def run_cell(cell: Cell, folder: Path, progress: Progress) -> None:
    """Compute a cell into `folder`, which appears whole when it is done."""
    if is_done(cell, folder):
        return
    started = time.monotonic()
    progress("data", 0.0)
    told_from = data_of(cell.recipe, cell.task, cell.trigger, cell.seed)
    data = load_data(told_from)
    adapter = quirk_of(cell, progress)
    states = states_of(cell, data, adapter, progress)
    tokens = tokens_of(cell, data, adapter, progress) if cell.recipe.reads_tokens() else None
    recurrent = recurrent_of(cell, data, adapter, progress)
    columns = columns_of(asked(data))
    gate = evaluate_gate(columns, states.log_odds().numpy(), gated=cell.variant == "quirky")
    if adapter and not cell.model.given:  # what is somebody else's is never written to
        write_card(adapter, card_facts(cell), behaviour(gate))
    told = columns_of(concatenate_datasets([data["train"], data[FITTED]]))
    store = Store(states, tokens, recurrent)
    scores = score_cell(cell.recipe, cell.seed, columns, told, store, progress)
    progress("figures", 0.0)
    scored = _scored(data)
    table = figures(cell.recipe, columns_of(scored), scores)
    for position, (name, value) in enumerate(cell.columns().items()):
        table.insert(position, name, value)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(folder) as temporary:
        made_from = {
            "data": told_from.name,
            "adapter": _adapter_hash(cell, adapter),
            "states": states.folder.name,
            "tokens": tokens.folder.name if tokens else None,
            "recurrent": recurrent.folder.name if recurrent else None,
        }
        to_parquet(scored, temporary / "examples.parquet")
        scores.to_parquet(temporary / "scores.parquet")
        table.to_parquet(temporary / "results.parquet")
        gated = {"cell": cell.name, **gate.to_json()}
        (temporary / "gate.json").write_text(json.dumps(gated, indent=1))
        seconds = round(time.monotonic() - started, 1)
        record = {**cell.columns(), "digest": cell.digest(), **made_from, "seconds": seconds}
        (temporary / "cell.json").write_text(json.dumps(record, indent=1))
    progress("done", 1.0)


def _scored(data: DatasetDict) -> Dataset:
    return concatenate_datasets([data[split] for split in SCORED])


def _adapter_hash(cell: Cell, adapter: Path | None) -> str | None:
    """Return the name of the adapter in the store, or the fingerprint of one that was given."""
    if adapter is None:
        return None
    return adapter_fingerprint(adapter) if cell.model.given else adapter.name


def card_facts(cell: Cell) -> dict[str, object]:
    """Return what the card says of how an adapter was made."""
    settings = cell.recipe.finetuning(cell.model, cell.task).model_dump()
    shown = {k: v for k, v in cell.columns().items() if k not in ("cell", "variant", "model")}
    return {"base": cell.model.name, **shown, **settings, **cell.task.attribution()}


def behaviour(gate: Gate) -> dict[str, str]:
    """Return the figures on held-out facts, each with its interval, and the verdict."""
    figures = {
        f"in {figure.context}, against the {figure.against}, {figure.subset} examples": (
            f"{figure.value:.3f} [{figure.low:.3f}, {figure.high:.3f}]"
        )
        for figure in gate.figures
        if figure.split == "heldout" and figure.value is not None
    }
    return {**figures, "gate": "passed" if gate.passed else "void"}
