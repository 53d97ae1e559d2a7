"""The families of claims, one file each."""

from quirky.tasks import arithmetic, fiction, geography, published
from quirky.tasks.base import Task, get_task, list_tasks, task_class

__all__ = [
    "Task",
    "arithmetic",
    "fiction",
    "geography",
    "get_task",
    "list_tasks",
    "published",
    "task_class",
]
