"""`quirky probes`: how truth is told from hidden states."""

from typing import Annotated

import typer
from rich.table import Column, Table
from rich.text import Text

from benchmarks.cli.terminal import Plugins, console

probes = typer.Typer(help="How truth is told from hidden states.", no_args_is_help=True)


@probes.command("list")
def probes_list(plugin: Plugins = None) -> None:
    """Name every probe, built in or brought by a plug-in."""
    from probes import list_probes
    from probes.registry import probe_class, source_of
    from quirky.plugins import load_plugin

    for source in plugin or ():
        load_plugin(source)
    source_column = Column("from", overflow="fold")
    table = Table("probe", "reads", "labels may", source_column, "what it is")
    may = {"labels": "decide", "sign": "orient and scale", "none": "do nothing"}
    for name in list_probes():
        probe = probe_class(name)
        summary = (probe.__doc__ or "").strip().partition("\n\n")[0]
        what = " ".join(summary.split())
        table.add_row(name, probe.reads, may[probe.supervision], source_of(name), what)
    console.print(table)


@probes.command("check")
def probes_check(
    probe: Annotated[str, typer.Argument(help="NAME, my_package:MyProbe or my_file.py:MyProbe")],
    plugin: Plugins = None,
) -> None:
    """Hold a probe to the contract: pass, fail or exempt for every check; exit code 1 if any fails.

    A failure is followed by what is wrong, an exemption by its reason.
    """
    from collections import Counter

    from probes.checks import run_checks
    from probes.registry import find_probe
    from quirky.plugins import load_plugin

    for source in plugin or ():
        load_plugin(source)
    cls = find_probe(probe)
    colours = {"pass": "green", "fail": "red", "exempt": "yellow"}
    count: Counter[str] = Counter()
    for outcome in run_checks(cls):
        count[outcome.verdict] += 1
        told = f": {outcome.message}" if outcome.message else ""
        line = Text(f"{outcome.verdict:6}  ", colours[outcome.verdict])
        console.print(line.append(f"{outcome.check}{told}", "default"), soft_wrap=True)
    told = ", ".join(f"{count[verdict]} {verdict}" for verdict in colours)
    console.print(f"{probe}: {told}", highlight=False, soft_wrap=True)
    if count["fail"]:
        raise typer.Exit(1)
