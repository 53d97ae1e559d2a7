"""The families of claims, one file each."""

from quirky.tasks import arithmetic, dials, fiction, geography
from quirky.tasks.base import Task, get_task, list_tasks, rules_of, task_class

__all__ = [
    "Task",
    "arithmetic",
    "dials",
    "fiction",
    "geography",
    "get_task",
    "list_tasks",
    "rules_of",
    "task_class",
]
