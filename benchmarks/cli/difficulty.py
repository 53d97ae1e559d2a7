"""`quirky tasks difficulty`: how hard a task's claims are for a ladder of models."""

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from benchmarks.cli.arguments import unnamed_data, with_parameters
from benchmarks.cli.terminal import console, errors


def difficulty_command(
    task: Annotated[
        str, typer.Argument(metavar="NAME[,PARAMETER=VALUE]", help="a task, as in sciq,split=test")
    ],
    models: Annotated[
        list[str],
        typer.Option(
            help="a base of the ladder: embedded, folder or hub id; repeated for each rung; not "
            "the model that is to be made quirky, whose own answers would choose what is easy"
        ),
    ],
    data: Annotated[
        str | None, typer.Option(metavar="FILE", help="the task's data, or your own claims")
    ] = None,
    to: Annotated[
        Path | None, typer.Option(help="parquet file to write; default: NAME-difficulty.parquet")
    ] = None,
    seed: Annotated[
        list[int] | None, typer.Option(min=0, help="of the claims; may be repeated; default 0")
    ] = None,
    dtype: Annotated[str, typer.Option(help="float32, bfloat16 or float16")] = "float32",
    device: Annotated[str, typer.Option(help="cpu or cuda")] = "cpu",
) -> None:
    """Find how hard each claim is: the mean loss of the true answer over a ladder of bases.

    The file is what the parameter `difficulty` of a task that reads data takes.
    """
    from benchmarks.commands.difficulty import difficulty, ladder, write

    asked = with_parameters("TASK", "name", task)
    if data:
        asked["data"] = unnamed_data(asked["name"], data)
    to = to or Path(f"{asked['name']}-difficulty.parquet")
    if to.suffix != ".parquet":
        raise ValueError(f"--to {str(to)!r}: give a file that ends in .parquet")
    if to.exists():
        raise ValueError(f"--to {str(to)!r} is there already; give a new file")
    rungs = ladder(models, asked, seed or [0], dtype=dtype, device=device)
    with Progress(console=errors, transient=True) as bars:
        bar = bars.add_task("claims", total=1.0)
        table = difficulty(
            rungs, lambda stage, done: bars.update(bar, description=stage, completed=done)
        )
    write(table, to)
    for rung in (column for column in table if str(column).startswith("loss of ")):
        console.print(f"{rung}: {table[rung].mean():.3f}", highlight=False, soft_wrap=True)
    told = f"{len(table)} claims: {to}"
    console.print(told, highlight=False, soft_wrap=True)
