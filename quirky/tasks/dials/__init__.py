"""Tasks with a dial: exact labels, and a setting that makes them harder."""

from quirky.tasks.dials import dyck, equality, lookup, recall

__all__ = ["dyck", "equality", "lookup", "recall"]
