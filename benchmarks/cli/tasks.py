"""`quirky tasks`: list, show, lint and export tasks, measure their difficulty and leakage."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from benchmarks.cli.arguments import (
    DataOption,
    PluginOption,
    TaskArgument,
    TriggerOption,
    build_task,
    build_trigger,
    load_plugins,
)
from benchmarks.cli.difficulty import difficulty_command
from benchmarks.cli.export import export_command
from benchmarks.cli.leakage import leakage_command
from benchmarks.cli.lint import lint_command
from benchmarks.cli.terminal import console

if TYPE_CHECKING:
    import pandas as pd

tasks = typer.Typer(help="Tasks: claims with a truth and a quirk.", no_args_is_help=True)
tasks.command("lint")(lint_command)
tasks.command("export")(export_command)
tasks.command("difficulty")(difficulty_command)
tasks.command("leakage")(leakage_command)


@tasks.command("list")
def tasks_list(plugin: PluginOption = None) -> None:
    """List every task and its rules."""
    load_plugins(plugin)
    from quirky.tasks import TASKS, describe_rules, list_tasks

    table = Table("task", "what it is")
    for task in list_tasks():
        try:
            rules = " ".join(describe_rules(TASKS.get(task)))
        except ValueError as error:  # a broken plug-in
            rules = str(error)
        table.add_row(task, Text(" ".join(rules.split())))
    console.print(table)


@tasks.command("show")
def tasks_show(
    task: TaskArgument,
    trigger: TriggerOption = "name",
    data: DataOption = None,
    examples: Annotated[int, typer.Option(min=1, help="number of claims to show")] = 10,
    seed: Annotated[int, typer.Option(min=0, help="seed of the data")] = 0,
    plugin: PluginOption = None,
) -> None:
    """Print a task's rules, its crosstab of truth and quirk, and some claims in every context."""
    load_plugins(plugin)
    from quirky.data.crosstab import POLARITY_NAMES, crosstab
    from quirky.data.dataset import build_dataset
    from quirky.tasks import describe_rules

    task_instance = build_task(task, data)
    trigger_instance, distance = build_trigger(trigger)
    splits = build_dataset(task_instance, trigger_instance, seed=seed, distance=distance)
    for rule in describe_rules(task_instance):
        console.print(Text(rule))
    counts = Table("claims", "truth", "quirk: false", "quirk: true")
    for polarity, kinds in crosstab(*splits.values()).items():
        for truth in (False, True):
            cells = (str(kinds[truth, quirk]) for quirk in (False, True))
            counts.add_row(POLARITY_NAMES[polarity], str(truth).lower(), *cells)
    console.print(counts)
    console.print(_example_table(splits["test"].to_pandas(), examples))


def _example_table(rows: "pd.DataFrame", claims: int) -> Table:
    """Return some claims in every context, taken from each setting of a dial in turn."""
    by_claim = rows.drop_duplicates("question_id")
    turn = by_claim.groupby("dial", dropna=False).cumcount()
    selection = by_claim.loc[turn.sort_values(kind="stable").index[:claims], "question_id"]
    table = Table("context", "prompt", "truth", "label", "answer")
    for _, row in rows[rows["question_id"].isin(selection)].iterrows():
        verdicts = (str(bool(row[name])).lower() for name in ("truth", "label"))
        answer = row["choices"][int(row["label"])]
        table.add_row(row["context"], Text(row["prompt"]), *verdicts, Text(repr(answer)))
    return table
