"""Where the commands print, and the options that they share."""

from typing import Annotated

import typer
from rich.console import Console

from finetune.training import processes

console = Console(quiet=not processes.is_first())
errors = Console(stderr=True, quiet=not processes.is_first())

Plugins = Annotated[
    list[str] | None,
    typer.Option("--plugin", help="a module or .py file that registers probes; may be repeated"),
]

AskedTask = Annotated[
    str,
    typer.Argument(
        metavar="NAME[,PARAMETER=VALUE]",
        help="as in addition,digits=2 or lookup,dials=3+8 (a list)",
    ),
]
AskedData = Annotated[
    str | None,
    typer.Option("--data", metavar="[TASK=]FILE", help="the task's data, or your own claims"),
]
AskedTrigger = Annotated[
    str, typer.Option(metavar="KIND[,PARAMETER=VALUE]", help="as in name,quirky=Eve")
]
