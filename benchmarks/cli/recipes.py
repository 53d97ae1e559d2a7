"""`quirky recipes`: the recipes in the package."""

import typer
from rich.table import Table

from benchmarks.cli.terminal import console

recipes = typer.Typer(help="Recipes: what a run measures.", no_args_is_help=True)


@recipes.command("list")
def recipes_list() -> None:
    """List the recipes in the package."""
    from benchmarks.recipe.load import list_recipes, load_recipe

    table = Table("recipe", "models", "tasks", "probes")
    for name in list_recipes():
        recipe = load_recipe(name)
        table.add_row(
            name,
            ", ".join(model.name for model in recipe.models),
            ", ".join(task.name for task in recipe.tasks),
            ", ".join(probe.display_name for probe in recipe.probes),
        )
    console.print(table)
