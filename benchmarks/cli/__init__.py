"""The command `quirky`, one module per noun or verb; heavy modules load when a command runs."""

import sys
import warnings

import typer

from benchmarks.cli import terminal
from benchmarks.cli.finetune import finetune_command
from benchmarks.cli.models import models
from benchmarks.cli.probes import probes
from benchmarks.cli.recipes import recipes
from benchmarks.cli.run import report_command, run_command
from benchmarks.cli.strength import strength_command
from benchmarks.cli.tasks import tasks

__all__ = ["app", "main"]

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


def main() -> None:
    """Run the command: a mistake of the user's is one line and exit code 2, a failure is 1."""
    from finetune.training import processes

    if not processes.is_first():
        terminal.silence()
    try:
        with warnings.catch_warnings():
            warnings.showwarning = terminal.print_warning
            app()
    except ValueError as error:
        terminal.print_error(f"error: {error}")
        sys.exit(2)
    except (RuntimeError, OSError) as error:
        process = f" (process {processes.rank()})" if processes.count() > 1 else ""
        terminal.print_failure(f"failed{process}: {error}")
        sys.exit(1)
