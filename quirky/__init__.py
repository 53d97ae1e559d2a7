"""Tasks, triggers, prompts and data sets: the claims that models answer, truthfully or not.

Everything that the author of a task or a trigger needs is importable from here.
"""

import importlib
from typing import TYPE_CHECKING, Any

from quirky.example import Claim, Example, uniform
from quirky.prompts import Template, Wording, standardized, wordings
from quirky.tasks.base import Task
from quirky.tasks.negation import NegatableTask
from quirky.tasks.registry import get_task, list_tasks, register_task
from quirky.triggers.base import SPEAKER, Trigger
from quirky.triggers.registry import get_trigger, list_triggers, register_trigger

if TYPE_CHECKING:
    from quirky.data.dataset import Sizes, build_dataset
    from quirky.lint import lint_task, lint_trigger

__all__ = [
    "SPEAKER",
    "Claim",
    "Example",
    "NegatableTask",
    "Sizes",
    "Task",
    "Template",
    "Trigger",
    "Wording",
    "build_dataset",
    "get_task",
    "get_trigger",
    "lint_task",
    "lint_trigger",
    "list_tasks",
    "list_triggers",
    "register_task",
    "register_trigger",
    "standardized",
    "uniform",
    "wordings",
]

_LAZY = {
    "Sizes": "quirky.data.dataset",
    "build_dataset": "quirky.data.dataset",
    "lint_task": "quirky.lint",
    "lint_trigger": "quirky.lint",
}
"""Names whose modules import `datasets` and numpy, so they are imported on first use."""


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_LAZY[name]), name)
