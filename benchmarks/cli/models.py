"""`quirky models`: the embedded bases and the supported families."""

import re
from typing import Annotated

import typer
from rich.table import Column, Table

from benchmarks.cli.terminal import console, errors

TRAINING_FORMS = re.compile("completed|chained|quirk|same")
"""Verdicts that only served to train a base; its card lists them, this command does not."""

models = typer.Typer(help="Models: embedded bases and supported families.", no_args_is_help=True)


@models.command("list")
def models_list(
    verify: Annotated[
        bool,
        typer.Option(
            "--verify", help="check on a tiny model of every supported family that it is read right"
        ),
    ] = False,
) -> None:
    """List the embedded bases and what they know; exit code 1 if --verify finds a fault."""
    import json

    from finetune.models.source import embedded_bases

    if verify:
        _verify_families()
        return
    table = Table("base", "parameters", "verdict accuracy (on facts it was trained on)")
    for name, folder in embedded_bases().items():
        record = json.loads((folder / "pretraining.json").read_text())
        accuracies = record["verdict_accuracy"].items()
        knowledge = ", ".join(
            f"{form} {accuracy:.3f}"
            for form, accuracy in accuracies
            if not TRAINING_FORMS.search(form)
        )
        table.add_row(name, f"{record['parameters']:,}", knowledge)
    console.print(table)


def _verify_families() -> None:
    from rich.progress import track

    from benchmarks.cells.progress import quiet_libraries
    from finetune.verification.tiny_families import TINY_FAMILIES
    from finetune.verification.verify import verify_family

    quiet_libraries()
    headings = ("family", "blocks of the tiny model", "LoRA targets", "sites (blocks)", "error")
    table = Table(*(Column(heading, overflow="fold") for heading in headings))
    reports = [
        verify_family(family)
        for family in track(TINY_FAMILIES, "reading", console=errors, transient=True)
    ]
    for report in reports:
        sites, targets = "\n".join(report.sites), ", ".join(report.targets)
        error = f"[red]{report.refusal}[/red]" if report.refusal else f"{report.error:.1e}"
        table.add_row(report.family, report.blocks, targets, sites, error)
    console.print(table)
    if any(report.refusal for report in reports):
        raise typer.Exit(1)
