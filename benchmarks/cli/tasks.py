"""`quirky tasks`: what is asked."""

from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from benchmarks.cli.difficulty import difficulty_command
from benchmarks.cli.export import export_command
from benchmarks.cli.lint import lint_command
from benchmarks.cli.terminal import AskedData, AskedTask, AskedTrigger, console

tasks = typer.Typer(help="What is asked.", no_args_is_help=True)
tasks.command("lint")(lint_command)
tasks.command("export")(export_command)
tasks.command("difficulty")(difficulty_command)


@tasks.command("list")
def tasks_list() -> None:
    """Name every task and its rules."""
    from quirky.tasks import TASKS, describe_rules, list_tasks

    table = Table("task", "what it is")
    for task in list_tasks():
        try:
            said = " ".join(describe_rules(TASKS.get(task)))
        except ValueError as error:  # of a plug-in
            said = str(error)
        table.add_row(task, Text(" ".join(said.split())))
    console.print(table)


@tasks.command("show")
def tasks_show(
    task: AskedTask,
    trigger: AskedTrigger = "name",
    data: AskedData = None,
    examples: Annotated[int, typer.Option(min=1, help="how many claims to render")] = 10,
    seed: Annotated[int, typer.Option(min=0, help="of the data")] = 0,
) -> None:
    """Print a task's rules, its crosstab of truth and quirk, and some claims in every context."""
    from benchmarks.cli.arguments import task_from, trigger_from
    from quirky.crosstab import POLARITY_NAMES, crosstab
    from quirky.dataset import build_dataset
    from quirky.tasks import describe_rules

    asked = task_from(task, data)
    told, distance = trigger_from(trigger)
    splits = build_dataset(asked, told, seed=seed, distance=distance)
    for text in describe_rules(asked):
        console.print(Text(text))
    count = Table("claims", "truth", "quirk: false", "quirk: true")
    for polarity, kinds in crosstab(*splits.values()).items():
        for truth in (False, True):
            cells = (str(kinds[truth, quirk]) for quirk in (False, True))
            count.add_row(POLARITY_NAMES[polarity], str(truth).lower(), *cells)
    console.print(count)
    rows = splits["test"].to_pandas()
    asked_once = rows.drop_duplicates("question_id")
    turn = asked_once.groupby("dial", dropna=False).cumcount()  # of a dial, each setting in turn
    first = asked_once.loc[turn.sort_values(kind="stable").index[:examples], "question_id"]
    shown = Table("context", "prompt", "truth", "label", "answer")
    for _, row in rows[rows["question_id"].isin(first)].iterrows():
        verdicts = (str(bool(row[name])).lower() for name in ("truth", "label"))
        answer = row["choices"][int(row["label"])]
        shown.add_row(row["context"], Text(row["prompt"]), *verdicts, Text(repr(answer)))
    console.print(shown)
