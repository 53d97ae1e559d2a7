"""What a class must declare to be a probe."""

import inspect
from typing import Any

from probes.base import Probe

KNOWN = {
    "reads": ("prompt", "pair", "tokens"),
    "supervision": ("labels", "sign", "none"),
}
"""The class variables that have a choice, and the choice."""


def require_contract(cls: Any) -> None:
    """ValueError unless this is a probe class with its class variables."""
    if not (inspect.isclass(cls) and issubclass(cls, Probe)):
        raise ValueError(f"{cls!r} is not a probe class: derive it from probes.Probe")
    if not isinstance(getattr(cls, "name", None), str):
        raise ValueError(f"{cls.__name__} has no `name`: give it a class variable name = '...'")
    for variable, values in KNOWN.items():
        value = getattr(cls, variable, None)
        if value not in values:
            raise ValueError(f"{cls.__name__}.{variable} is {value!r}; known: {', '.join(values)}")
