"""`quirky models`: who is asked."""

import re
from typing import Annotated

import typer
from rich.table import Column, Table

from benchmarks.cli.terminal import console, errors

IN_PASSING = re.compile("completed|chained|quirk|same")
"""What a base was asked to learn a task by; its card has it."""

models = typer.Typer(help="Who is asked.", no_args_is_help=True)


@models.command("list")
def models_list(
    verify: Annotated[
        bool, typer.Option("--verify", help="read a tiny model of every known family, and say how")
    ] = False,
) -> None:
    """Name the embedded bases and what they know; exit code 1 if a family is not read exactly."""
    import json

    from finetune.models.source import embedded_bases

    if verify:
        _verify_families()
        return
    table = Table("base", "parameters", "verdicts it gets right (what it was told)")
    for name, folder in embedded_bases().items():
        record = json.loads((folder / "pretraining.json").read_text())
        judged = record["verdict_accuracy"].items()
        known = ", ".join(f"{k} {v:.3f}" for k, v in judged if not IN_PASSING.search(k))
        table.add_row(name, f"{record['parameters']:,}", known)
    console.print(table)


def _verify_families() -> None:
    from rich.progress import track

    from benchmarks.cells.workers import hush_libraries
    from finetune.verification.tiny_families import TINY_FAMILIES
    from finetune.verification.verify import verify_family

    hush_libraries()
    headings = ("family", "blocks of the tiny model", "LoRA targets", "sites (blocks)", "error")
    table = Table(*(Column(heading, overflow="fold") for heading in headings))
    found = [
        verify_family(family)
        for family in track(TINY_FAMILIES, "reading", console=errors, transient=True)
    ]
    for family in found:
        sites, targets = "\n".join(family.sites), ", ".join(family.targets)
        error = f"[red]{family.refusal}[/red]" if family.refusal else f"{family.error:.1e}"
        table.add_row(family.family, family.blocks, targets, sites, error)
    console.print(table)
    if any(family.refusal for family in found):
        raise typer.Exit(1)
