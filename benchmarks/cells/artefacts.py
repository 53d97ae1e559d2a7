"""What a cell is computed from: its adapter and activations, each made if the store lacks it."""

from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from jaxtyping import Float
from torch import Tensor

from benchmarks.activations import (
    CellActivations,
    RecurrentActivations,
    ResidualActivations,
    TokenActivations,
    extract_recurrent,
    extract_residual,
    extract_tokens,
    token_layers,
)
from benchmarks.cells.cell import ResolvedCell
from benchmarks.store import ensure_artefact
from benchmarks.store.datasets import FIT_SPLIT, PROBE_SPLITS
from finetune.adapters.loading import adapter_folder
from finetune.adapters.lora import save_adapter
from finetune.models.fingerprint import adapter_fingerprint
from finetune.models.load import LoadedModel, load_weights
from finetune.reading.residual import log_odds
from finetune.training.trainer import make_quirky

TRAIN_THREADS = 1
"""Fine-tuning is not bit-stable across numbers of threads, so the number is fixed."""

Progress = Callable[[str, float], None]
"""Called with the stage and the share of it that is done."""


def no_progress(stage: str, share: float) -> None:
    """Show nothing."""


def ensure_quirk_adapter(cell: ResolvedCell, progress: Progress) -> Path | None:
    """Return the folder of the adapter that makes the cell's model quirky.

    The adapter is a given one, or fine-tuned if the store lacks it. None for the variant `base`,
    and for a whole model that is already quirky.
    """
    if cell.cell.variant != "quirky" or cell.cell.model.quirky:
        return None
    given = cell.cell.model.adapter
    return ensure_adapter(cell, progress) if given is None else adapter_folder(given)


def ensure_adapter(cell: ResolvedCell, progress: Progress) -> Path:
    """Return the folder of the cell's adapter, fine-tuned if the store lacks it."""
    settings = cell.recipe.finetuning(cell.cell.model, cell.cell.task)
    assert cell.training_dataset is not None  # the cell is fine-tuned
    key = {
        "base": cell.model.fingerprint,
        "data": cell.training_dataset.digest,
        "finetune": settings.model_dump(),
        "seed": cell.cell.seed,
        **cell.cell.loading_key(),
    }

    def make(folder: Path) -> None:
        save_adapter(finetune_cell(cell, progress).model, folder)

    return ensure_artefact("adapters", key, make)


def finetune_cell(cell: ResolvedCell, progress: Progress) -> LoadedModel:
    """Fine-tune the cell's model and return it with its adapter."""
    progress("loading", 0.0)
    loaded = load_cell_model(cell, None)
    assert cell.training_dataset is not None  # the cell is fine-tuned
    data = cell.training_dataset.splits
    threads = torch.get_num_threads()
    torch.set_num_threads(TRAIN_THREADS)
    try:
        adapted = make_quirky(
            loaded.model,
            loaded.tokenizer,
            data["train"],
            data[FIT_SPLIT],
            cell.recipe.finetuning(cell.cell.model, cell.cell.task),
            seed=cell.cell.seed,
            progress=progress,
        )
    finally:
        torch.set_num_threads(threads)
    return replace(loaded, model=adapted)


def ensure_activations(
    cell: ResolvedCell, adapter: Path | None, progress: Progress
) -> CellActivations:
    """Return the activations on validation, heldout and test; the model is read if need be.

    Args:
        cell: what is read.
        adapter: what makes the model quirky, if anything.
        progress: called as the model is read.
    """
    return CellActivations(
        residual=ensure_residual(cell, adapter, progress),
        tokens=ensure_tokens(cell, adapter, progress) if cell.recipe.reads_tokens() else None,
        recurrent=ensure_recurrent(cell, adapter, progress),
    )


def ensure_residual(
    cell: ResolvedCell, adapter: Path | None, progress: Progress
) -> ResidualActivations:
    """Return the states of the prompt and of the pair."""

    def make(folder: Path) -> None:
        model = load_cell_model(cell, adapter)
        extract_residual(model, probe_examples(cell), folder, progress=progress)

    return ResidualActivations(ensure_artefact("states", _states_key(cell, adapter), make))


def ensure_tokens(cell: ResolvedCell, adapter: Path | None, progress: Progress) -> TokenActivations:
    """Return the states of all tokens, at the layers that the recipe names."""
    layers = token_layers(cell.recipe.tokens.layers, cell.model.block_count)

    def make(folder: Path) -> None:
        model = load_cell_model(cell, adapter)
        extract_tokens(model, probe_examples(cell), folder, layers, progress=progress)

    key = {**_states_key(cell, adapter), "tokens": layers}
    return TokenActivations(ensure_artefact("states", key, make))


def ensure_recurrent(
    cell: ResolvedCell, adapter: Path | None, progress: Progress
) -> RecurrentActivations | None:
    """Return the recurrent states at the sites that the recipe names and the model has.

    None if there is no such site.
    """
    sites = cell.recipe.state_sites()
    layers = {site: cell.model.state_layers[site] for site in sites} if sites else {}
    layers = {site: blocks for site, blocks in layers.items() if blocks}
    if not layers:
        return None
    projection = cell.recipe.projection.make()

    def make(folder: Path) -> None:
        model = load_cell_model(cell, adapter)
        extract_recurrent(
            model, probe_examples(cell), folder, layers, projection, progress=progress
        )

    key = {**_states_key(cell, adapter), "sites": layers, "projection": asdict(projection)}
    return RecurrentActivations(ensure_artefact("states", key, make))


def _states_key(cell: ResolvedCell, adapter: Path | None) -> dict[str, Any]:
    """Return everything that determines the states of a cell's model."""
    return {
        "base": cell.model.fingerprint,
        "adapter": adapter_fingerprint(adapter) if adapter else None,
        "data": cell.dataset.digest,
        **cell.cell.loading_key(),
    }


def load_cell_model(cell: ResolvedCell, adapter: Path | None) -> LoadedModel:
    """Load the weights of the cell's model, with the adapter if there is one."""
    return load_weights(
        cell.model,
        adapter=adapter,
        dtype=getattr(torch, cell.recipe.precision(cell.cell.model)),
        device=cell.recipe.device,
        device_map=cell.cell.model.device_map,
    )


def example_log_odds(loaded: LoadedModel, examples: Dataset) -> Float[Tensor, " n"]:
    """Return a model's log-odds of the true answer on examples."""
    choices = [(false, true) for false, true in examples["choices"]]
    return log_odds(loaded.model, loaded.tokenizer, list(examples["prompt"]), choices)


def probe_examples(cell: ResolvedCell) -> Dataset:
    """Return the examples that the model is read on, in the order of its states."""
    return cell.dataset.examples(PROBE_SPLITS)
