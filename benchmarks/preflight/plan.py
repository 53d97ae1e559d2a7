"""What a recipe needs before it is run: its cells, their memory, disk and time, without weights.

Configs, tokenizers and data sets are real; a model's shape is built on the meta device.
"""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from rich.table import Column, Table

from benchmarks.cells.artefacts import all_columns, data_of, load_data
from benchmarks.cells.cell import Cell, cells_of
from benchmarks.preflight.needs import Asked, ModelShape, Needs, lengths, needs_of
from benchmarks.recipe.entries import ModelSpec
from benchmarks.recipe.pinning import bytes_a_number
from benchmarks.recipe.schema import Recipe
from benchmarks.run import check_asked, check_device
from benchmarks.scoring.fits import SCORED, Columns
from finetune.hub.checkpoints import download_bytes, resolve_checkpoint
from finetune.hub.resources import format_bytes
from finetune.models.skeleton import load_skeleton
from finetune.models.source import model_source
from finetune.models.tokenizer import load_prompt_encoder
from finetune.prompting.answers import PromptEncoder, prompt_tokens
from finetune.reading.recurrent import state_layers
from quirky.hub import UnreachableError

UTILISATION = 0.35
"""The part of a device's rate for matrix products that a model gets: an assumption, as published
runs on accelerators reach .2 to .5. With it `tiny` on two cores comes out at its real time within a
factor of two."""
CALL_SECONDS = 1e-5
"""What a call of the device costs, however little it does: an assumption."""
SAMPLE = 500
"""Prompts whose length is looked at."""


@dataclass(frozen=True)
class Plan:
    """The cells of a recipe and what they need.

    Attributes:
        shapes: by the name of a model, how large it is.
        downloads: by the name of a hub model, the bytes of its weights that are not in the cache;
            None where nobody says.
        unknown: by the name of a model that could not be looked at, why.
        needs: by the name of a cell, what it needs; those of unknown models are missing.
        data: bytes of the data sets, which are made by planning.
        rate: floating-point operations a second of the device's matrix products.
        rate_from: how that is known, or why it is not.
    """

    recipe: Recipe
    cells: tuple[Cell, ...]
    shapes: Mapping[str, ModelShape]
    downloads: Mapping[str, int | None]
    unknown: Mapping[str, str]
    needs: Mapping[str, Needs]
    data: int
    rate: float | None
    rate_from: str

    def seconds(self, needs: Needs) -> float | None:
        """Estimate the time to fine-tune and read a cell; None without a rate."""
        if self.rate is None:
            return None
        return needs.flops / (self.rate * UTILISATION) + needs.calls * CALL_SECONDS


def plan(recipe: Recipe, flops: float | None = None) -> Plan:
    """Find out what a recipe needs, without its device and without loading or downloading weights.

    Args:
        recipe: what would be run.
        flops: operations a second of a large matrix product on the device, in the recipe's
            precision; measured, for a second, if the device is there.

    Raises:
        ValueError: in one line, as `benchmarks.run.check`. A hub model that cannot be looked at,
            for want of a hub or a cache, is no error: it is `unknown`.
    """
    reachable, unknown = _look_at(recipe.models)
    cells = tuple(cells_of(recipe))
    rate, rate_from = _rate(recipe, flops)
    if reachable:
        check_asked(recipe.model_copy(update={"models": tuple(reachable)}))
    needs: dict[str, Needs] = {}
    for model in reachable:
        asked, kept = _asked_of(recipe, model), _recurrent_layers(recipe, model)
        for cell in cells:
            if cell.model == model:
                settings = recipe.finetuning(cell.model, cell.task)
                needs[cell.name] = needs_of(
                    recipe,
                    load_skeleton(model.name, model.revision),
                    settings if cell.tuned else None,
                    asked[cell.task.label, cell.trigger.name, cell.seed],
                    getattr(torch, recipe.precision(model)),
                    bytes_a_number(recipe, model),
                    kept,
                )
    return Plan(
        recipe=recipe,
        cells=cells,
        shapes={m.name: ModelShape.of(load_skeleton(m.name, m.revision)) for m in reachable},
        downloads={
            source: download_bytes(source, m.revision)
            for m in reachable
            if isinstance(source := model_source(m.name), str)
        },
        unknown=unknown,
        needs=needs,
        data=sum(map(_folder_bytes, _data_folders(recipe).values())) if reachable else 0,
        rate=rate,
        rate_from=rate_from,
    )


def _look_at(models: Sequence[ModelSpec]) -> tuple[list[ModelSpec], dict[str, str]]:
    """Return the models whose configs can be read, and why the others' cannot."""
    reachable, unknown = [], {}
    for model in models:
        source = model_source(model.name)
        try:
            if isinstance(source, str):
                resolve_checkpoint(source, model.revision)
            reachable.append(model)
        except UnreachableError as error:
            unknown[model.label] = str(error)
    return reachable, unknown


def _recurrent_layers(recipe: Recipe, model: ModelSpec) -> int:
    """Return how many recurrent states, of the sites that the recipe names, a prompt leaves."""
    if not recipe.state_sites():
        return 0
    found = state_layers(load_skeleton(model.name, model.revision))
    return sum(len(found[site]) for site in recipe.state_sites())


Key = tuple[str, str, int]
"""Of a data set: task, trigger, seed."""


def _data_folders(recipe: Recipe) -> dict[Key, Path]:
    return {
        (task.label, trigger.name, seed): data_of(recipe, task, trigger, seed)
        for task in recipe.tasks
        for trigger in recipe.trigger
        for seed in recipe.seeds
    }


def _asked_of(recipe: Recipe, model: ModelSpec) -> dict[Key, Asked]:
    """Return, by task, trigger and seed, what is asked of a model."""
    tokenizer = load_prompt_encoder(model.name, model.revision, chat=recipe.chat)
    return {
        key: _measure(all_columns(load_data(folder)), tokenizer, recipe.reads_tokens())
        for key, folder in _data_folders(recipe).items()
    }


def _measure(columns: Columns, tokenizer: PromptEncoder, reads_tokens: bool) -> Asked:
    prompts = columns["prompt"].tolist()
    seen = prompts if reads_tokens else prompts[:: max(1, len(prompts) // SAMPLE)]
    tokens = prompt_tokens(tokenizer, seen)
    mean, longest = lengths(tokens)
    return Asked(
        tokens=mean,
        longest=longest,
        examples=len(prompts),
        scored=sum(split in SCORED for split in columns["split"]),
        token_states=sum(map(len, tokens)) if reads_tokens else 0,
    )


def _rate(recipe: Recipe, flops: float | None) -> tuple[float | None, str]:
    """Return the device's rate, and how it is known."""
    if flops is not None:
        return flops, "as given"
    try:
        check_device(recipe.device)
    except ValueError as error:
        return None, f"{error}; say with --flops what the device gives"
    rate = matmul_rate(torch.device(recipe.device), getattr(torch, recipe.dtype))
    return rate, f"measured on {recipe.device} in {recipe.dtype}"


def matmul_rate(device: torch.device, dtype: torch.dtype, seconds: float = 1.0) -> float:
    """Measure the operations a second of matrix products that are large for the device."""
    threads = torch.get_num_threads()
    if device.type == "cpu":
        torch.set_num_threads(os.cpu_count() or 1)
    try:
        size, spent = 512, 0.0
        while spent < seconds / 50 and size < 8192:
            size *= 2
            a = torch.randn(size, size, device=device).to(dtype)
            spent = min(_seconds(lambda a=a: a @ a, device) for _ in range(2))  # type: ignore[misc]
        times: list[float] = []
        while sum(times) < seconds:
            times.append(_seconds(lambda: a @ a, device))
        return 2 * size**3 / min(times)
    finally:
        torch.set_num_threads(threads)


def _seconds(work: Callable[[], object], device: torch.device) -> float:
    started = time.perf_counter()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - started


def _folder_bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def models_table(made: Plan) -> Table:
    """Show the models and their weights."""
    table = Table("model", title="models")
    for column in ("parameters", "blocks x width", "weights", "as", "to download"):
        table.add_column(column, justify="right")
    for model in made.recipe.models:
        shape = made.shapes.get(model.name)
        if shape is None:
            table.add_row(model.label, *["?"] * 5)
            continue
        download = made.downloads.get(model.name, 0)
        table.add_row(
            model.label,
            f"{shape.parameters:,}",
            f"{shape.blocks} x {shape.width}",
            format_bytes(shape.parameters * bytes_a_number(made.recipe, model)),
            f"{model.quantise} bits" if model.quantise else made.recipe.precision(model),
            "?" if download is None else format_bytes(download) if download else "-",
        )
    return table


def cells_table(made: Plan) -> Table:
    """Show the cells and what each needs."""
    table = Table(Column("cell", overflow="fold"), title="cells")
    for column in ("device memory", "host memory", "disk", "time"):
        table.add_column(column, justify="right")
    for cell in made.cells:
        needs = made.needs.get(cell.name)
        if needs is None:
            table.add_row(cell.name, *["?"] * 4)
            continue
        sizes = [format_bytes(n) for n in (needs.device, needs.host, needs.disk)]
        table.add_row(cell.name, *sizes, shown_time(made.seconds(needs)))
    return table


def summary(made: Plan) -> list[str]:
    """Say what could not be looked at, what all cells need together, and what time rests on."""
    known = list(made.needs.values())
    lines = [f"? {reason}" for reason in made.unknown.values()]
    of = f"{len(known)} of {len(made.cells)} cells" if made.unknown else f"{len(known)} cells"
    if known:
        disk = format_bytes(made.data + sum(needs.disk for needs in known))
        peak = format_bytes(max(needs.device for needs in known))
        host = format_bytes(max(needs.host for needs in known))
        lines.append(f"{of}: disk {disk}; device memory {peak}, host memory {host} a cell at most")
        times = [made.seconds(needs) for needs in known]
        total = None if made.rate is None else sum(t for t in times if t is not None)
        lines.append(
            f"time, an estimate: {shown_time(total)} to fine-tune and to read states, one device; "
            "fitting the probes, on the CPU, comes on top"
        )
    told = "" if made.rate is None else f"{made.rate / 1e12:.3g} TFLOP/s for matrix products, "
    told += made.rate_from
    told += "" if made.rate is None else f"; a model is taken to get {UTILISATION:.0%} of it"
    return [*lines, f"rate: {told}"]


def shown_time(seconds: float | None) -> str:
    """A duration as a person reads it."""
    if seconds is None:
        return "?"
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.{1 if seconds < 10 * size else 0}f} {unit}"
    return f"{seconds:.2g} s"
