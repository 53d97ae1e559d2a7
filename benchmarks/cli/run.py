"""`quirky run` and `quirky report`: from a recipe to a report."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks.cli.arguments import own_claims, with_parameters
from benchmarks.cli.terminal import Plugins, console


def run_command(
    recipe: Annotated[str, typer.Argument(help="a recipe's name, or the path of a YAML file")],
    model: Annotated[
        list[str] | None,
        typer.Option(help="a base in place of the recipe's: hub id or folder; may be repeated"),
    ] = None,
    adapter: Annotated[
        list[str] | None,
        typer.Option(
            help="a LoRA adapter that makes its base quirky, which is then not fine-tuned: folder "
            "or hub id (org/name, org/name@revision); may be repeated; its base is --model, or "
            "what its settings name"
        ),
    ] = None,
    quirky_model: Annotated[
        list[str] | None,
        typer.Option(help="a whole model that is quirky already; may be repeated"),
    ] = None,
    task: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME[,PARAMETER=VALUE]",
            help="a task in place of the recipe's, as there or with parameters, as in "
            "lookup,dials=3+8; may be repeated",
        ),
    ] = None,
    templates: Annotated[
        Path | None, typer.Option(help="a YAML file of prompts in place of the one task's own")
    ] = None,
    data: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=FILE",
            help="your own claims (CSV, parquet) in place of the recipe's tasks; may be repeated",
        ),
    ] = None,
    trigger: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KIND[,PARAMETER=VALUE]",
            help="in place of the recipe's, as in position,distance=8; may be repeated",
        ),
    ] = None,
    device: Annotated[str | None, typer.Option(help="cpu or cuda")] = None,
    dtype: Annotated[str | None, typer.Option(help="float32, bfloat16 or float16")] = None,
    chat: Annotated[
        bool, typer.Option("--chat", help="ask instruct models through their chat template")
    ] = False,
    workers: Annotated[
        int | None, typer.Option(min=1, help="cells at once; default: one a core")
    ] = None,
    to: Annotated[Path, typer.Option(help="folder that receives the run's folder")] = Path("runs"),
    plugin: Plugins = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="say what it needs, without loading any weights")
    ] = False,
    flops: Annotated[
        float | None,
        typer.Option(min=1, help="for --dry-run: operations a second of the device, as in 4e14"),
    ] = None,
) -> None:
    """Make quirky models, probe them, measure transfer, write the report."""
    from benchmarks.recipe.overrides import model_entries
    from benchmarks.run import run

    tasks: list[Any] = [
        with_parameters("--task", "name", text) if "," in text else text for text in task or ()
    ]
    tasks += [own_claims(text) for text in data or ()]
    given: dict[str, Any] = {
        "models": model_entries(model or (), adapter or (), quirky_model or ())
    }
    given |= {"tasks": tasks, "templates": templates, "device": device, "dtype": dtype}
    given["trigger"] = [with_parameters("--trigger", "kind", text) for text in trigger or ()]
    given["chat"] = chat
    changes: dict[str, Any] = {field: value for field, value in given.items() if value}
    if flops is not None and not dry_run:
        raise ValueError(f"--flops {flops:g} is for --dry-run, whose estimate of time it serves")
    if dry_run:
        _show_plan(recipe, changes, plugin or (), flops)
        return
    done = run(recipe, changes=changes, to=to, workers=workers, plugins=plugin or ())
    console.print(f"report: {done.report}", highlight=False, soft_wrap=True)


def _show_plan(
    recipe: str, changes: dict[str, Any], plugins: Sequence[str], flops: float | None
) -> None:
    from probes.plugins import load_plugin

    from benchmarks.preflight.plan import plan, summary
    from benchmarks.preflight.plan_tables import cells_table, models_table
    from benchmarks.recipe.load import load_recipe

    for source in plugins:
        load_plugin(source)
    made = plan(load_recipe(recipe, changes), flops)
    console.print(models_table(made), cells_table(made))
    for line in summary(made):
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def report_command(
    run_folder: Annotated[Path, typer.Argument(metavar="RUN", help="a run's folder: runs/NAME")],
) -> None:
    """Write a run's report again."""
    from benchmarks.report import write_report

    if not (run_folder / "manifest.json").exists():
        raise ValueError(f"{run_folder} is no run: it has no manifest.json; give runs/NAME")
    console.print(f"report: {write_report(run_folder)}", highlight=False, soft_wrap=True)
