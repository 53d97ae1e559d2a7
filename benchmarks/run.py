"""Run a recipe: check everything first, then compute the missing cells, then report."""

import importlib.metadata
import itertools
import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import torch
from datasets import DatasetDict
from jaxtyping import Bool, Float
from torch import Tensor, nn
from transformers import PreTrainedTokenizerBase

from benchmarks.activations.tokens import check_budget
from benchmarks.cells.artefacts import ASKED, TRAIN_THREADS, Stored, all_columns, data_of, load_data
from benchmarks.cells.cell import Cell, cells_of
from benchmarks.cells.compute import is_done
from benchmarks.cells.workers import console, hush_libraries, run_cells
from benchmarks.preflight.notes import tell_data
from benchmarks.recipe.pinning import check_weights, fingerprints, pinned
from benchmarks.recipe.schema import Recipe, load_recipe
from benchmarks.report import write_report
from benchmarks.scoring.figures import read_results
from benchmarks.scoring.fits import SCORED, Columns, check_contexts
from benchmarks.scoring.gate import check_judgeable
from benchmarks.store.artefacts import store_folders, sweep, write_text
from benchmarks.store.provenance import probe_origin, source_state
from benchmarks.tracking.weights_and_biases import log_run
from finetune.adapters.lora import check_targets
from finetune.architectures.blocks import lora_targets
from finetune.models.load import (
    check_adapter,
    check_model,
    load_prompt_encoder,
    load_skeleton,
    load_tokenizer,
)
from finetune.prompting.answers import PromptEncoder, check_answers
from finetune.reading.recurrent import state_layers
from finetune.training import processes
from probes import list_probes
from probes.plugins import load_plugin
from quirky.contexts import UNSEEN
from quirky.fillers import SENTENCE_TOKENS, SENTENCES

PACKAGES = (
    "torch",
    "transformers",
    "peft",
    "datasets",
    "scikit-learn",
    "concept-erasure",
    "quirky",
)


Split = Literal["validation", "heldout", "test"]


def _of_split(examples: pd.DataFrame, split: Split | None) -> pd.Series:
    if split not in (None, *ASKED):
        raise ValueError(f"unknown split {split!r}; known: {', '.join(ASKED)}")
    return examples["split"].isin(SCORED if split is None else [split])


@dataclass(frozen=True)
class Run:
    """A folder of results."""

    folder: Path

    @property
    def report(self) -> Path:
        """The report, one HTML file."""
        return self.folder / "report.html"

    def results(self) -> pd.DataFrame:
        """Return the tidy table: one row a figure, with its interval and what it is a figure of.

        Raises:
            ValueError: if an earlier version wrote it.
        """
        return read_results(self.folder / "results.parquet")

    def cells(self) -> list[str]:
        """Return the names of the cells."""
        return [
            cell["cell"]
            for cell in json.loads((self.folder / "manifest.json").read_text())["cells"]
        ]

    def examples(self, cell: str, split: Split | None = None) -> pd.DataFrame:
        """Return the examples of a split; by default the scored ones, heldout and then test.

        Raises:
            ValueError: if the cell or the split is unknown.
        """
        if split is None:
            return pd.read_parquet(self._cell(cell) / "examples.parquet")
        examples = Stored(self._cell(cell)).examples()
        return examples[_of_split(examples, split)].reset_index(drop=True)

    def scores(self, cell: str) -> pd.DataFrame:
        """Return every probe's scores in a cell, in the order of `examples(cell)`."""
        return pd.read_parquet(self._cell(cell) / "scores.parquet")

    def states(
        self,
        cell: str,
        site: str = "resid",
        reads: Literal["prompt", "pair"] = "prompt",
        split: Split | None = None,
    ) -> Float[Tensor, "layers n ..."]:
        """Return hidden states, in the order of `examples(cell, split)`: (layers, n, d) or, of the
        pair, (layers, n, 2, d).

        Probes are fitted on the split `validation`. Recurrent states (`ssm_state`, `conv_state`)
        are as they were projected, of the blocks that have one, and of the prompt alone.

        Raises:
            ValueError: if the cell, the site or the split is unknown, or the store has lost them.
        """
        stored = Stored(self._cell(cell))
        chosen = torch.from_numpy(_of_split(stored.examples(), split).to_numpy(copy=True))
        if site == "resid":
            return stored.states().read(reads)[:, chosen]
        kept = stored.recurrent() if stored.record()["recurrent"] else None
        known = ["resid", *(kept.layers if kept else ())]
        if kept is None or site not in known:
            raise ValueError(f"site {site!r}; in this cell: {', '.join(known)}")
        if reads != "prompt":
            raise ValueError(f"{reads} of {site}: a recurrent state is read after the prompt alone")
        return kept.read(site)[:, chosen]

    def tokens(
        self, cell: str, layer: int, split: Split | None = None
    ) -> tuple[Float[Tensor, "n t d"], Bool[Tensor, "n t"]]:
        """Return the states of all tokens of the prompts at one layer, and which are a prompt's.

        They are there where a probe of the recipe reads tokens, in the order of
        `examples(cell, split)`.

        Raises:
            ValueError: if the cell, the layer or the split is unknown, no probe read tokens, or
                the store has lost them.
        """
        stored = Stored(self._cell(cell))
        kept = stored.tokens()
        if layer not in kept.layers:
            raise ValueError(f"layer {layer}; the tokens of {cell} were kept at {kept.layers}")
        chosen = torch.from_numpy(_of_split(stored.examples(), split).to_numpy(copy=True))
        return kept.read(layer)[chosen], kept.mask[chosen]

    def _cell(self, cell: str) -> Path:
        folder = self.folder / "cells" / cell
        if not (folder / "cell.json").exists():
            raise ValueError(f"unknown cell {cell!r}; known: {', '.join(self.cells())}")
        return folder


def run(
    recipe: Recipe | str,
    *,
    changes: Mapping[str, Any] | None = None,
    to: Path | str = "runs",
    workers: int | None = None,
    plugins: Sequence[str] = (),
) -> Run:
    """Run a recipe, by name, path or value, and return its results.

    What is already computed, by this run or any other, is not computed again. `plugins` are
    modules or .py files whose probes register themselves, here and in every worker.

    Raises:
        ValueError: before any model is loaded, in one line: what is wrong and what would be right.
    """
    if processes.count() > 1:
        raise ValueError(
            f"a run starts its own workers, but {processes.count()} processes were started to "
            "train together; start one, or tune with `quirky finetune` and give the run its adapter"
        )
    for plugin in plugins:
        load_plugin(plugin)
    recipe = load_recipe(recipe, changes) if isinstance(recipe, str) else recipe
    recipe = pinned(recipe)
    folder = Path(to) / recipe.name
    check(recipe)
    for parent in (*store_folders(), folder / "cells"):
        sweep(parent)
    cells = cells_of(recipe)
    missing = [cell for cell in cells if not is_done(cell, folder / "cells" / cell.name)]
    if missing:
        console.print(f"{recipe.name}: {len(missing)} of {len(cells)} cells to compute")
    run_cells(missing, folder / "cells", workers, plugins)
    _collect(recipe, cells, folder)
    write_report(folder)
    log_run(folder)
    return Run(folder)


def check(recipe: Recipe) -> None:
    """Find out everything that can be known before a model is loaded.

    Models are built on the meta device, without weights; data sets are built for good. An
    installed plug-in that is broken and that the recipe does not name is a warning.

    Raises:
        ValueError: in one line.
    """
    check_device(recipe.device)
    cells_of(recipe)
    check_weights(recipe)
    check_asked(recipe)


def check_asked(recipe: Recipe) -> None:
    """Find out what can be known without weights and without the recipe's device.

    Raises:
        ValueError: in one line.
    """
    hush_libraries()
    list_probes()  # imports every installed plug-in, and warns of the broken ones
    skeletons, sites = {}, {}
    for model in recipe.models:
        check_model(model.name, model.revision, quantise=model.quantise, chat=recipe.chat)
        skeleton = skeletons[model.name] = load_skeleton(model.name, model.revision)
        if recipe.state_sites():
            sites[model.name] = state_layers(load_skeleton(model.name, model.revision))
        if model.adapter is not None:
            check_adapter(model.name, model.adapter, model.revision)
        if not model.given:
            lora_targets(skeleton)
            for task in recipe.tasks:
                check_targets(skeleton, recipe.finetuning(model, task).targets)
        _tell_filler(recipe, model.name, load_tokenizer(model.name, model.revision))
    _tell_sites(recipe, sites)
    _tell_contexts(recipe)
    tell_data(recipe)
    for task, trigger, seed in itertools.product(recipe.tasks, recipe.trigger, recipe.seeds):
        data = load_data(data_of(recipe, task, trigger, seed))
        columns = all_columns(data)
        check_contexts(columns, recipe, task.label)
        if "quirky" in recipe.variants:
            check_judgeable(columns, task.label)
        prompts, choices = _prompts_of(data)
        for model in recipe.models:
            tokenizer = load_prompt_encoder(model.name, model.revision, chat=recipe.chat)
            check_answers(tokenizer, prompts, choices)
            if recipe.reads_tokens():
                cell = f"{model.name} on {task.label}"
                alone = recipe.model_copy(update={"dtype": recipe.precision(model)})
                _check_tokens(alone, cell, skeletons[model.name], tokenizer, columns)


def _tell_filler(recipe: Recipe, model: str, tokenizer: PreTrainedTokenizerBase) -> None:
    """Say how long the filler really is for a model that does not know all of its words."""
    if any(trigger.distance for trigger in recipe.trigger):
        lengths = [len(tokenizer.encode(f" {s}", add_special_tokens=False)) for s in SENTENCES]
        if set(lengths) != {SENTENCE_TOKENS}:
            console.print(
                f"note: for {model} {SENTENCE_TOKENS} tokens of distance are {min(lengths)} to "
                f"{max(lengths)}: it does not know all words of the filler",
                highlight=False,
            )


def _prompts_of(data: DatasetDict) -> tuple[list[str], list[tuple[str, str]]]:
    """Return the prompts of all splits, and the answers to each."""
    prompts = [prompt for rows in data.values() for prompt in rows["prompt"]]
    return prompts, [(no, yes) for rows in data.values() for no, yes in rows["choices"]]


def _check_tokens(
    recipe: Recipe,
    cell: str,
    skeleton: nn.Module,
    tokenizer: PromptEncoder,
    columns: Columns,
) -> None:
    prompts, dtype = columns["prompt"].tolist(), getattr(torch, recipe.dtype)
    try:
        check_budget(recipe.tokens, skeleton, tokenizer, prompts, dtype)
    except ValueError as error:
        raise ValueError(f"{cell}: {error}") from error


def _tell_sites(recipe: Recipe, found: Mapping[str, Mapping[str, Sequence[int]]]) -> None:
    """Say which models have no such state, so that a mixed recipe reads them at `resid` alone.

    Raises:
        ValueError: if none of them has it.
    """
    for site in recipe.state_sites():
        without = [model for model, layers in found.items() if not layers[site]]
        if len(without) == len(found):
            raise ValueError(f"sites: {site}: no model of the recipe has one ({', '.join(found)})")
        for model in without:
            console.print(f"note: {model} has no {site}; it is not read there", highlight=False)


def _tell_contexts(recipe: Recipe) -> None:
    """Say which triggers lack the target of a transfer, which the recipe has for others."""
    for transfer in recipe.parsed_transfers():
        having = recipe.having(transfer.target) if transfer.target in UNSEEN else recipe.trigger
        for trigger in recipe.trigger:
            if trigger not in having:
                console.print(
                    f"note: trigger {trigger.name} has no context {transfer.target}; {transfer} is "
                    "not measured there",
                    highlight=False,
                )


def check_device(name: str) -> None:
    """Make sure that the device is known and there.

    Raises:
        ValueError: naming the device and what is there.
    """
    try:
        device = torch.device(name)
    except RuntimeError:
        raise ValueError(f"device {name!r}: write cpu or cuda") from None
    count = torch.cuda.device_count()
    if device.type == "cuda" and (device.index or 0) >= count:
        raise ValueError(f"device {name!r}: this machine has {count} CUDA devices that torch sees")
    if device.index and processes.count() == 1:  # models are tuned on the first that is seen
        raise ValueError(
            f"device {name!r}: write cuda, and choose the device by "
            f"CUDA_VISIBLE_DEVICES={device.index}"
        )


def _collect(recipe: Recipe, cells: list[Cell], folder: Path) -> None:
    """Write the run's table and manifest."""
    tables = [pd.read_parquet(folder / "cells" / c.name / "results.parquet") for c in cells]
    temporary = folder / f".results.parquet.{os.getpid()}"
    pd.concat(tables, ignore_index=True).to_parquet(temporary)
    temporary.replace(folder / "results.parquet")
    records = {cell.name: Stored(folder / "cells" / cell.name).record() for cell in cells}
    made_from = ("digest", "data", "adapter", "states", "tokens", "recurrent")
    record = {
        "name": recipe.name,
        "recipe": recipe.model_dump(mode="json", by_alias=True),
        "recipe_hash": recipe.digest(),
        "models": fingerprints(recipe),
        "versions": {name: importlib.metadata.version(name) for name in PACKAGES},
        **source_state(),
        "plugins": {
            probe.shown: origin for probe in recipe.probes if (origin := probe_origin(probe.make()))
        },
        "hardware": hardware(),
        "threads": TRAIN_THREADS,
        "seconds": round(sum(record["seconds"] for record in records.values()), 1),
        "cells": [cell.columns() for cell in cells],
        "hashes": {
            name: {kind: record[kind] for kind in made_from} for name, record in records.items()
        },
    }
    write_text(folder / "manifest.json", json.dumps(record, indent=1))


def hardware() -> dict[str, Any]:
    """Return what the machine is."""
    gpus = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    return {"machine": platform.machine(), "cores": os.cpu_count(), "gpus": gpus}
