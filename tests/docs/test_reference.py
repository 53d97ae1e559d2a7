"""docs/reference.md names every command, recipe field and column of the results."""

import re
from typing import Any

import typer
from pages import page

from benchmarks import Recipe
from benchmarks.cli import app
from benchmarks.results.table import COLUMNS

REFERENCE = page("docs/reference.md")


def section(title: str) -> str:
    """Return the text below a heading of the page."""
    return REFERENCE.split(f"## {title}\n")[1].split("\n## ")[0]


def first_cells(text: str) -> set[str]:
    """Return every word in code style in the first column of the tables."""
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    return {word for row in rows for word in re.findall(r"`([^`]+)`", row)}


def commands(group: Any, name: str = "quirky") -> set[str]:
    """Return the words of every command below a group."""
    if not hasattr(group, "commands"):
        return {name}
    return set().union(
        *(commands(below, f"{name} {verb}") for verb, below in group.commands.items())
    )


def test_every_command_is_listed() -> None:
    group = typer.main.get_command(app)
    listed = {
        re.match(r"quirky [a-z ]+", entry)[0].strip()  # type: ignore[index]
        for entry in first_cells(section("Commands"))
        if entry.startswith("quirky ")
    }
    assert listed == commands(group)


def test_every_recipe_field_is_listed_with_its_default() -> None:
    recipe, finetune = section("Recipe fields").split("Fields of `finetune`")
    assert first_cells(recipe) == set(Recipe.model_fields)
    settings = Recipe.model_fields["finetune"].annotation
    assert first_cells(finetune) == set(settings.model_fields)  # type: ignore[union-attr]
    for name, field in settings.model_fields.items():  # type: ignore[union-attr]
        (default,) = re.findall(rf"^\| `{name}` \| (.*?) \|", finetune, flags=re.MULTILINE)
        assert field.default is None or float(default) == field.default


def test_every_column_of_the_results_is_listed() -> None:
    assert first_cells(section("Run folder")) == set(COLUMNS)
