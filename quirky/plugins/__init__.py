"""Named things that anyone may add: tasks, triggers, probes and layer rules share one registry."""

from quirky.plugins.construction import construct
from quirky.plugins.errors import first_line, one_line, one_line_errors, unknown
from quirky.plugins.loading import distribution_of, load_plugin, location_of
from quirky.plugins.registry import BrokenPluginError, Registry

__all__ = [
    "BrokenPluginError",
    "Registry",
    "construct",
    "distribution_of",
    "first_line",
    "load_plugin",
    "location_of",
    "one_line",
    "one_line_errors",
    "unknown",
]
