"""`quirky tasks`: what is asked."""

from typing import Annotated

import typer
from rich.table import Table

from benchmarks.cli.difficulty import difficulty_command
from benchmarks.cli.terminal import console

tasks = typer.Typer(help="What is asked.", no_args_is_help=True)
tasks.command("difficulty")(difficulty_command)


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
