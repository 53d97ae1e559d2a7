import pytest

from probes.registry import PROBES
from quirky.tasks.registry import TASKS


@pytest.fixture
def registries(monkeypatch: pytest.MonkeyPatch) -> None:
    """The registries forget after the test what it registered."""
    for registry in (PROBES, TASKS):
        monkeypatch.setattr(registry, "_registered", dict(registry._registered))
