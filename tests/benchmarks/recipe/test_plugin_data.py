"""The data of a plug-in's task are pinned and identified as those of a built-in task are."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

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
    assert task.label == "rumours-loud"


def test_the_identity_of_a_plug_in_s_data_is_part_of_its_origin() -> None:
    origin = claims_origin(Rumours(revision="abc"), "task 'rumours'")
    assert origin["commit"] == "abc"
    assert set(origin) >= {"pytest", "source"}


class Unpinnable(Rumours):
    """A task with a hub commit, but without the parameter that pins it."""

    name = "unpinnable"
    data_parameters = ("data",)


def test_a_hub_commit_that_no_parameter_can_pin_is_refused() -> None:
    register_task(Unpinnable)
    with pytest.raises(ValueError, match="'unpinnable': its `hub_commit` returns a commit, but"):
        pin_recipe(recipe_of("unpinnable"))


class Minutes(Rumours):
    """A task that reads a file under a parameter of its own."""

    name = "minutes"
    reads_data = False
    data_parameters = ("table",)

    def __init__(self, table: str = "") -> None:
        self.table = table

    def hub_commit(self) -> None:
        return None

    def local_file_hashes(self) -> dict[str, str]:
        return {"table": Path(self.table).read_text()}


def test_a_file_is_watched_under_whatever_parameter_the_task_reads_it(tmp_path: Path) -> None:
    register_task(Minutes)
    file = tmp_path / "minutes.txt"
    file.write_text("first")
    (task,) = recipe_of({"name": "minutes", "table": str(file)}).tasks
    assert isinstance(task.make(), Minutes)
    file.write_text("second")
    with pytest.raises(RuntimeError, match="task 'minutes': table changed while this ran"):
        task.make()


@dataclass(frozen=True)
class Frozen(Rumours):
    """A task that is a frozen dataclass."""

    name: ClassVar[str] = "frozen"
    revision: str = "v1"


def test_a_frozen_task_can_have_other_templates() -> None:
    register_task(Frozen)
    own = [{"text": "{rumour}? {trigger}:", "choices": [" no", " yes"]}]
    (task,) = recipe_of({"name": "frozen", "templates": own}).tasks
    assert [template.text for template in task.make().templates] == ["{rumour}? {trigger}:"]
    assert len(Frozen().templates) > 1
