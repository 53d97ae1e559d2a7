"""`quirky probes`: list probe methods, and check one against the contract."""

from typing import Annotated

import typer
from rich.table import Column, Table
from rich.text import Text

from benchmarks.cli.arguments import PluginOption, load_plugins
from benchmarks.cli.terminal import console

probes = typer.Typer(
    help="Probes: methods that read the truth from hidden states.", no_args_is_help=True
)


@probes.command("list")
def probes_list(plugin: PluginOption = None) -> None:
    """List every probe, built in or from a plug-in."""
    from probes import list_probes
    from probes.registry import probe_class, source_of

    load_plugins(plugin)
    source_column = Column("from", overflow="fold")
    table = Table("probe", "reads", "labels may", source_column, "what it is")
    supervision = {"labels": "decide", "sign": "orient and scale", "none": "do nothing"}
    for name in list_probes():
        probe = probe_class(name)
        summary = " ".join((probe.__doc__ or "").strip().partition("\n\n")[0].split())
        table.add_row(name, probe.reads, supervision[probe.supervision], source_of(name), summary)
    console.print(table)


@probes.command("check")
def probes_check(
    probe: Annotated[str, typer.Argument(help="NAME, my_package:MyProbe or my_file.py:MyProbe")],
    plugin: PluginOption = None,
) -> None:
    """Check a probe against the contract: pass, fail or exempt; exit code 1 if a check fails.

    Each failure is followed by what is wrong, each exemption by its reason.
    """
    from collections import Counter

    from probes.checks import run_checks
    from probes.registry import find_probe

    load_plugins(plugin)
    colours = {"pass": "green", "fail": "red", "exempt": "yellow"}
    counts: Counter[str] = Counter()
    for outcome in run_checks(find_probe(probe)):
        counts[outcome.verdict] += 1
        explanation = f": {outcome.message}" if outcome.message else ""
        line = Text(f"{outcome.verdict:6}  ", colours[outcome.verdict])
        console.print(line.append(f"{outcome.check}{explanation}", "default"), soft_wrap=True)
    totals = ", ".join(f"{counts[verdict]} {verdict}" for verdict in colours)
    console.print(f"{probe}: {totals}", highlight=False, soft_wrap=True)
    if counts["fail"]:
        raise typer.Exit(1)
