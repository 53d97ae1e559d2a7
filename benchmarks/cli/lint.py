"""`quirky tasks lint`: what is wrong with templates and triggers."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import track

from benchmarks.cli.terminal import console, errors

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
    tokenizer: Annotated[
        str | None,
        typer.Option(metavar="PATH", help="a model whose tokenizer must tell the answers apart"),
    ] = None,
) -> None:
    """Look for faults in every template of every task, under every trigger; exit code 1 if any.

    A line that ends in "cannot be told" is no fault: somebody should read the template.
    """
    from benchmarks.entries import trigger_from, with_parameters
    from quirky.lint import fullest, lint_task, lint_trigger
    from quirky.tasks import list_tasks
    from quirky.tasks.base import reads_data
    from quirky.triggers import list_triggers

    named = [with_parameters("TASK", "name", text) for text in task or list_tasks()]
    triggers = [trigger_from(text) for text in trigger or list_triggers()]
    check = _checker(tokenizer) if tokenizer else None
    found = [finding for one in triggers for finding in lint_trigger(one)]
    tasks = []
    for entry in track(named, "rendering", console=errors, transient=True):
        try:
            one = fullest(**entry)
            found += lint_task(one, triggers, check)
            tasks.append(one)
        except ValueError as error:
            if task or not reads_data(str(entry["name"])):
                raise
            console.print(f"not looked at: {error}", markup=False, highlight=False, soft_wrap=True)
    for finding in found:
        colour = "red" if finding.certain else "yellow"
        console.print(str(finding), style=colour, markup=False, highlight=False, soft_wrap=True)
    faults = sum(finding.certain for finding in found)
    templates = sum(len({*one.templates, one.standard} - {None}) for one in tasks)
    looked = f"{templates} templates of {len(tasks)} tasks under {_kinds(triggers)}"
    answers = f"answers as {tokenizer} has them" if tokenizer else "no tokenizer given"
    told = f"{looked}, {answers}: {faults} faults, {len(found) - faults} cannot be told"
    console.print(told, highlight=False, soft_wrap=True)
    if faults:
        raise typer.Exit(1)


def _kinds(triggers: "list[Trigger]") -> str:
    kinds = ", ".join(trigger.kind for trigger in triggers)
    return f"{len(triggers)} trigger{'s' if len(triggers) > 1 else ''} ({kinds})"


def _checker(name: str) -> "CheckAnswers":
    from functools import partial

    from benchmarks.engine import hush_libraries
    from finetune.answers import check_answers
    from finetune.models import load_tokenizer

    hush_libraries()
    return partial(check_answers, load_tokenizer(name))
