"""One cell: model x task x trigger x prompt style x seed x variant, from data to figures."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import torch
from datasets import Dataset, DatasetDict, concatenate_datasets

from benchmarks.extract import States, extract
from benchmarks.gate import Gate, judge
from benchmarks.provenance import claims_origin, probe_origin
from benchmarks.recipe import ModelSpec, Recipe, TaskSpec, Variant
from benchmarks.results import figures
from benchmarks.store import artefact, content_hash, store_root, written_whole
from benchmarks.transfer import FITTED, SCORED, Columns, score_cell
from finetune.lora import write_card
from finetune.models import LoadedModel, adapter_fingerprint, load_model, model_fingerprint
from finetune.train import make_quirky
from quirky.dataset import SPLITS, Sizes, build_dataset, columns_of

FORMAT = 6
"""Raised whenever what a cell's folder holds, or how it is computed, changes."""
TRAIN_THREADS = 1
"""Fine-tuning is not bit-stable across numbers of threads, so this one is fixed."""

Progress = Callable[[str, float], None]


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
            },
            by_alias=True,
        )
        tuned = self.recipe.finetuning(self.model, self.task).model_dump()
        base = model_fingerprint(self.model.name, self.model.revision)
        code = [probe_origin(probe.make(self.seed)) for probe in self.recipe.probes]
        code.append(_claims_code(self.recipe, self.task))
        made = [base, tuned, code, self.task.label, self.seed, self.variant]
        return content_hash([FORMAT, asked, *made])


def cells_of(recipe: Recipe) -> list[Cell]:
    """Return the cells of a recipe, those that need fine-tuning first."""
    return [
        Cell(recipe, model, task, seed, variant)
        for variant in sorted(recipe.variants, key=("quirky", "base").index)
        for model in recipe.models
        for task in recipe.tasks
        for seed in recipe.seeds
    ]


def data_of(recipe: Recipe, task: TaskSpec, seed: int) -> Path:
    """Return the folder of a data set, one parquet file a split."""
    key = {
        "task": task.name,
        "params": task.params,
        "trigger": recipe.trigger.model_dump(),
        "prompts": recipe.prompts,
        "sizes": recipe.sizes.model_dump(),
        "seed": seed,
        "code": _claims_code(recipe, task),
    }

    def make(folder: Path) -> None:
        data = build_dataset(
            task.make(),
            recipe.trigger.make(),
            prompts=recipe.prompts,
            sizes=Sizes(**recipe.sizes.model_dump()),
            seed=seed,
        )
        for split, examples in data.items():
            _to_parquet(examples, folder / f"{split}.parquet")

    return artefact("data", key, make)


def _claims_code(recipe: Recipe, task: TaskSpec) -> dict[str, str]:
    trigger = claims_origin(recipe.trigger.make(), f"trigger {recipe.trigger.kind!r}")
    return {
        **claims_origin(task.make(), f"task {task.name!r}"),
        **{f"trigger {name}": value for name, value in trigger.items()},
    }


def _to_parquet(examples: Dataset, path: Path) -> None:
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
    told_from = data_of(cell.recipe, cell.task, cell.seed)
    data = load_data(told_from)
    adapter = adapter_of(cell, data, progress) if cell.variant == "quirky" else None
    states = states_of(cell, data, adapter, progress)
    columns = columns_of(_asked(data))
    gate = judge(columns, states.log_odds().numpy(), gated=cell.variant == "quirky")
    if adapter:
        write_card(adapter, _card(cell), _behaviour(gate))
    told = columns_of(concatenate_datasets([data["train"], data[FITTED]]))
    scores = score_cell(cell.recipe, cell.seed, columns, told, states, progress)
    progress("figures", 0.0)
    scored = _scored(data)
    table = figures(cell.recipe, columns_of(scored), scores)
    for position, (name, value) in enumerate(cell.columns().items()):
        table.insert(position, name, value)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(folder) as temporary:
        made_from = {
            "data": told_from.name,
            "adapter": adapter.name if adapter else None,
            "states": states.folder.name,
        }
        _to_parquet(scored, temporary / "examples.parquet")
        scores.to_parquet(temporary / "scores.parquet")
        table.to_parquet(temporary / "results.parquet")
        gated = {"cell": cell.name, **gate.to_json()}
        (temporary / "gate.json").write_text(json.dumps(gated, indent=1))
        seconds = round(time.monotonic() - started, 1)
        record = {**cell.columns(), "digest": cell.digest(), **made_from, "seconds": seconds}
        (temporary / "cell.json").write_text(json.dumps(record, indent=1))
    progress("done", 1.0)


def adapter_of(cell: Cell, data: DatasetDict, progress: Progress) -> Path:
    """Return the folder of the cell's adapter, fine-tuning it if it is not in the store."""
    settings = cell.recipe.finetuning(cell.model, cell.task)
    key = {
        "base": model_fingerprint(cell.model.name, cell.model.revision),
        "data": data_of(cell.recipe, cell.task, cell.seed).name,
        "finetune": settings.model_dump(),
        "seed": cell.seed,
        "dtype": cell.recipe.dtype,
    }

    def make(folder: Path) -> None:
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
                settings,
                seed=cell.seed,
                progress=progress,
            )
        finally:
            torch.set_num_threads(threads)
        adapted.save_pretrained(str(folder))

    return artefact("adapters", key, make)


def states_of(cell: Cell, data: DatasetDict, adapter: Path | None, progress: Progress) -> States:
    """Return the states of validation, heldout and test examples, from the store if there."""
    key = {
        "base": model_fingerprint(cell.model.name, cell.model.revision),
        "adapter": adapter_fingerprint(adapter) if adapter else None,
        "data": data_of(cell.recipe, cell.task, cell.seed).name,
        "dtype": cell.recipe.dtype,
    }

    def make(folder: Path) -> None:
        extract(load_cell_model(cell, adapter), _asked(data), folder, progress=progress)

    return States(artefact("states", key, make))


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

    def artefact(self, kind: Literal["data", "states"]) -> Path:
        """Return the folder of its data or states.

        Raises:
            ValueError: if the store does not hold it any more.
        """
        folder = store_root() / kind / self.record()[kind]
        if not folder.exists():
            raise ValueError(
                f"the {kind} of {self.folder.name} are not in the store ({folder}): remove "
                f"{self.folder} and run the recipe again, or set QUIRKY_HOME to where they are"
            )
        return folder

    def examples(self) -> pd.DataFrame:
        """Return the examples of validation, heldout and test, in the order of the states."""
        return pd.DataFrame(_asked(load_data(self.artefact("data"))).to_pandas())

    def states(self) -> States:
        """Return the states of the same examples."""
        return States(self.artefact("states"))


def load_cell_model(cell: Cell, adapter: Path | None) -> LoadedModel:
    """Return the cell's base, with the adapter if there is one."""
    return load_model(
        cell.model.name,
        adapter=adapter,
        dtype=getattr(torch, cell.recipe.dtype),
        device=cell.recipe.device,
        revision=cell.model.revision,
    )


def _asked(data: DatasetDict) -> Dataset:
    return concatenate_datasets([data[split] for split in ASKED])


def _scored(data: DatasetDict) -> Dataset:
    return concatenate_datasets([data[split] for split in SCORED])


def _card(cell: Cell) -> dict[str, object]:
    settings = cell.recipe.finetuning(cell.model, cell.task).model_dump()
    shown = {k: v for k, v in cell.columns().items() if k not in ("cell", "variant", "model")}
    return {"base": cell.model.name, **shown, **settings}


def _behaviour(gate: Gate) -> dict[str, str]:
    figures = {
        f"in {figure.context}, against the {figure.against}, {figure.subset} examples": (
            f"{figure.value:.3f} [{figure.low:.3f}, {figure.high:.3f}]"
        )
        for figure in gate.figures
        if figure.split == "heldout" and figure.value is not None
    }
    return {**figures, "gate": "passed" if gate.passed else "void"}


def all_columns(data: DatasetDict) -> Columns:
    """Return the columns of the splits that probes see, as arrays of shape (n,)."""
    return {name: np.asarray(column) for name, column in columns_of(_asked(data)).items()}
