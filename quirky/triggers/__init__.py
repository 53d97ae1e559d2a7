"""What turns the quirk on, one kind a file."""

from quirky.triggers import instruction, name, names, position, tag
from quirky.triggers.base import (
    ALL_CONTEXTS,
    SPEAKER,
    Trigger,
    get_trigger,
    list_triggers,
    trigger_class,
)

__all__ = [
    "ALL_CONTEXTS",
    "SPEAKER",
    "Trigger",
    "get_trigger",
    "instruction",
    "list_triggers",
    "name",
    "names",
    "position",
    "tag",
    "trigger_class",
]
