"""The families of claims, one file each."""

from quirky.tasks import arithmetic, dials, fiction, geography, published
from quirky.tasks.base import Task, get_task, list_tasks, rules_of, task_class

__all__ = [
    "Task",
    "arithmetic",
    "dials",
    "fiction",
    "geography",
    "get_task",
    "list_tasks",
    "published",
    "rules_of",
    "task_class",
]
