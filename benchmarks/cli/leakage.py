"""`quirky tasks leakage`: what the text of claims gives away."""

from typing import Annotated

import typer
from rich.table import Table

from benchmarks.cli.arguments import (
    TASK,
    DataOption,
    PluginOption,
    TriggerOption,
    build_task,
    build_trigger,
    load_plugins,
)
from benchmarks.cli.terminal import console


def leakage_command(
    task: Annotated[list[str], typer.Argument(metavar=f"{TASK}...", help="may be repeated")],
    trigger: TriggerOption = "name",
    data: DataOption = None,
    seed: Annotated[
        list[int] | None, typer.Option(min=0, help="seed of the data; may be repeated; default 0")
    ] = None,
    plugin: PluginOption = None,
) -> None:
    """Measure what the text alone says of the truth: AUROC on test facts, with 95 % intervals.

    A task above .60 in B, where truth and quirk disagree, is leaky, and counts apart in reports.
    """
    load_plugins(plugin)
    if data and len(task) != 1:
        raise ValueError(f"--data {data!r}: name the one task whose claims they are")
    from benchmarks.results.formatting import format_estimate
    from benchmarks.scoring.leakage import PLACES, is_leaky, measure_leakage
    from quirky.data.dataset import build_dataset

    trigger_instance, distance = build_trigger(trigger)
    tasks = [(name, build_task(name, data)) for name in task]
    table = Table()
    for heading in ("task", "seed", *(f"{c}, {subset}" for c, subset in PLACES), "n", ""):
        table.add_column(heading, no_wrap=True)
    for name, instance in tasks:
        for data_seed in seed or [0]:
            splits = build_dataset(instance, trigger_instance, seed=data_seed, distance=distance)
            estimates = measure_leakage(splits)
            headline = estimates["B", "disagree"]
            cells = (format_estimate(estimates[place]) for place in PLACES)
            verdict = "leaky" if is_leaky(headline) else "fair"
            table.add_row(name, str(data_seed), *cells, str(headline.n), verdict)
    console.print(table, crop=False, soft_wrap=True)
