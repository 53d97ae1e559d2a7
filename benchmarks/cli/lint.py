"""`quirky tasks lint`: what is wrong with templates and triggers."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import track

from benchmarks.cli.terminal import AskedData, console, errors

if TYPE_CHECKING:
    from quirky.lint import CheckAnswers
    from quirky.triggers import Trigger


def lint_command(
    task: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME[,PARAMETER=VALUE]]...", help="default: every task"),
    ] = None,
    trigger: Annotated[
        list[str] | None,
        typer.Option(metavar="KIND[,PARAMETER=VALUE]", help="may be repeated; default: every kind"),
    ] = None,
    data: AskedData = None,
    tokenizer: Annotated[
        str | None,
        typer.Option(metavar="PATH", help="a model whose tokenizer must tell the answers apart"),
    ] = None,
) -> None:
    """Look for faults in every template of every task, under every trigger; exit code 1 if any.

    A line that ends in "check by hand" is not counted as a fault.
    """
    from benchmarks.cli.arguments import task_from, trigger_from, with_parameters
    from quirky.lint import Finding, lint_task, lint_trigger, task_with_negations
    from quirky.tasks import list_tasks
    from quirky.triggers import list_triggers

    if data and len(task or ()) != 1:
        raise ValueError(f"--data {data!r}: name the one task whose claims they are")
    check = _checker(tokenizer) if tokenizer else None
    found: list[Finding] = []
    triggers: list[Trigger] = []
    for kind in trigger or list_triggers():
        try:
            asked, distance = trigger_from(kind)
            if distance:
                raise ValueError(f"--trigger {kind!r}: leave distance out; any filler is alike")
            found += lint_trigger(asked)
            triggers.append(asked)
        except ValueError as error:
            if trigger:
                raise
            found.append(Finding(f"trigger {kind}", "", _without(f"trigger {kind}: ", error)))
    tasks, unread = [], 0
    for text in track(task or list_tasks(), "rendering", console=errors, transient=True):
        try:
            entry = with_parameters("TASK", "name", text)
            one = task_from(text, data) if data else task_with_negations(**entry)
            found += lint_task(one, triggers, check)
            tasks.append(one)
        except ValueError as error:
            if task:
                raise
            if _finds_no_data(text):
                unread += 1
                told = f"not looked at: {error}"
                console.print(told, markup=False, highlight=False, soft_wrap=True)
            else:
                found.append(Finding(text, "", _without(f"task {text}: ", error)))
    for finding in found:
        colour = "red" if finding.certain else "yellow"
        console.print(str(finding), style=colour, markup=False, highlight=False, soft_wrap=True)
    faults = sum(finding.certain for finding in found)
    templates = sum(len({*one.templates, one.standard} - {None}) for one in tasks)
    without = f" ({unread} not looked at, without data)" if unread else ""
    looked = f"{templates} templates of {len(tasks)} tasks{without} under {_kinds(triggers)}"
    answers = f"answers as {tokenizer} has them" if tokenizer else "no tokenizer given"
    told = f"{looked}, {answers}: {faults} faults, {len(found) - faults} to check by hand"
    console.print(told, highlight=False, soft_wrap=True)
    if faults:
        raise typer.Exit(1)


def _without(start: str, error: ValueError) -> str:
    """Return what an error says, but for the name that a finding says already."""
    return str(error).removeprefix(start)


def _finds_no_data(task: str) -> bool:
    from quirky.tasks import task_class

    try:
        return task_class(task).reads_data
    except ValueError:
        return False


def _kinds(triggers: "list[Trigger]") -> str:
    kinds = ", ".join(trigger.kind for trigger in triggers)
    return f"{len(triggers)} trigger{'s' if len(triggers) > 1 else ''} ({kinds})"


def _checker(name: str) -> "CheckAnswers":
    from functools import partial

    from benchmarks.cells.workers import hush_libraries
    from finetune.models.tokenizer import load_tokenizer
    from finetune.prompting.answers import check_answers

    hush_libraries()
    return partial(check_answers, load_tokenizer(name))
