"""`quirky tasks export`: a data set for people to take away."""

from os.path import exists  # a text may be too long for a file's name
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.cli.terminal import AskedData, AskedTask, AskedTrigger, console


def export_command(
    task: AskedTask,
    to: Annotated[Path, typer.Option(help="new or empty folder that receives data and card")],
    data: AskedData = None,
    trigger: AskedTrigger = "name",
    prompts: Annotated[str, typer.Option(help="mixture, single or standardized")] = "mixture",
    seed: Annotated[int, typer.Option(min=0, help="of the data")] = 0,
    train: Annotated[int, typer.Option(min=1, help="claims of the split")] = 8000,
    validation: Annotated[int, typer.Option(min=1, help="claims, those held out included")] = 2000,
    test: Annotated[int, typer.Option(min=1, help="claims of the split")] = 1000,
    push_to_hub: Annotated[
        str | None, typer.Option(metavar="NAME", help="upload data and card to this repository")
    ] = None,
    private: Annotated[bool, typer.Option("--private", help="for you alone, on the hub")] = False,
) -> None:
    """Write a data set as parquet with a card: `datasets.load_dataset(FOLDER)` reads it."""
    from benchmarks.cli.arguments import task_from, trigger_from, unnamed_data
    from benchmarks.commands.sharing import push, require_login
    from benchmarks.store.artefacts import atomic_folder, require_empty_folder
    from benchmarks.store.provenance import claims_origin
    from quirky.dataset import Sizes, build_dataset
    from quirky.export import Provenance, write_export

    if private and not push_to_hub:
        raise ValueError("--private is about the hub; say --push-to-hub NAME too")
    asked, (told, distance) = task_from(task, data), trigger_from(trigger)
    require_empty_folder(to)
    repository = require_login(push_to_hub, "dataset") if push_to_hub else None
    sizes = Sizes(train, validation, test)
    splits = build_dataset(
        asked,
        told,
        prompts=prompts,  # type: ignore[arg-type]  # what it may be is checked there
        sizes=sizes,
        seed=seed,
        distance=distance,
    )
    settings = {
        "task": _without_folders(task),
        **({"data": Path(unnamed_data(asked.name, data)).name} if data else {}),
        "trigger": _without_folders(trigger),
        "prompts": prompts,
        "claims asked for": f"train {train}, validation {validation}, test {test}",
        "seed": seed,
        "distance": distance,
        **claims_origin(asked, f"task {task!r}"),
        **{f"trigger {k}": v for k, v in claims_origin(told, f"trigger {trigger!r}").items()},
    }
    with atomic_folder(to, replace=False) as folder:
        content = write_export(folder, splits, Provenance(asked, settings))
    console.print(f"data and card: {to}", highlight=False, soft_wrap=True)
    console.print(f"SHA-256 of the content: {content}", highlight=False, soft_wrap=True)
    if repository:
        shared = push(to, repository, private, "dataset")
        console.print(f"shared: {shared}", highlight=False, soft_wrap=True)


def _without_folders(entry: str) -> str:
    """Return an entry in which a file is called by its name alone: the card is for everybody.

    What stands in the file is told by a hash.
    """
    first, *rest = entry.split(",")
    shown = [first]
    for part in rest:
        name, _, value = part.partition("=")
        shown.append(f"{name}={Path(value).name if exists(value) else value}")
    return ",".join(shown)
