"""The command `quirky`: one module a noun or verb; they import what they need when they are run."""

import sys
import warnings
from typing import TextIO

import typer
from rich.console import Console

from benchmarks.cli.finetune import finetune_command
from benchmarks.cli.models import models
from benchmarks.cli.probes import probes
from benchmarks.cli.recipes import recipes
from benchmarks.cli.run import report_command, run_command
from benchmarks.cli.strength import strength_command
from benchmarks.cli.tasks import tasks
from finetune.training import processes

problems = Console(stderr=True)
"""Of every process, where several were started."""

app = typer.Typer(
    help="When a model lies, can we still read the truth inside it?",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
for verb, command in (
    ("run", run_command),
    ("finetune", finetune_command),
    ("report", report_command),
    ("strength", strength_command),
):
    app.command(verb)(command)
for noun, group in (("tasks", tasks), ("probes", probes), ("models", models), ("recipes", recipes)):
    app.add_typer(group, name=noun)


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
    problems.print(
        f"warning: {told}", style="yellow", markup=False, highlight=False, soft_wrap=True
    )


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


def _tell(problem: str, colour: str = "red") -> None:
    problems.print(problem, style=colour, markup=False, highlight=False, soft_wrap=True)
