"""`quirky run` and `quirky report`: from a recipe to a report."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks.cli.arguments import (
    TASK,
    TRIGGER,
    PluginOption,
    load_plugins,
    parse_entry,
    parse_own_claims,
)
from benchmarks.cli.terminal import console, print_line


def run_command(
    recipe: Annotated[str, typer.Argument(help="a recipe's name, or the path of a YAML file")],
    model: Annotated[
        list[str] | None,
        typer.Option(
            help="a base in place of the recipe's models: hub id or folder; may be repeated"
        ),
    ] = None,
    adapter: Annotated[
        list[str] | None,
        typer.Option(
            help="a LoRA adapter that is quirky already, so nothing is fine-tuned: folder or hub "
            "id (org/name, org/name@revision); its base is --model, or the one that its settings "
            "name; may be repeated"
        ),
    ] = None,
    quirky_model: Annotated[
        list[str] | None,
        typer.Option(
            help="a whole model that is quirky already: hub id or folder; may be repeated"
        ),
    ] = None,
    task: Annotated[
        list[str] | None,
        typer.Option(
            metavar=TASK,
            help="a task in place of the recipe's, with the recipe's settings or with parameters, "
            "as in lookup,dials=3+8; may be repeated",
        ),
    ] = None,
    templates: Annotated[
        Path | None, typer.Option(help="a YAML file of templates in place of the one task's own")
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
            metavar=TRIGGER,
            help="a trigger in place of the recipe's, as in position,distance=8; may be repeated",
        ),
    ] = None,
    device: Annotated[str | None, typer.Option(help="cpu or cuda")] = None,
    dtype: Annotated[str | None, typer.Option(help="float32, bfloat16 or float16")] = None,
    chat: Annotated[
        bool, typer.Option("--chat", help="prompt instruct models through their chat template")
    ] = False,
    workers: Annotated[
        int | None, typer.Option(min=1, help="cells computed at once; default: one per core")
    ] = None,
    to: Annotated[Path, typer.Option(help="folder in which the run folder is made")] = Path("runs"),
    plugin: PluginOption = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="print what the run needs; load no weights")
    ] = False,
    flops: Annotated[
        float | None,
        typer.Option(min=1, help="with --dry-run: the device's operations per second, as in 4e14"),
    ] = None,
) -> None:
    """Make quirky models, fit probes, measure transfer, write the report."""
    from benchmarks.recipe.overrides import model_entries
    from benchmarks.runner import run

    tasks: list[Any] = [
        parse_entry("--task", "name", text) if "," in text else text for text in task or ()
    ]
    tasks += [parse_own_claims(text) for text in data or ()]
    options: dict[str, Any] = {
        "models": model_entries(model or (), adapter or (), quirky_model or ()),
        "tasks": tasks,
        "templates": templates,
        "device": device,
        "dtype": dtype,
        "trigger": [parse_entry("--trigger", "kind", text) for text in trigger or ()],
        "chat": chat,
    }
    overrides = {field: value for field, value in options.items() if value}
    if flops is not None and not dry_run:
        raise ValueError(
            f"--flops {flops:g} needs --dry-run: it sets the device rate of the time estimate"
        )
    if dry_run:
        _print_plan(recipe, overrides, plugin or (), flops)
        return
    finished = run(recipe, overrides=overrides, to=to, workers=workers, plugins=plugin or ())
    print_line(f"report: {finished.report}")


def _print_plan(
    recipe: str, overrides: dict[str, Any], plugins: Sequence[str], flops: float | None
) -> None:
    from benchmarks.preflight.plan import plan_recipe
    from benchmarks.preflight.plan_tables import cells_table, models_table, summary_lines
    from benchmarks.recipe.load import load_recipe

    load_plugins(plugins)
    plan = plan_recipe(load_recipe(recipe, overrides), flops)
    console.print(models_table(plan), cells_table(plan))
    for line in summary_lines(plan):
        print_line(line)


def report_command(
    run_folder: Annotated[Path, typer.Argument(metavar="RUN", help="a run folder: runs/NAME")],
) -> None:
    """Write the report of a run again."""
    from benchmarks.report import write_report

    if not (run_folder / "manifest.json").exists():
        raise ValueError(f"{run_folder} is not a run: it has no manifest.json; give runs/NAME")
    print_line(f"report: {write_report(run_folder)}")
