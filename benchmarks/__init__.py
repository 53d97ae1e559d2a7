"""What comes out: run, measure, log, report, publish."""

from benchmarks.recipe.schema import Recipe, load_recipe
from benchmarks.run import Run, run

__all__ = ["Recipe", "Run", "load_recipe", "run"]
