"""What a cell is made from, in the store: data, adapter, hidden states, each made when missing."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import torch
from datasets import Dataset, DatasetDict, concatenate_datasets

from benchmarks.activations.recurrent import RecurrentStates, extract_recurrent
from benchmarks.activations.residual import States, extract
from benchmarks.activations.tokens import TokenStates, chosen_layers, extract_tokens
from benchmarks.cells.cell import Cell, claims_code
from benchmarks.recipe.entries import TaskSpec
from benchmarks.recipe.schema import Recipe
from benchmarks.recipe.trigger_entry import TriggerSpec
from benchmarks.scoring.fits import FITTED, SCORED, Columns
from benchmarks.store.artefacts import artefact, store_root
from finetune.adapters.loading import adapter_folder
from finetune.adapters.lora import save_adapter
from finetune.architectures.blocks import block_list
from finetune.models.fingerprint import adapter_fingerprint, model_fingerprint
from finetune.models.load import LoadedModel, load_model
from finetune.models.skeleton import load_skeleton
from finetune.reading.recurrent import state_layers
from finetune.training.trainer import make_quirky
from quirky.dataset import SPLITS, Sizes, build_dataset, columns_of

TRAIN_THREADS = 1
"""Fine-tuning is not bit-stable across numbers of threads, so this one is fixed."""

Progress = Callable[[str, float], None]


def data_of(recipe: Recipe, task: TaskSpec, trigger: TriggerSpec, seed: int) -> Path:
    """Return the folder of a data set, one parquet file a split."""
    renderings = {"renderings": recipe.renderings} if recipe.renderings > 1 else {}
    key = {
        "task": task.name,
        "params": task.settings,
        "trigger": trigger.model_dump(),
        "prompts": recipe.prompts,
        "sizes": recipe.sizes.model_dump(),
        "seed": seed,
        "code": claims_code(task, trigger),
        **renderings,
    }

    def make(folder: Path) -> None:
        data = build_dataset(
            task.make(),
            trigger.make(),
            prompts=recipe.prompts,
            sizes=Sizes(**recipe.sizes.model_dump()),
            seed=seed,
            distance=trigger.distance,
            **renderings,
        )
        for split, examples in data.items():
            to_parquet(examples, folder / f"{split}.parquet")

    return artefact("data", key, make)


def to_parquet(examples: Dataset, path: Path) -> None:
    """Write examples as one table."""
    frame = examples.to_pandas()
    assert isinstance(frame, pd.DataFrame)  # it is an iterator only where batches are asked for
    frame.to_parquet(path, index=False)


def load_data(folder: Path) -> DatasetDict:
    """Return the splits of a data set."""
    return DatasetDict(
        {
            split: Dataset.from_pandas(
                pd.read_parquet(folder / f"{split}.parquet"), preserve_index=False
            )
            for split in SPLITS
        }
    )


def quirk_of(cell: Cell, progress: Progress) -> Path | None:
    """Return the folder of the adapter that makes the cell's model quirky: given, or fine-tuned.

    There is none for the variant `base`, and for a whole model that came quirky.
    """
    if cell.variant != "quirky" or cell.model.quirky:
        return None
    given = cell.model.adapter
    return adapter_of(cell, progress) if given is None else adapter_folder(given)


def adapter_of(cell: Cell, progress: Progress) -> Path:
    """Return the folder of the cell's adapter, fine-tuning it if it is not in the store.

    However many renderings the probes are fitted on, a model is tuned on one of each question.
    """
    settings = cell.recipe.finetuning(cell.model, cell.task)
    plain = cell.recipe.model_copy(update={"renderings": 1})
    told_from = data_of(plain, cell.task, cell.trigger, cell.seed)
    key = {
        "base": model_fingerprint(cell.model.name, cell.model.revision),
        "data": told_from.name,
        "finetune": settings.model_dump(),
        "seed": cell.seed,
        **cell.loaded(),
    }

    def make(folder: Path) -> None:
        made = tuned(cell, load_data(told_from), progress)
        save_adapter(made.model, folder)

    return artefact("adapters", key, make)


def tuned(cell: Cell, data: DatasetDict, progress: Progress) -> LoadedModel:
    """Return the cell's model with its adapter, fine-tuned here and now."""
    progress("loading", 0.0)
    loaded = load_cell_model(cell, None)
    threads = torch.get_num_threads()
    torch.set_num_threads(TRAIN_THREADS)
    try:
        adapted = make_quirky(
            loaded.model,
            loaded.tokenizer,
            data["train"],
            data[FITTED],
            cell.recipe.finetuning(cell.model, cell.task),
            seed=cell.seed,
            progress=progress,
        )
    finally:
        torch.set_num_threads(threads)
    return replace(loaded, model=adapted)


def states_of(cell: Cell, data: DatasetDict, adapter: Path | None, progress: Progress) -> States:
    """Return the states of validation, heldout and test examples, from the store if there."""

    def make(folder: Path) -> None:
        extract(load_cell_model(cell, adapter), asked(data), folder, progress=progress)

    return States(artefact("states", _read_from(cell, adapter), make))


def tokens_of(
    cell: Cell, data: DatasetDict, adapter: Path | None, progress: Progress
) -> TokenStates:
    """Return the states of all tokens of the same examples, from the store if there."""
    blocks = len(block_list(load_skeleton(cell.model.name, cell.model.revision)))
    layers = chosen_layers(cell.recipe.tokens.layers, blocks)

    def make(folder: Path) -> None:
        model = load_cell_model(cell, adapter)
        extract_tokens(model, asked(data), folder, layers, progress=progress)

    return TokenStates(artefact("states", {**_read_from(cell, adapter), "tokens": layers}, make))


def recurrent_of(
    cell: Cell, data: DatasetDict, adapter: Path | None, progress: Progress
) -> RecurrentStates | None:
    """Return the recurrent states after the same examples, from the store if there.

    Of the sites that the recipe names, those that the model has: None if it has none of them.
    """
    if not cell.recipe.state_sites():
        return None
    found = state_layers(load_skeleton(cell.model.name, cell.model.revision))
    layers = {site: found[site] for site in cell.recipe.state_sites() if found[site]}
    if not layers:
        return None
    projection = cell.recipe.projection.make()

    def make(folder: Path) -> None:
        model = load_cell_model(cell, adapter)
        extract_recurrent(model, asked(data), folder, layers, projection, progress=progress)

    key = {"sites": layers, "projection": asdict(projection)}
    return RecurrentStates(artefact("states", {**_read_from(cell, adapter), **key}, make))


def _read_from(cell: Cell, adapter: Path | None) -> dict[str, Any]:
    """Return all that determines what is read from a cell's model."""
    return {
        "base": model_fingerprint(cell.model.name, cell.model.revision),
        "adapter": adapter_fingerprint(adapter) if adapter else None,
        "data": data_of(cell.recipe, cell.task, cell.trigger, cell.seed).name,
        **cell.loaded(),
    }


ASKED = (FITTED, *SCORED)
"""The splits that probes see, in the order of the states."""


@dataclass(frozen=True)
class Stored:
    """What a finished cell was computed from, in the store."""

    folder: Path
    """The cell's."""

    def record(self) -> dict[str, Any]:
        """Return the cell's columns, the hashes of what it was made from, and its seconds."""
        return json.loads((self.folder / "cell.json").read_text())

    def artefact(self, what: Literal["data", "states", "tokens", "recurrent"]) -> Path:
        """Return the folder of its data, its states or the states of all its tokens.

        Raises:
            ValueError: if there are none, or the store does not hold them any more.
        """
        name = self.record().get(what)
        if name is None:
            raise ValueError(f"{self.folder.name} has no {what}: no probe of its recipe reads them")
        folder = store_root() / ("data" if what == "data" else "states") / name
        if not folder.exists():
            raise ValueError(
                f"the {what} of {self.folder.name} are not in the store ({folder}): remove "
                f"{self.folder} and run the recipe again, or set QUIRKY_HOME to where they are"
            )
        return folder

    def examples(self) -> pd.DataFrame:
        """Return the examples of validation, heldout and test, in the order of the states."""
        return pd.DataFrame(asked(load_data(self.artefact("data"))).to_pandas())

    def states(self) -> States:
        """Return the states of the same examples."""
        return States(self.artefact("states"))

    def recurrent(self) -> RecurrentStates:
        """Return the recurrent states after the same examples."""
        return RecurrentStates(self.artefact("recurrent"))

    def tokens(self) -> TokenStates:
        """Return the states of all tokens of the same examples."""
        return TokenStates(self.artefact("tokens"))


def load_cell_model(cell: Cell, adapter: Path | None) -> LoadedModel:
    """Return the cell's base, with the adapter if there is one."""
    return load_model(
        cell.model.name,
        adapter=adapter,
        dtype=getattr(torch, cell.recipe.precision(cell.model)),
        device=cell.recipe.device,
        revision=cell.model.revision,
        device_map=cell.model.device_map,
        quantise=cell.model.quantise,
        chat=cell.recipe.chat,
    )


def asked(data: DatasetDict) -> Dataset:
    """Return the examples that probes see, in the order of the states."""
    return concatenate_datasets([data[split] for split in ASKED])


def all_columns(data: DatasetDict) -> Columns:
    """Return the columns of the splits that probes see, as arrays of shape (n,)."""
    return {name: np.asarray(column) for name, column in columns_of(asked(data)).items()}
