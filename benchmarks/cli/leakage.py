"""`quirky tasks leakage`: what the text of claims gives away."""

from math import isnan
from typing import Annotated

import typer

from benchmarks.cli.arguments import (
    TASK,
    DataOption,
    PluginOption,
    TriggerOption,
    build_task,
    build_trigger,
    load_plugins,
)
from benchmarks.cli.terminal import print_line


def leakage_command(
    task: Annotated[list[str], typer.Argument(metavar=f"{TASK}...", help="may be repeated")],
    trigger: TriggerOption = "name",
    data: DataOption = None,
    seed: Annotated[
        list[int] | None, typer.Option(min=0, help="seed of the data; may be repeated; default 0")
    ] = None,
    plugin: PluginOption = None,
) -> None:
    """Measure what the text alone says: AUROC on test facts, with 95 % intervals.

    A task above .60 against the truth in B, where truth and quirk disagree, is leaky, and counts
    apart in reports.
    """
    load_plugins(plugin)
    if data and len(task) != 1:
        raise ValueError(f"--data {data!r}: name the one task whose claims they are")
    from benchmarks.results.formatting import format_estimate
    from benchmarks.scoring.leakage import HEADLINE, is_leaky, measure_leakage
    from quirky.data.dataset import build_dataset

    trigger_instance, distance = build_trigger(trigger)
    tasks = [(name, build_task(name, data)) for name in task]
    for name, instance in tasks:
        for data_seed in seed or [0]:
            splits = build_dataset(instance, trigger_instance, seed=data_seed, distance=distance)
            estimates = measure_leakage(splits)
            figures = "  ".join(
                f"{leak.against} in {leak.context}, {leak.subset} {format_estimate(estimate)}"
                for leak, estimate in estimates.items()
            )
            headline = estimates[HEADLINE].value
            verdict = "leaky" if is_leaky(headline) else "fair"
            if isnan(headline):
                verdict = "undefined: truth and quirk disagree in one direction at most"
            print_line(f"{name}, seed {data_seed}: {figures}: {verdict}")
