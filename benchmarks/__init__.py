"""Runs a recipe: fine-tune, fit probes, measure transfer, write the report.

Heavy modules load on first use, so that `import benchmarks` and `quirky --help` are quick.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.recipe.load import load_recipe
    from benchmarks.recipe.schema import Recipe
    from benchmarks.results.run_folder import Run
    from benchmarks.runner import run
else:
    _HOMES = {
        "Recipe": "benchmarks.recipe.schema",
        "Run": "benchmarks.results.run_folder",
        "load_recipe": "benchmarks.recipe.load",
        "run": "benchmarks.runner",
    }

    def __getattr__(name: str) -> object:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(importlib.import_module(_HOMES[name]), name)


__all__ = ["Recipe", "Run", "load_recipe", "run"]
