"""Printing to the terminal: lines, warnings, errors and progress bars."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console
from rich.progress import Progress

console = Console()
errors = Console(stderr=True)
failures = Console(stderr=True)
"""Never silenced: where several processes run, each reports its own failure."""


def silence() -> None:
    """Print nothing from this process but its failures, since another process prints."""
    console.quiet = errors.quiet = True


def print_line(line: str, style: str | None = None) -> None:
    """Print one line as it is: no markup, highlighting or wrapping."""
    _print(console, line, style)


def print_error(line: str) -> None:
    """Print a mistake of the user's."""
    _print(errors, line, "red")


def print_failure(line: str) -> None:
    """Print why this process failed."""
    _print(failures, line, "red")


def print_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Print a warning as one line, without its source code: replaces `warnings.showwarning`."""
    _print(errors, f"warning: {' '.join(str(message).split())}", "yellow")


@contextmanager
def progress_bar(stage: str) -> Iterator[Callable[[str, float], None]]:
    """Show a progress bar; yields a function of the current stage and the share done, 0 to 1."""
    with Progress(console=errors, transient=True) as bars:
        bar = bars.add_task(stage, total=1.0)
        yield lambda stage, done: bars.update(bar, description=stage, completed=done)


def _print(target: Console, line: str, style: str | None) -> None:
    target.print(line, style=style, markup=False, highlight=False, soft_wrap=True)
