"""The command `quirky`."""

import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Column, Table
from rich.text import Text

from benchmarks.cli_finetune import finetune_command
from benchmarks.entries import own_claims
from finetune import processes

console = Console()
errors = Console(stderr=True)

app = typer.Typer(
    help="When a model lies, can we still read the truth inside it?",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
tasks = typer.Typer(help="What is asked.", no_args_is_help=True)
probes = typer.Typer(help="How truth is told from hidden states.", no_args_is_help=True)
models = typer.Typer(help="Who is asked.", no_args_is_help=True)
recipes = typer.Typer(help="What to run.", no_args_is_help=True)
for name, group in (
    ("tasks", tasks),
    ("probes", probes),
    ("models", models),
    ("recipes", recipes),
):
    app.add_typer(group, name=name)
app.command("finetune")(finetune_command)


Plugins = Annotated[
    list[str] | None,
    typer.Option("--plugin", help="a module or .py file that registers probes; may be repeated"),
]


@app.command("run")
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
        list[str] | None, typer.Option(help="a task in place of the recipe's; may be repeated")
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
    device: Annotated[str | None, typer.Option(help="cpu, cuda, cuda:1, ...")] = None,
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
    from benchmarks.changes import models_of
    from benchmarks.run import run

    tasks = [*(task or ()), *(own_claims(text) for text in data or ())]
    given: dict[str, Any] = {"models": models_of(model or (), adapter or (), quirky_model or ())}
    given |= {"tasks": tasks, "templates": templates, "device": device, "dtype": dtype}
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
    from benchmarks.plan import cells_table, models_table, plan, summary
    from benchmarks.recipe import load_recipe
    from probes.plugins import load_plugin

    for source in plugins:
        load_plugin(source)
    made = plan(load_recipe(recipe, changes), flops)
    console.print(models_table(made), cells_table(made))
    for line in summary(made):
        console.print(line, highlight=False, markup=False, soft_wrap=True)


@app.command()
def report(
    run_folder: Annotated[Path, typer.Argument(metavar="RUN", help="a run's folder: runs/NAME")],
) -> None:
    """Write a run's report again."""
    from benchmarks.report import write_report

    if not (run_folder / "manifest.json").exists():
        raise ValueError(f"{run_folder} is no run: it has no manifest.json; give runs/NAME")
    console.print(f"report: {write_report(run_folder)}", highlight=False, soft_wrap=True)


@app.command()
def strength(
    recipe: Annotated[str, typer.Argument(help="a recipe's name, or the path of a YAML file")],
    model: Annotated[str, typer.Option(help="the base to tune; one of the recipe's, or another")],
    seed: Annotated[
        int | None, typer.Option(help="of data and adapters; none that is reported on; default 100")
    ] = None,
    plugin: Plugins = None,
) -> None:
    """Find the gentlest adapter that passes the gate on heldout; the ladder is for tiny bases."""
    from benchmarks.engine import hush_libraries
    from benchmarks.pinning import pinned
    from benchmarks.recipe import load_recipe
    from benchmarks.run import check
    from benchmarks.strength import SEED, climb, require_unreported
    from probes.plugins import load_plugin

    hush_libraries()
    for source in plugin or ():
        load_plugin(source)
    asked = pinned(load_recipe(recipe, {"models": [model]}))
    seed = SEED if seed is None else seed
    require_unreported(asked, seed)
    check(asked.model_copy(update={"seeds": (seed,)}))
    passed: dict[int, bool] = {}
    with Progress(console=errors, transient=True) as bars:
        bar = bars.add_task("data", total=1.0)
        trials = climb(
            asked,
            asked.models[0],
            seed=seed,
            progress=lambda stage, done: bars.update(bar, description=stage, completed=done),
        )
        for trial in trials:
            passed[trial.rung] = passed.get(trial.rung, True) and trial.passed
            settings = ", ".join(f"{name} {value:g}" for name, value in trial.settings.items())
            figures = "  ".join(
                f"{f.context} {f.against} {f.subset} {'-' if f.value is None else f'{f.value:.2f}'}"
                for f in trial.figures
            )
            verdict = "passes" if trial.passed else "void"
            told = f"{settings}: {trial.task}: {figures}: {verdict}"
            console.print(told, highlight=False, soft_wrap=True)
    if not any(passed.values()):
        raise RuntimeError(f"{model}: no rung of the ladder passes the gate on every task")
    found = f"{model}: the gentlest that passes on every task: {settings}"
    console.print(found, highlight=False, soft_wrap=True)


@tasks.command("list")
def tasks_list() -> None:
    """Name every task and its rules."""
    from quirky.tasks import list_tasks, task_class

    table = Table("task", "what it is")
    for task in list_tasks():
        table.add_row(task, " ".join((task_class(task).__doc__ or "").split()))
    console.print(table)


@tasks.command("show")
def tasks_show(
    task: str,
    examples: Annotated[int, typer.Option(min=1, help="how many claims to render")] = 5,
    seed: int = 0,
) -> None:
    """Print a task's crosstab of truth and quirk, and some claims in both contexts."""
    from collections import Counter

    from quirky.dataset import build_dataset
    from quirky.tasks import get_task
    from quirky.triggers import get_trigger

    rows = build_dataset(get_task(task), get_trigger("name"), seed=seed)["test"].to_pandas()
    claims = rows[rows["context"] == "A"]
    count = Counter(zip(claims["truth"], claims["quirk"], strict=True))
    table = Table("", "quirk: false", "quirk: true", title=f"{task}: claims of the test split")
    for truth in (False, True):
        table.add_row(
            f"truth: {str(truth).lower()}", *(str(count[truth, q]) for q in (False, True))
        )
    console.print(table)
    shown = Table("context", "prompt", "truth", "label")
    for _, row in rows.head(2 * examples).iterrows():
        shown.add_row(row["context"], row["prompt"], str(row["truth"]), str(row["label"]))
    console.print(shown)


@probes.command("list")
def probes_list(plugin: Plugins = None) -> None:
    """Name every probe, built in or brought by a plug-in."""
    from probes import list_probes
    from probes.plugins import load_plugin
    from probes.registry import probe_class, source_of

    for source in plugin or ():
        load_plugin(source)
    source_column = Column("from", overflow="fold")
    table = Table("probe", "reads", "labels may", source_column, "what it is")
    may = {"labels": "decide", "sign": "orient and scale", "none": "do nothing"}
    for name in list_probes():
        probe = probe_class(name)
        summary = (probe.__doc__ or "").strip().partition("\n\n")[0]
        what = " ".join(summary.split())
        table.add_row(name, probe.reads, may[probe.supervision], source_of(name), what)
    console.print(table)


@probes.command("check")
def probes_check(
    probe: Annotated[str, typer.Argument(help="NAME, my_package:MyProbe or my_file.py:MyProbe")],
    plugin: Plugins = None,
) -> None:
    """Hold a probe to the contract: pass, fail or exempt for every check; exit code 1 if any fails.

    A failure is followed by what is wrong, an exemption by its reason.
    """
    from collections import Counter

    from probes.checks import outcomes
    from probes.plugins import load_plugin
    from probes.registry import find_probe

    for source in plugin or ():
        load_plugin(source)
    cls = find_probe(probe)
    colours = {"pass": "green", "fail": "red", "exempt": "yellow"}
    count: Counter[str] = Counter()
    for outcome in outcomes(cls):
        count[outcome.verdict] += 1
        told = f": {outcome.sentence}" if outcome.sentence else ""
        line = Text(f"{outcome.verdict:6}  ", colours[outcome.verdict])
        console.print(line.append(f"{outcome.check}{told}", "default"), soft_wrap=True)
    told = ", ".join(f"{count[verdict]} {verdict}" for verdict in colours)
    console.print(f"{probe}: {told}", highlight=False, soft_wrap=True)
    if count["fail"]:
        raise typer.Exit(1)


@models.command("list")
def models_list(
    verify: Annotated[
        bool, typer.Option("--verify", help="read a tiny model of every known family, and say how")
    ] = False,
) -> None:
    """Name the embedded bases and what they know; exit code 1 if a family is not read exactly."""
    import json

    from finetune.models import embedded_bases

    if verify:
        _verify_families()
        return
    table = Table("base", "parameters", "verdicts it gets right (what it was told)")
    for name, folder in embedded_bases().items():
        record = json.loads((folder / "pretraining.json").read_text())
        known = ", ".join(f"{k} {v:.3f}" for k, v in record["verdict_accuracy"].items())
        table.add_row(name, f"{record['parameters']:,}", known)
    console.print(table)


def _verify_families() -> None:
    from rich.progress import track

    from benchmarks.engine import hush_libraries
    from finetune.tiny_families import TINY
    from finetune.verify import verify

    hush_libraries()
    headings = ("family", "blocks of the tiny model", "LoRA targets", "sites (blocks)", "error")
    table = Table(*(Column(heading, overflow="fold") for heading in headings))
    found = [verify(family) for family in track(TINY, "reading", console=errors, transient=True)]
    for family in found:
        sites, targets = "\n".join(family.sites), ", ".join(family.targets)
        error = f"[red]{family.refused}[/red]" if family.refused else f"{family.error:.1e}"
        table.add_row(family.family, family.blocks, targets, sites, error)
    console.print(table)
    if any(family.refused for family in found):
        raise typer.Exit(1)


@recipes.command("list")
def recipes_list() -> None:
    """Name the recipes that come with the package."""
    from benchmarks.recipe import list_recipes, load_recipe

    table = Table("recipe", "models", "tasks", "probes")
    for name in list_recipes():
        recipe = load_recipe(name)
        table.add_row(
            name,
            ", ".join(model.name for model in recipe.models),
            ", ".join(task.name for task in recipe.tasks),
            ", ".join(probe.shown for probe in recipe.probes),
        )
    console.print(table)


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Print a warning as one line, without the code that gave it."""
    if not processes.is_first():
        return
    told = " ".join(str(message).split())
    errors.print(f"warning: {told}", style="yellow", markup=False, highlight=False, soft_wrap=True)


def main() -> None:
    """Run the command; a mistake of the user's is one line and exit code 2, a failure is 1."""
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            app()
    except ValueError as error:
        if processes.is_first():  # every process finds the same mistake
            _tell(f"error: {error}")
        sys.exit(2)
    except (RuntimeError, OSError) as error:
        who = f" (process {processes.rank()})" if processes.count() > 1 else ""
        _tell(f"failed{who}: {error}")
        sys.exit(1)


def _tell(problem: str) -> None:
    errors.print(problem, style="red", markup=False, highlight=False, soft_wrap=True)


if __name__ == "__main__":  # for torchrun, which starts modules
    main()
