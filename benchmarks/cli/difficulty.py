"""`quirky tasks difficulty`: how hard a task's claims are for a ladder of models."""

from pathlib import Path
from typing import Annotated

import typer

from benchmarks.cli.arguments import (
    TASK,
    DeviceOption,
    DtypeOption,
    PluginOption,
    data_path,
    load_plugins,
    parse_entry,
)
from benchmarks.cli.terminal import print_line, progress_bar


def difficulty_command(
    task: Annotated[str, typer.Argument(metavar=TASK, help="a task, as in sciq,split=test")],
    models: Annotated[
        list[str],
        typer.Option(
            help="a base of the ladder: embedded base, folder or hub id; repeat for each rung; "
            "leave out the model you will make quirky, whose own answers would otherwise decide "
            "which claims are easy"
        ),
    ],
    data: Annotated[
        str | None, typer.Option(metavar="FILE", help="the task's data, or your own claims")
    ] = None,
    to: Annotated[
        Path | None, typer.Option(help="parquet file to write; default: NAME-difficulty.parquet")
    ] = None,
    seed: Annotated[
        list[int] | None, typer.Option(min=0, help="seed of the claims; may be repeated; default 0")
    ] = None,
    dtype: DtypeOption = "float32",
    device: DeviceOption = "cpu",
    plugin: PluginOption = None,
) -> None:
    """Measure how hard each claim is: the mean loss of the true answer over a ladder of bases.

    Pass the file to a task that reads data as its parameter `difficulty`.
    """
    load_plugins(plugin)
    from benchmarks.commands.difficulty import (
        compute_difficulty,
        ladder_recipe,
        resolve_ladder,
        write_difficulty,
    )

    entry = parse_entry("TASK", "name", task)
    if data:
        entry["data"] = data_path(entry["name"], data)
    to = to or Path(f"{entry['name']}-difficulty.parquet")
    if to.suffix != ".parquet":
        raise ValueError(f"--to {str(to)!r}: give a file that ends in .parquet")
    if to.exists():
        raise ValueError(f"--to {str(to)!r} is there already; give a new file")
    recipe = ladder_recipe(models, entry, seed or [0], dtype=dtype, device=device)
    ladder = resolve_ladder(recipe)
    with progress_bar("claims") as progress:
        table = compute_difficulty(ladder, progress)
    write_difficulty(table, to)
    for rung in (column for column in table if str(column).startswith("loss of ")):
        print_line(f"{rung}: {table[rung].mean():.3f}")
    print_line(f"{len(table)} claims: {to}")
