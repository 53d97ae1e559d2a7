"""Compute one cell: fine-tune, extract, evaluate the gate, fit, score, and write its folder."""

import json
import time
from pathlib import Path

from benchmarks.activations import CellActivations
from benchmarks.cells.artefacts import Progress, ensure_activations, ensure_quirk_adapter
from benchmarks.cells.card import card_facts, gate_summary
from benchmarks.cells.cell import ResolvedCell
from benchmarks.scoring.figures import compute_figures
from benchmarks.scoring.gate import Gate, evaluate_gate
from benchmarks.scoring.scores import score_cell
from benchmarks.store import atomic_folder
from benchmarks.store.datasets import FIT_SPLIT, SCORED_SPLITS, write_parquet
from finetune.adapters.card import write_card
from finetune.models.fingerprint import adapter_fingerprint
from quirky.data.dataset import columns_of


def is_done(cell: ResolvedCell, folder: Path) -> bool:
    """Return whether the folder holds this cell, computed from the same inputs."""
    record = folder / "cell.json"
    return record.exists() and json.loads(record.read_text())["digest"] == cell.digest()


def compute_cell(cell: ResolvedCell, folder: Path, progress: Progress) -> None:
    """Compute a cell into `folder`, which appears complete at the end."""
    if is_done(cell, folder):
        return
    started = time.monotonic()
    adapter = ensure_quirk_adapter(cell, progress)
    activations = ensure_activations(cell, adapter, progress)
    columns = cell.dataset.probe_columns
    gate = evaluate_gate(
        columns, activations.residual.log_odds().numpy(), gated=cell.cell.variant == "quirky"
    )
    if adapter and not cell.cell.model.already_quirky:  # a given adapter is never written to
        write_card(adapter, card_facts(cell.cell), gate_summary(gate))
    text_columns = columns_of(cell.dataset.examples(["train", FIT_SPLIT]))
    scores = score_cell(cell.recipe, cell.cell.seed, columns, text_columns, activations, progress)
    progress("figures", 0.0)
    examples = cell.dataset.examples(SCORED_SPLITS)
    table = compute_figures(cell.recipe, columns_of(examples), scores)
    for position, (name, value) in enumerate(cell.cell.columns().items()):
        table.insert(position, name, value)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with atomic_folder(folder) as temporary:
        write_parquet(examples, temporary / "examples.parquet")
        scores.to_parquet(temporary / "scores.parquet")
        table.to_parquet(temporary / "results.parquet")
        _write_gate(cell, gate, temporary)
        seconds = round(time.monotonic() - started, 1)
        _write_record(cell, adapter, activations, seconds, temporary)
    progress("done", 1.0)


def _write_gate(cell: ResolvedCell, gate: Gate, folder: Path) -> None:
    content = {"cell": cell.name, **gate.to_json()}
    (folder / "gate.json").write_text(json.dumps(content, indent=1))


def _write_record(
    cell: ResolvedCell,
    adapter: Path | None,
    activations: CellActivations,
    seconds: float,
    folder: Path,
) -> None:
    """Write `cell.json`: the cell's columns, the hashes of its inputs, and its seconds."""
    tokens, recurrent = activations.tokens, activations.recurrent
    record = {
        **cell.cell.columns(),
        "digest": cell.digest(),
        "data": cell.dataset.digest,
        "adapter": _adapter_hash(cell, adapter),
        "states": activations.residual.folder.name,
        "tokens": tokens.folder.name if tokens else None,
        "recurrent": recurrent.folder.name if recurrent else None,
        "seconds": seconds,
    }
    (folder / "cell.json").write_text(json.dumps(record, indent=1))


def _adapter_hash(cell: ResolvedCell, adapter: Path | None) -> str | None:
    """Return the name of the adapter in the store, or the fingerprint of a given one."""
    if adapter is None:
        return None
    return adapter_fingerprint(adapter) if cell.cell.model.already_quirky else adapter.name
