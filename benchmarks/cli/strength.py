"""`quirky strength`: how much an adapter must change a tiny base."""

from typing import Annotated

import typer
from rich.progress import Progress

from benchmarks.cli.terminal import Plugins, console, errors


def strength_command(
    recipe: Annotated[str, typer.Argument(help="a recipe's name, or the path of a YAML file")],
    model: Annotated[str, typer.Option(help="the base to tune; one of the recipe's, or another")],
    seed: Annotated[
        int | None, typer.Option(help="of data and adapters; none that is reported on; default 100")
    ] = None,
    plugin: Plugins = None,
) -> None:
    """Find the gentlest adapter that passes the gate on heldout; the ladder is for tiny bases."""
    from benchmarks.cells.workers import hush_libraries
    from benchmarks.commands.strength import SEED, climb, require_unreported
    from benchmarks.recipe.load import load_recipe
    from benchmarks.recipe.pinning import pinned
    from benchmarks.run import check
    from quirky.plugins import load_plugin

    hush_libraries()
    for source in plugin or ():
        load_plugin(source)
    asked = pinned(load_recipe(recipe, {"models": [model]}))
    seed = SEED if seed is None else seed
    require_unreported(asked, seed)
    check(asked.model_copy(update={"seeds": (seed,)}))
    passed: dict[int, bool] = {}
    with Progress(console=errors, transient=True) as bars:
        bar = bars.add_task("data", total=1.0)
        trials = climb(
            asked,
            asked.models[0],
            seed=seed,
            progress=lambda stage, done: bars.update(bar, description=stage, completed=done),
        )
        for trial in trials:
            passed[trial.rung] = passed.get(trial.rung, True) and trial.passed
            settings = ", ".join(f"{name} {value:g}" for name, value in trial.settings.items())
            figures = "  ".join(
                f"{f.context} {f.against} {f.subset} {'-' if f.value is None else f'{f.value:.2f}'}"
                for f in trial.figures
            )
            verdict = "passes" if trial.passed else "void"
            of = f"{trial.task}, {trial.trigger}" if len(asked.trigger) > 1 else trial.task
            told = f"{settings}: {of}: {figures}: {verdict}"
            console.print(told, highlight=False, soft_wrap=True)
    if not any(passed.values()):
        raise RuntimeError(f"{model}: no rung of the ladder passes the gate on every task")
    found = f"{model}: the gentlest that passes on every task: {settings}"
    console.print(found, highlight=False, soft_wrap=True)
