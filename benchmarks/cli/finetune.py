"""`quirky finetune`: make one quirky adapter, evaluate its gate, write it and share it."""

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks.cli.arguments import (
    TASK,
    DeviceOption,
    DtypeOption,
    PluginOption,
    PrivateOption,
    TriggerOption,
    load_plugins,
    parse_entry,
    parse_own_claims,
    require_hub_for_private,
)
from benchmarks.cli.terminal import print_line, progress_bar


def finetune_command(
    model: Annotated[str, typer.Argument(help="the base: embedded base, folder or hub id")],
    to: Annotated[Path, typer.Option(help="new or empty folder for the adapter and its card")],
    task: Annotated[
        str | None,
        typer.Option(metavar=TASK, help="a task, as in addition,digits=2"),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(metavar="NAME=FILE", help="your own claims in place of a task (CSV, parquet)"),
    ] = None,
    trigger: TriggerOption = "name",
    seed: Annotated[int, typer.Option(min=0, help="seed of the data and the adapter")] = 0,
    rank: Annotated[int | None, typer.Option(help="rank of the adapter")] = None,
    alpha: Annotated[float | None, typer.Option(help="the adapter is scaled by alpha/rank")] = None,
    lr: Annotated[float | None, typer.Option(help="peak learning rate")] = None,
    steps: Annotated[int | None, typer.Option(help="optimiser steps")] = None,
    batch: Annotated[
        int | None, typer.Option(help="examples per step, summed over all processes")
    ] = None,
    warmup: Annotated[float | None, typer.Option(help="warm-up, as a share of the steps")] = None,
    weight_decay: Annotated[float | None, typer.Option(help="weight decay of AdamW")] = None,
    targets: Annotated[
        str | None,
        typer.Option(
            metavar="MODULE[,MODULE]", help="modules to adapt; default: those of the model's family"
        ),
    ] = None,
    dtype: DtypeOption = "float32",
    device: DeviceOption = "cpu",
    revision: Annotated[
        str | None, typer.Option(help="branch, tag or commit of a hub model; default: main")
    ] = None,
    quantise: Annotated[
        int | None, typer.Option(help="load the base in 8 or 4 bits (bitsandbytes)")
    ] = None,
    chat: Annotated[
        bool, typer.Option("--chat", help="prompt an instruct model through its chat template")
    ] = False,
    push_to_hub: Annotated[
        str | None, typer.Option(metavar="NAME", help="upload adapter and card to this repository")
    ] = None,
    private: PrivateOption = False,
    plugin: PluginOption = None,
) -> None:
    """Fine-tune a quirky adapter of a base and evaluate its gate; exit code 1 if it is void.

    Settings that you leave out have the values published for large pretrained models.
    """
    load_plugins(plugin)
    options = {
        "rank": rank,
        "alpha": alpha,
        "lr": lr,
        "steps": steps,
        "batch": batch,
        "warmup": warmup,
        "weight_decay": weight_decay,
        "targets": targets.split(",") if targets else None,
    }
    if (task is None) == (data is None):
        raise ValueError("give either --task NAME or --data NAME=FILE, which the model learns")
    require_hub_for_private(private, push_to_hub)
    _finetune(
        to,
        push_to_hub,
        private,
        model={"name": model, "revision": revision, "quantise": quantise},
        chat=chat,
        task=parse_own_claims(data) if data else parse_entry("--task", "name", task or ""),
        trigger=parse_entry("--trigger", "kind", trigger),
        settings={name: value for name, value in options.items() if value is not None},
        seed=seed,
        dtype=dtype,
        device=device,
    )


def _finetune(to: Path, repository: str | None, private: bool, **recipe_fields: Any) -> None:
    """Check, fine-tune, print the gate's figures, and upload an adapter that passed."""
    from finetune.training import processes

    if processes.count() > 1:  # before torch loads, which warns in every process
        os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
    from benchmarks.cells import progress as cell_progress
    from benchmarks.cells.card import gate_summary
    from benchmarks.commands.finetuning import finetune, finetuning_recipe, void_advice
    from benchmarks.commands.sharing import push, require_login

    cell_progress.quiet_libraries()
    cell_progress.console.quiet = not processes.is_first()
    recipe = finetuning_recipe(**recipe_fields)
    if repository and processes.is_first():
        repository = require_login(repository)
    with progress_bar("data") as progress:
        gate = finetune(recipe, to, progress)
    if gate is None:
        return
    for name, value in gate_summary(gate).items():
        print_line(f"{name}: {value}")
    print_line(f"adapter and card: {to}")
    if not gate.passed:
        note = f"; not uploaded to {repository}" if repository else ""
        raise RuntimeError(f"void: {'; '.join(gate.reasons)}: {void_advice(gate)}{note}")
    if repository:
        print_line(f"shared: {push(to, repository, private)}")
