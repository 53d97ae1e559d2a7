import gc

import pytest

from quirky.plugins import Registry


@pytest.fixture
def registries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every registry forgets after the test what the test registered."""
    for thing in gc.get_objects():
        if type(thing) is Registry:
            monkeypatch.setattr(thing, "_registered", dict(thing._registered))
