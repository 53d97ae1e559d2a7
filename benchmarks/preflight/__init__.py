"""Everything that can be checked or estimated before a run computes anything."""

from benchmarks.preflight.checks import (
    check_contexts,
    check_device,
    resolve_models_and_data,
    resolve_recipe,
)
from benchmarks.preflight.needs import DataSize, ModelShape, Needs, estimate_needs
from benchmarks.preflight.plan import Plan, plan_recipe
from benchmarks.preflight.plan_tables import cells_table, models_table, summary_lines

__all__ = [
    "DataSize",
    "ModelShape",
    "Needs",
    "Plan",
    "cells_table",
    "check_contexts",
    "check_device",
    "estimate_needs",
    "models_table",
    "plan_recipe",
    "resolve_models_and_data",
    "resolve_recipe",
    "summary_lines",
]
