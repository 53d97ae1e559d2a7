import warnings
from importlib.metadata import EntryPoint, EntryPoints

import pytest

from quirky import registry
from quirky.registry import Registry
from quirky.tasks import get_task, list_tasks, task_class
from quirky.triggers import get_trigger

GROUP = "quirky.tests"


class Shop:
    """What a plug-in brings."""

    def __init__(self, size=1):
        self.size = size


HERE = f"{__name__}:Shop"


@pytest.fixture
def shops(monkeypatch):
    """Builds a registry with one built-in, `corner`, and plug-ins given as (name, value)."""

    def build(*plugins):
        points = EntryPoints(EntryPoint(name, value, GROUP) for name, value in plugins)
        monkeypatch.setattr(registry, "entry_points", lambda **select: points.select(**select))
        made = Registry("shop", GROUP)
        made.builtin("corner", Shop)
        return made

    return build


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: get_task("adition"), "unknown task 'adition'; did you mean 'addition'? known: "),
        (lambda: task_class("fictoin"), "unknown task 'fictoin'; did you mean 'fiction'? known: "),
        (lambda: get_trigger("nam"), "unknown trigger 'nam'; did you mean 'name'? known: "),
        (lambda: get_trigger("zzz"), "unknown trigger 'zzz'; known: "),
        (
            lambda: get_task("addition", digit=2),
            "unknown parameter of task 'addition': 'digit'; did you mean 'digits'? known: "
            "digits, negations",
        ),
        (
            lambda: get_task("fiction", digits=2),
            "unknown parameter of task 'fiction': 'digits'; known: negations",
        ),
    ],
)
def test_an_unknown_name_is_told_the_nearest_and_all(ask, message):
    with pytest.raises(ValueError, match="unknown") as error:
        ask()
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


def test_every_listed_task_is_made_under_its_name():
    for name in list_tasks():
        assert get_task(name).name == task_class(name).name == name


def test_parameters_reach_what_is_made(shops):
    assert shops().make("corner", {"size": 3}).size == 3


def test_a_plug_in_is_listed_and_made(shops):
    known = shops(("mall", HERE))
    assert known.names() == ["corner", "mall"]
    assert known.make("mall", {"size": 9}).size == 9


def test_a_broken_plug_in_is_a_warning_and_the_rest_works(shops):
    known = shops(("ruin", "no_such_module:Ruin"), ("mall", HERE))
    with pytest.warns(UserWarning, match="shop plug-in 'ruin': No module named 'no_such_module'"):
        assert known.names() == ["corner", "mall"]
    assert known.make("corner", {}).size == known.make("mall", {}).size == 1
    with pytest.raises(ValueError, match="shop ruin: its plug-in cannot be used: ModuleNotFound"):
        known.factory("ruin")


def test_a_broken_plug_in_is_warned_of_once(shops):
    known = shops(("ruin", "no_such_module:Ruin"))
    with pytest.warns(UserWarning, match="ruin"):
        known.names()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        known.names()


def test_a_built_in_wins_over_a_plug_in_of_its_name(shops):
    known = shops(("corner", "builtins:dict"))
    with pytest.warns(UserWarning, match="'corner': builtins:dict is ignored; the name is built"):
        assert known.factory("corner") is Shop


def test_a_name_that_two_plug_ins_claim_is_neither_s(shops):
    for others in (["builtins:dict"], ["builtins:dict", "builtins:list"], ["no_such_module:X"]):
        known = shops(("mall", HERE), *(("mall", other) for other in others))
        with pytest.warns(UserWarning, match=f"'mall': {HERE} and {' and '.join(others)} claim"):
            assert known.names() == ["corner"]
        with pytest.raises(ValueError, match=r"shop mall: .* claim the name; rename all but one"):
            known.factory("mall")


def test_a_plug_in_that_is_found_twice_is_one(shops):
    assert shops(("mall", HERE), ("mall", HERE)).make("mall", {"size": 2}).size == 2


def test_plug_ins_of_another_group_are_not_looked_at(shops, monkeypatch):
    known = shops()
    other = EntryPoints([EntryPoint("ruin", "no_such_module:Ruin", "somebody.else")])
    monkeypatch.setattr(registry, "entry_points", lambda **select: other.select(**select))
    assert known.names() == ["corner"]
