"""`quirky tasks lint`: find faults in templates and triggers."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import track

from benchmarks.cli.arguments import (
    TASK,
    TRIGGER,
    DataOption,
    PluginOption,
    build_task,
    build_trigger,
    load_plugins,
    parse_entry,
)
from benchmarks.cli.terminal import errors, print_line

if TYPE_CHECKING:
    from quirky.lint import CheckAnswers, Finding
    from quirky.tasks import Task
    from quirky.triggers import Trigger


def lint_command(
    task: Annotated[
        list[str] | None, typer.Argument(metavar=f"[{TASK}]...", help="default: every task")
    ] = None,
    trigger: Annotated[
        list[str] | None,
        typer.Option(metavar=TRIGGER, help="may be repeated; default: every kind"),
    ] = None,
    data: DataOption = None,
    tokenizer: Annotated[
        str | None,
        typer.Option(
            metavar="PATH",
            help="a model; its tokenizer must give the two answers different first tokens",
        ),
    ] = None,
    plugin: PluginOption = None,
) -> None:
    """Check every template of every task under every trigger; exit code 1 if there is a fault.

    A line that ends in "check by hand" is not counted as a fault.
    """
    load_plugins(plugin)
    if data and len(task or ()) != 1:
        raise ValueError(f"--data {data!r}: name the one task whose claims they are")
    check_answers = _answer_check(tokenizer) if tokenizer else None
    triggers, findings = _lint_triggers(trigger)
    tasks, task_findings, skipped = _lint_tasks(task, data, triggers, check_answers)
    findings += task_findings
    for finding in findings:
        print_line(str(finding), "red" if finding.certain else "yellow")
    faults = sum(finding.certain for finding in findings)
    tokenizer_note = f"answers as tokens of {tokenizer}" if tokenizer else "no tokenizer given"
    print_line(
        f"{_count_templates(tasks)} templates of {len(tasks)} tasks"
        + (f" ({skipped} skipped, without data)" if skipped else "")
        + f" under {_name_triggers(triggers)}, {tokenizer_note}: "
        f"{faults} faults, {len(findings) - faults} to check by hand"
    )
    if faults:
        raise typer.Exit(1)


def _lint_triggers(entries: Sequence[str] | None) -> "tuple[list[Trigger], list[Finding]]":
    """Return the triggers to render under, by default all, and what is wrong with them."""
    from quirky.lint import Finding, lint_trigger
    from quirky.triggers import list_triggers

    triggers: list[Trigger] = []
    findings: list[Finding] = []
    for entry in entries or list_triggers():
        try:
            trigger, distance = build_trigger(entry)
            if distance:
                raise ValueError(f"--trigger {entry!r}: leave distance out; all fillers are alike")
            findings += lint_trigger(trigger)
            triggers.append(trigger)
        except ValueError as error:
            if entries:
                raise
            name = f"trigger {entry}"
            findings.append(Finding(name, "", str(error).removeprefix(f"{name}: ")))
    return triggers, findings


def _lint_tasks(
    entries: Sequence[str] | None,
    data: str | None,
    triggers: "list[Trigger]",
    check_answers: "CheckAnswers | None",
) -> "tuple[list[Task], list[Finding], int]":
    """Return the tasks, by default all, what is wrong with them, and how many were skipped."""
    from quirky.lint import Finding, lint_task, task_with_negations
    from quirky.tasks import list_tasks

    tasks: list[Task] = []
    findings: list[Finding] = []
    skipped = 0
    for entry in track(entries or list_tasks(), "rendering", console=errors, transient=True):
        try:
            parameters = parse_entry("TASK", "name", entry)
            task = build_task(entry, data) if data else task_with_negations(**parameters)
            findings += lint_task(task, triggers, check_answers)
            tasks.append(task)
        except ValueError as error:
            if entries:
                raise
            if _needs_data(entry):
                skipped += 1
                print_line(f"skipped: {error}")
            else:
                findings.append(Finding(entry, "", str(error).removeprefix(f"task {entry}: ")))
    return tasks, findings, skipped


def _needs_data(task: str) -> bool:
    from quirky.tasks import task_class

    try:
        return task_class(task).reads_data
    except ValueError:
        return False


def _count_templates(tasks: "Iterable[Task]") -> int:
    return sum(len({*task.templates, task.standard} - {None}) for task in tasks)


def _name_triggers(triggers: "list[Trigger]") -> str:
    kinds = ", ".join(trigger.kind for trigger in triggers)
    return f"{len(triggers)} trigger{'s' if len(triggers) > 1 else ''} ({kinds})"


def _answer_check(model: str) -> "CheckAnswers":
    from functools import partial

    from benchmarks.cells.progress import quiet_libraries
    from finetune.models.tokenizer import load_tokenizer
    from finetune.prompting.answers import check_answers

    quiet_libraries()
    return partial(check_answers, load_tokenizer(model))
