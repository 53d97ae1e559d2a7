"""`python -m finetune.pretrain tiny-neox dial-mamba --to FOLDER` trains bases from scratch."""

import json
from pathlib import Path
from typing import Annotated

import typer

from finetune.models.source import BASES
from finetune.pretrain.schedules import SCHEDULES
from finetune.pretrain.training import console, pretrain


def main(
    names: Annotated[list[str], typer.Argument(help=", ".join(SCHEDULES))],
    seed: Annotated[int, typer.Option(help="of the weights and the corpus")] = 0,
    to: Annotated[Path, typer.Option(help="folder that gets one folder per base")] = BASES,
) -> None:
    """Train embedded bases from scratch."""
    for name in names:
        if name not in SCHEDULES:
            raise typer.BadParameter(f"unknown base {name!r}; known: {', '.join(SCHEDULES)}")
    for name in names:
        accuracies = pretrain(name, SCHEDULES[name], seed, to / name)
        console.print(name, json.dumps(accuracies, indent=1))


if __name__ == "__main__":
    typer.run(main)
