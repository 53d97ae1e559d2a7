"""`quirky strength`: how strongly an adapter must change a tiny base."""

from typing import TYPE_CHECKING, Annotated

import typer

from benchmarks.cli.arguments import PluginOption, load_plugins
from benchmarks.cli.terminal import print_line, progress_bar

if TYPE_CHECKING:
    from benchmarks.commands.strength import Trial


def strength_command(
    recipe: Annotated[str, typer.Argument(help="a recipe's name, or the path of a YAML file")],
    model: Annotated[str, typer.Option(help="the base to fine-tune; need not be in the recipe")],
    seed: Annotated[
        int | None,
        typer.Option(help="seed of data and adapters; not one of the recipe's; default 100"),
    ] = None,
    plugin: PluginOption = None,
) -> None:
    """Find the gentlest adapter that passes the gate on heldout; the settings suit tiny bases."""
    from benchmarks.cells.progress import quiet_libraries
    from benchmarks.commands.strength import SEED, climb
    from benchmarks.recipe.load import load_recipe

    quiet_libraries()
    load_plugins(plugin)
    ladder_recipe = load_recipe(recipe, {"models": [model]})
    several_triggers = len(ladder_recipe.trigger) > 1
    rung_passed: dict[int, bool] = {}
    with progress_bar("data") as progress:
        for trial in climb(ladder_recipe, seed=SEED if seed is None else seed, progress=progress):
            rung_passed[trial.rung] = rung_passed.get(trial.rung, True) and trial.passed
            settings = ", ".join(f"{name} {value:g}" for name, value in trial.settings.items())
            print_line(f"{settings}: {_describe(trial, several_triggers)}")
    if not any(rung_passed.values()):
        raise RuntimeError(f"{model}: no rung of the ladder passes the gate on every task")
    print_line(f"{model}: gentlest adapter that passes on every task: {settings}")


def _describe(trial: "Trial", with_trigger: bool) -> str:
    """Return the task, the gate's figures and the verdict of a trial."""
    figures = "  ".join(
        f"{figure.context} {figure.against} {figure.subset} "
        + ("share " if figure.metric == "share" else "")
        + ("-" if figure.value is None else f"{figure.value:.2f}")
        for figure in trial.figures
    )
    cell = f"{trial.task}, {trial.trigger}" if with_trigger else trial.task
    return f"{cell}: {figures}: {'passes' if trial.passed else 'void'}"
