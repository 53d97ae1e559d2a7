"""Tasks and triggers by name: errors for unknown ones, and registration."""

import subprocess
import sys
from functools import partial

import pytest

import quirky
from quirky import Claim, Task, Trigger, register_task, register_trigger
from quirky.tasks import TASKS, get_task, list_tasks, task_class
from quirky.tasks.arithmetic import Addition
from quirky.tasks.table import Table
from quirky.triggers import TRIGGERS, get_trigger, list_triggers
from quirky.triggers.name import NameTrigger


@pytest.fixture(autouse=True)
def registries(monkeypatch):
    """Forget what a test registers."""
    for registry in (TASKS, TRIGGERS):
        monkeypatch.setattr(registry, "_registered", {})


@pytest.mark.parametrize(
    ("look_up", "message"),
    [
        (lambda: get_task("adition"), "unknown task 'adition'; did you mean 'addition'? known: "),
        (lambda: task_class("fictoin"), "unknown task 'fictoin'; did you mean 'fiction'? known: "),
        (lambda: get_trigger("nam"), "unknown trigger 'nam'; did you mean 'name'? known: "),
        (lambda: get_trigger("zzz"), "unknown trigger 'zzz'; known: "),
        (
            lambda: get_task("addition", digit=2),
            "unknown parameter of task 'addition': 'digit'; did you mean 'digits'? known: "
            "digits, fair, negations",
        ),
        (
            lambda: get_task("fiction", digits=2),
            "unknown parameter of task 'fiction': 'digits'; known: negations",
        ),
        (
            lambda: get_task("released", of=["addition"]),
            "task released with of = ['addition']: TypeError: unhashable type: 'list'",
        ),
    ],
)
def test_an_unknown_name_or_a_wrong_value_is_one_line(look_up, message):
    with pytest.raises(ValueError) as error:  # noqa: PT011
        look_up()
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


def test_every_built_in_has_the_name_under_which_it_is_listed():
    for name in list_tasks():
        assert get_task(name).name == task_class(name).name == name
        assert TASKS.is_built_in(name)
    for kind in list_triggers():
        assert get_trigger(kind).kind == kind


def test_what_a_plug_in_needs_is_importable_from_quirky():
    assert {name for name in quirky.__all__ if getattr(quirky, name, None) is None} == set()
    with pytest.raises(AttributeError, match="module 'quirky' has no attribute 'tusk'"):
        _ = quirky.tusk


def test_importing_quirky_imports_no_heavy_library():
    program = "import sys, quirky; print({'torch', 'datasets', 'numpy', 'pandas'} & {*sys.modules})"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert result.stdout.decode().strip() == "set()"


class Coin(Task):
    """The smallest possible task."""

    name = "coin"
    templates = quirky.wordings("Coin {coin} shows heads", "Does coin {coin} show heads")

    def claims(self, seed):
        yield Claim({"coin": "1"}, fact_id="1", truth=True, quirk=False, difficulty=0.0)


def test_a_registered_task_is_listed_and_has_defaults():
    assert register_task(Coin) is Coin
    assert "coin" in list_tasks()
    task = get_task("coin")
    assert type(task) is Coin is task_class("coin")
    assert (task.source, task.licence, task.standard, task.hub_commit()) == (None,) * 4
    assert task.data_identity() == task.local_file_hashes() == {}
    assert task.field_names == ("coin",)
    assert (task.reads_data, task.can_negate, task.data_parameters) == (False, False, ())


def test_a_task_that_returns_another_name_is_refused():
    TASKS.register("dice", Coin)
    with pytest.raises(ValueError, match="task dice: its `name` is 'coin'"):
        get_task("dice")


class Bare:
    name = kind = "bare"


class Twin(Coin):
    name = "fiction"


@pytest.mark.parametrize(
    ("register", "message"),
    [
        (lambda: register_task(Bare), r"Bare is not a task; subclass quirky\.Task"),
        (lambda: register_trigger(Bare), r"Bare is not a trigger; subclass quirky\.Trigger"),
        (lambda: register_task(partial(Coin)), r"partial.* is not a task; subclass quirky\.Task"),
        (lambda: register_task(Twin), "'fiction' is a built-in task"),
    ],
)
def test_what_cannot_be_registered_is_an_error_at_once(register, message):
    with pytest.raises(ValueError, match=message):
        register()


def test_a_registered_trigger_is_listed():
    @register_trigger
    class Weather(Trigger):
        kind = "weather"

        def render(self, context, fact_id, seed):
            return {"A": "Sunny", "B": "Rainy"}[context]

    assert "weather" in list_triggers()
    assert get_trigger("weather") == Weather()
    assert "weather" not in list_tasks()


def test_built_ins_know_their_classes():
    assert task_class("addition") is Addition
    assert task_class("addition").can_negate
    assert type(get_trigger("name")) is NameTrigger
    assert not Table.reads_data
