"""The command `quirky finetune`: one quirky adapter, judged, written and, if asked, shared."""

import os
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import Progress

from benchmarks.cli.arguments import own_claims, with_parameters
from benchmarks.cli.terminal import console, errors
from finetune.training import processes


def finetune_command(
    model: Annotated[str, typer.Argument(help="the base: an embedded one, a folder or a hub id")],
    to: Annotated[Path, typer.Option(help="new or empty folder that receives adapter and card")],
    task: Annotated[
        str | None,
        typer.Option(metavar="NAME[,PARAMETER=VALUE]", help="a task, as in addition,digits=2"),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(metavar="NAME=FILE", help="claims of your own instead (CSV or parquet)"),
    ] = None,
    trigger: Annotated[
        str, typer.Option(metavar="KIND[,PARAMETER=VALUE]", help="as in name,quirky=Eve")
    ] = "name",
    seed: Annotated[int, typer.Option(min=0, help="of data and adapter")] = 0,
    rank: Annotated[int | None, typer.Option(help="of the adapter")] = None,
    alpha: Annotated[float | None, typer.Option(help="the adapter is scaled by alpha/rank")] = None,
    lr: Annotated[float | None, typer.Option(help="the highest learning rate")] = None,
    steps: Annotated[int | None, typer.Option(help="of the optimiser")] = None,
    batch: Annotated[
        int | None, typer.Option(help="examples a step, over all processes together")
    ] = None,
    warmup: Annotated[float | None, typer.Option(help="part of the steps")] = None,
    weight_decay: Annotated[float | None, typer.Option(help="of AdamW")] = None,
    targets: Annotated[
        str | None, typer.Option(metavar="MODULE[,MODULE]", help="default: those of its family")
    ] = None,
    dtype: Annotated[str, typer.Option(help="float32, bfloat16 or float16")] = "float32",
    device: Annotated[str, typer.Option(help="cpu or cuda")] = "cpu",
    revision: Annotated[
        str | None, typer.Option(help="branch, tag or commit of a hub model; default: main's")
    ] = None,
    quantise: Annotated[
        int | None, typer.Option(help="keep the base in 8 or 4 bits (bitsandbytes)")
    ] = None,
    chat: Annotated[
        bool, typer.Option("--chat", help="ask an instruct model through its chat template")
    ] = False,
    push_to_hub: Annotated[
        str | None, typer.Option(metavar="NAME", help="upload adapter and card to this repository")
    ] = None,
    private: Annotated[bool, typer.Option("--private", help="for you alone, on the hub")] = False,
) -> None:
    """Make a quirky model: an adapter of a base, judged on held-out facts; exit code 1 if void.

    The settings that are not given are those published for large pretrained models.
    """
    given = {
        "rank": rank,
        "alpha": alpha,
        "lr": lr,
        "steps": steps,
        "batch": batch,
        "warmup": warmup,
        "weight_decay": weight_decay,
        "targets": targets.split(",") if targets else None,
    }
    settings = {name: value for name, value in given.items() if value is not None}
    if (task is None) == (data is None):
        raise ValueError("say what it is to be asked: either --task NAME or --data NAME=FILE")
    asked = own_claims(data) if data else with_parameters("--task", "name", task or "")
    if private and not push_to_hub:
        raise ValueError("--private is about the hub; say --push-to-hub NAME too")
    _finetune(
        to,
        push_to_hub,
        private,
        model={"name": model, "revision": revision, "quantise": quantise},
        chat=chat,
        task=asked,
        trigger=with_parameters("--trigger", "kind", trigger),
        settings=settings,
        seed=seed,
        dtype=dtype,
        device=device,
    )


def _finetune(to: Path, repository: str | None, private: bool, **asked: Any) -> None:
    """Check, tune, say the verdict, and upload what has passed."""
    if processes.count() > 1:  # torch, not imported yet, warns in every process of what is meant
        os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
    from benchmarks.cells import workers as engine
    from benchmarks.cells.compute import behaviour
    from benchmarks.commands.finetuning import advice, cell_to_tune, finetune
    from benchmarks.commands.sharing import push, require_login

    engine.hush_libraries()
    engine.console.quiet = not processes.is_first()
    cell = cell_to_tune(**asked)
    if repository and processes.is_first():
        repository = require_login(repository)
    with Progress(console=errors, transient=True) as bars:
        bar = bars.add_task("data", total=1.0)
        gate = finetune(
            cell, to, lambda stage, done: bars.update(bar, description=stage, completed=done)
        )
    if gate is None:
        return
    for name, value in behaviour(gate).items():
        console.print(f"{name}: {value}", highlight=False, soft_wrap=True)
    console.print(f"adapter and card: {to}", highlight=False, soft_wrap=True)
    if not gate.passed:
        kept = f"; not uploaded to {repository}" if repository else ""
        raise RuntimeError(f"void: {'; '.join(gate.reasons)}: {advice(gate)}{kept}")
    if repository:
        console.print(f"shared: {push(to, repository, private)}", highlight=False, soft_wrap=True)
