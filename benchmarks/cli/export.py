"""`quirky tasks export`: a data set to share."""

from os.path import exists  # Path.exists raises an error when a text is too long for a file name
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.cli.arguments import (
    DataOption,
    PluginOption,
    PrivateOption,
    TaskArgument,
    TriggerOption,
    build_task,
    build_trigger,
    data_path,
    load_plugins,
    require_hub_for_private,
    split_entry,
)
from benchmarks.cli.terminal import print_line


def export_command(
    task: TaskArgument,
    to: Annotated[Path, typer.Option(help="new or empty folder for the data and the card")],
    data: DataOption = None,
    trigger: TriggerOption = "name",
    prompts: Annotated[str, typer.Option(help="mixture, single or standardized")] = "mixture",
    seed: Annotated[int, typer.Option(min=0, help="seed of the data")] = 0,
    train: Annotated[int, typer.Option(min=1, help="facts in this split")] = 8000,
    validation: Annotated[int, typer.Option(min=1, help="facts, heldout included")] = 2000,
    test: Annotated[int, typer.Option(min=1, help="facts in this split")] = 1000,
    push_to_hub: Annotated[
        str | None, typer.Option(metavar="NAME", help="upload data and card to this repository")
    ] = None,
    private: PrivateOption = False,
    plugin: PluginOption = None,
) -> None:
    """Write a data set as parquet with a card: `datasets.load_dataset(FOLDER)` reads it."""
    load_plugins(plugin)
    from benchmarks.commands.sharing import push, require_login
    from benchmarks.store.artefacts import atomic_folder, require_empty_folder
    from benchmarks.store.provenance import claims_origin
    from quirky.data.dataset import Sizes, build_dataset
    from quirky.data.export import Provenance, write_export

    require_hub_for_private(private, push_to_hub)
    task_instance = build_task(task, data)
    trigger_instance, distance = build_trigger(trigger)
    require_empty_folder(to)
    repository = require_login(push_to_hub, "dataset") if push_to_hub else None
    splits = build_dataset(
        task_instance,
        trigger_instance,
        prompts=prompts,  # type: ignore[arg-type]  # build_dataset checks the value
        sizes=Sizes(train, validation, test),
        seed=seed,
        distance=distance,
    )
    trigger_origin = claims_origin(trigger_instance, f"trigger {trigger!r}")
    settings = {
        "task": _without_folders("TASK", task),
        **({"data": Path(data_path(task_instance.name, data)).name} if data else {}),
        "trigger": _without_folders("--trigger", trigger),
        "prompts": prompts,
        "claims asked for": f"train {train}, validation {validation}, test {test}",
        "seed": seed,
        "distance": distance,
        **claims_origin(task_instance, f"task {task!r}"),
        **{f"trigger {key}": value for key, value in trigger_origin.items()},
    }
    with atomic_folder(to, replace=False) as folder:
        digest = write_export(folder, splits, Provenance(task_instance, settings))
    print_line(f"data and card: {to}")
    print_line(f"SHA-256 of the content: {digest}")
    if repository:
        print_line(f"shared: {push(to, repository, private, 'dataset')}")


def _without_folders(option: str, entry: str) -> str:
    """Return an entry with files shortened to their names: the card hides local folders.

    The card identifies what a file holds by its hash.
    """
    name, parameters = split_entry(option, entry)
    shortened = (
        f"{parameter}={Path(value).name if exists(value) else value}"
        for parameter, value in parameters
    )
    return ",".join((name, *shortened))
