"""The data of a plug-in's task are pin_recipe and identified as those of a built-in task are."""

from typing import Any

import pytest

from benchmarks.recipe.load import validate_recipe
from benchmarks.recipe.pinning import pin_recipe
from benchmarks.recipe.schema import Recipe
from benchmarks.store.provenance import claims_origin
from quirky import Claim, Task, register_task, wordings
from quirky.tasks import TASKS

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Rumours(Task):
    """A task whose claims come from a data set of the hub."""

    name = "rumours"
    templates = wordings("{rumour} is so", "Is {rumour} so")
    distributions = ("pytest",)
    reads_data = True
    data_parameters = ("data", "revision")

    def __init__(self, data: str = "org/rumours", revision: str = "main", loud: bool = False):
        self.revision = revision

    def claims(self, seed: int):  # type: ignore[no-untyped-def]
        yield Claim({"rumour": "It"}, fact_id="it", truth=True, quirk=False, difficulty=0.0)

    def hub_commit(self) -> str:
        return COMMIT if self.revision == "main" else self.revision

    def data_identity(self) -> dict[str, str]:
        return {**super().data_identity(), "commit": self.hub_commit()}


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TASKS, "_registered", {})
    register_task(Rumours)


def recipe_of(task: str | dict[str, Any]) -> Recipe:
    content = {"name": "small", "models": ["tiny-neox"], "tasks": [task], "probes": ["lr"]}
    return validate_recipe({**content, "transfers": ["A->B"]})


def test_the_hub_data_of_a_plug_in_are_pinned_to_a_commit() -> None:
    (task,) = pin_recipe(recipe_of("rumours")).tasks
    assert task.params == {"revision": COMMIT}
    assert task.make().hub_commit() == COMMIT


def test_where_the_data_of_a_plug_in_come_from_is_not_part_of_a_label() -> None:
    entry = {"name": "rumours", "revision": "v1", "loud": True}
    (task,) = recipe_of(entry).tasks
    assert task.settings == {"loud": True}
    assert task.label == "rumours-loudTrue"


def test_the_identity_of_a_plug_in_s_data_is_part_of_its_origin() -> None:
    origin = claims_origin(Rumours(revision="abc"), "task 'rumours'")
    assert origin["commit"] == "abc"
    assert set(origin) >= {"pytest", "source"}
