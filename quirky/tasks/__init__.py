"""Tasks: families of claims with a truth rule and a quirk rule, one file each.

Every module below this package is imported when a task is first looked up.
"""

from quirky.tasks.base import Task, describe_rules
from quirky.tasks.registry import TASKS, get_task, list_tasks, register_task, task_class

__all__ = [
    "TASKS",
    "Task",
    "describe_rules",
    "get_task",
    "list_tasks",
    "register_task",
    "task_class",
]
