"""The dry run: what the cells of a recipe need in memory, disk and time, without any weights.

Configs, tokenizers and data sets are real; models are built on the meta device.
"""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from benchmarks.cells.cell import Cell, list_cells
from benchmarks.cells.progress import quiet_libraries
from benchmarks.preflight.checks import check_device, resolve_models_and_data
from benchmarks.preflight.needs import DataSize, ModelShape, Needs, estimate_needs, prompt_lengths
from benchmarks.recipe.entries import ModelEntry
from benchmarks.recipe.pinning import bytes_per_weight
from benchmarks.recipe.resolved import ResolvedRecipe, resolve_models
from benchmarks.recipe.schema import Recipe
from benchmarks.store.datasets import SCORED_SPLITS, Columns
from finetune.hub.checkpoints import UnreachableError, download_bytes, resolve_checkpoint
from finetune.models.resolve import ResolvedModel
from finetune.models.source import model_source
from finetune.prompting.answers import PromptEncoder, prompt_tokens

UTILISATION = 0.35
"""Assumed share of a device's rate for matrix products that a model reaches. Published runs on
accelerators reach .2 to .5; `tiny` on two cores took twice the estimate at most."""
CALL_SECONDS = 1e-5
"""Assumed time of the smallest device call."""
PROMPT_SAMPLE = 500
"""Number of prompts whose length is measured."""


@dataclass(frozen=True)
class Plan:
    """The cells of a recipe and what they need.

    Attributes:
        recipe: what would be run.
        cells: its cells.
        shapes: the size of each model, by the label of its entry.
        downloads: bytes of weights that a hub model still has to download, by its label; None if
            unknown.
        unreachable: why a model could not be resolved, by its label.
        needs: what each cell needs, by its name; without cells of unreachable models.
        data_bytes: disk of the data sets, which planning builds.
        rate: floating-point operations per second of the device's matrix products.
        rate_source: how the rate is known, or why it is not.
    """

    recipe: Recipe
    cells: tuple[Cell, ...]
    shapes: Mapping[str, ModelShape]
    downloads: Mapping[str, int | None]
    unreachable: Mapping[str, str]
    needs: Mapping[str, Needs]
    data_bytes: int
    rate: float | None
    rate_source: str

    def seconds(self, needs: Needs) -> float | None:
        """Estimate the time to fine-tune and read a cell; None without a rate."""
        if self.rate is None:
            return None
        return needs.flops / (self.rate * UTILISATION) + needs.calls * CALL_SECONDS


def plan_recipe(recipe: Recipe, flops: float | None = None) -> Plan:
    """Estimate what a recipe needs, without its device and without loading or downloading weights.

    Args:
        recipe: what would be run.
        flops: operations per second of a large matrix product on the device, in the recipe's
            precision; measured for a second if the device is there.

    Raises:
        ValueError: one line, as `benchmarks.preflight.checks.resolve_recipe`. A hub model that
            cannot be looked up because neither hub nor cache has it is listed as `unreachable`.
    """
    quiet_libraries()
    reachable, unreachable = _reachable_models(recipe.models)
    cells = tuple(list_cells(recipe))
    rate, rate_source = _matmul_rate(recipe, flops)
    resolved = None
    if reachable:
        part = recipe.model_copy(update={"models": tuple(reachable)})
        resolved = resolve_models_and_data(part, resolve_models(part, part.models))
    models = resolved.models if resolved else {}
    return Plan(
        recipe=recipe,
        cells=cells,
        shapes={label: ModelShape.of(model.skeleton) for label, model in models.items()},
        downloads={
            label: download_bytes(model.source, model.commit)
            for label, model in models.items()
            if isinstance(model.source, str)
        },
        unreachable=unreachable,
        needs=_needs_by_cell(resolved, cells) if resolved else {},
        data_bytes=sum(_folder_bytes(d.folder) for d in resolved.datasets.values())
        if resolved
        else 0,
        rate=rate,
        rate_source=rate_source,
    )


def _reachable_models(models: Sequence[ModelEntry]) -> tuple[list[ModelEntry], dict[str, str]]:
    """Return the models whose configs can be read, and why the others' cannot, by label."""
    reachable, unreachable = [], {}
    for model in models:
        source = model_source(model.name)
        try:
            if isinstance(source, str):
                resolve_checkpoint(source, model.revision)
            reachable.append(model)
        except UnreachableError as error:
            unreachable[model.label] = str(error)
    return reachable, unreachable


def _needs_by_cell(resolved: ResolvedRecipe, cells: Sequence[Cell]) -> dict[str, Needs]:
    recipe, needs = resolved.recipe, {}
    sizes: dict[tuple[str, str, str, int], DataSize] = {}
    for cell in cells:
        if cell.model.label not in resolved.models:
            continue
        model = resolved.model(cell.model)
        key = (cell.model.label, cell.task.label, cell.trigger.name, cell.seed)
        if key not in sizes:
            columns = resolved.dataset(cell.task, cell.trigger, cell.seed).probe_columns
            sizes[key] = _data_size(columns, model.prompt_encoder, recipe.reads_tokens())
        settings = recipe.finetuning(cell.model, cell.task)
        needs[cell.name] = estimate_needs(
            recipe,
            model.build_skeleton() if cell.is_finetuned else model.skeleton,
            settings if cell.is_finetuned else None,
            sizes[key],
            getattr(torch, recipe.precision(cell.model)),
            bytes_per_weight(recipe, cell.model),
            _recurrent_state_count(recipe, model),
        )
    return needs


def _recurrent_state_count(recipe: Recipe, model: ResolvedModel) -> int:
    """Return how many recurrent states are stored for a prompt, over the recipe's sites."""
    sites = recipe.state_sites()
    return sum(len(model.state_layers[site]) for site in sites) if sites else 0


def _data_size(columns: Columns, tokenizer: PromptEncoder, reads_tokens: bool) -> DataSize:
    prompts = columns["prompt"].tolist()
    sample = prompts if reads_tokens else prompts[:: max(1, len(prompts) // PROMPT_SAMPLE)]
    tokens = prompt_tokens(tokenizer, sample)
    mean, longest = prompt_lengths(tokens)
    return DataSize(
        tokens=mean,
        longest=longest,
        examples=len(prompts),
        scored=sum(split in SCORED_SPLITS for split in columns["split"]),
        token_states=sum(map(len, tokens)) if reads_tokens else 0,
    )


def _matmul_rate(recipe: Recipe, flops: float | None) -> tuple[float | None, str]:
    """Return the device's rate, and how it is known or why it is not."""
    if flops is not None:
        return flops, "as given"
    try:
        check_device(recipe.device)
    except ValueError as error:
        return None, f"{error}; give the device's rate with --flops"
    rate = measure_matmul_rate(torch.device(recipe.device), getattr(torch, recipe.dtype))
    return rate, f"measured on {recipe.device} in {recipe.dtype}"


def measure_matmul_rate(device: torch.device, dtype: torch.dtype, seconds: float = 1.0) -> float:
    """Measure the operations per second of matrix products that are large for the device."""
    threads = torch.get_num_threads()
    if device.type == "cpu":
        torch.set_num_threads(os.cpu_count() or 1)
    try:
        size, duration = 512, 0.0
        while duration < seconds / 50 and size < 8192:
            size *= 2
            a = torch.randn(size, size, device=device).to(dtype)
            duration = min(_time(lambda a=a: a @ a, device) for _ in range(2))  # type: ignore[misc]
        durations: list[float] = []
        while sum(durations) < seconds:
            durations.append(_time(lambda: a @ a, device))
        return 2 * size**3 / min(durations)
    finally:
        torch.set_num_threads(threads)


def _time(work: Callable[[], object], device: torch.device) -> float:
    started = time.perf_counter()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - started


def _folder_bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
