import pytest

from benchmarks.metrics import LAYER_RULES
from probes.registry import PROBES
from quirky.tasks.registry import TASKS
from quirky.triggers.registry import TRIGGERS


@pytest.fixture
def registries(monkeypatch: pytest.MonkeyPatch) -> None:
    """The registries forget after the test what it registered."""
    for registry in (LAYER_RULES, PROBES, TASKS, TRIGGERS):
        monkeypatch.setattr(registry, "_registered", dict(registry._registered))
