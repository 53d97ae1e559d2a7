"""What comes out: run, measure, log, report, publish."""

from benchmarks.recipe.load import load_recipe
from benchmarks.recipe.schema import Recipe
from benchmarks.results.run_folder import Run
from benchmarks.run import run

__all__ = ["Recipe", "Run", "load_recipe", "run"]
