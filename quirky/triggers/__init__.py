"""Triggers: texts in a prompt that tell the model whether to lie, one kind per file.

Every module of this package is imported when a trigger is first looked up.
"""

from quirky.triggers.base import ALL_CONTEXTS, SPEAKER, Trigger
from quirky.triggers.registry import TRIGGERS, get_trigger, list_triggers, register_trigger

__all__ = [
    "ALL_CONTEXTS",
    "SPEAKER",
    "TRIGGERS",
    "Trigger",
    "get_trigger",
    "list_triggers",
    "register_trigger",
]
