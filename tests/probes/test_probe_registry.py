import warnings
from importlib.metadata import EntryPoint, EntryPoints
from types import SimpleNamespace

import pytest
from sklearn.naive_bayes import GaussianNB

from probes import (
    Probe,
    get_probe,
    list_probes,
    plugins,
    register_probe,
    registry,
    sklearn_probe,
)

BUILT_IN = sorted(registry.BUILT_IN)


class Plugged(Probe):
    """A probe that another distribution brings."""

    name = "plugged"
    reads = "prompt"
    supervision = "labels"

    def __init__(self, *, seed=0, depth=2):
        super().__init__(seed=seed, depth=depth)
        self.depth = depth


@pytest.fixture
def plug_in(monkeypatch):
    """Installs entry points, given as (name, value, distribution)."""

    def install(*brought):
        points = []
        for name, value, distribution in brought:
            point = EntryPoint(name, value, plugins.ENTRY_POINT_GROUP)
            vars(point)["dist"] = SimpleNamespace(name=distribution, version="1.0")
            points.append(point)
        monkeypatch.setattr(
            plugins, "entry_points", lambda **select: EntryPoints(points).select(**select)
        )

    monkeypatch.setattr(registry, "_registered", {})
    install()
    return install


HERE = f"{__name__}:Plugged"


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_built_in_has_its_name(name):
    assert get_probe(name).name == name


def test_built_ins_are_listed_in_order(plug_in):
    assert list_probes() == BUILT_IN


def test_an_unknown_name_is_told_the_nearest(plug_in):
    with pytest.raises(ValueError, match=r"'lgr'; did you mean 'lr'\? known: attention, .*lr,"):
        get_probe("lgr")


def test_an_unknown_hyperparameter_is_told_the_known_ones():
    with pytest.raises(ValueError, match=r"of probe 'lr': 'L2'; .*known: l2, seed"):
        get_probe("lr", L2=0.1)


def test_hyperparameters_reach_the_probe():
    assert get_probe("lr", l2=0.1, seed=5).l2 == 0.1


def test_a_registered_class_is_a_probe(plug_in):
    assert register_probe(Plugged) is Plugged
    assert get_probe("plugged", depth=7).depth == 7
    assert "plugged" in list_probes()
    assert registry.source_of("plugged") == __file__


def test_a_class_defined_anew_replaces_the_old(plug_in):
    def define():
        return type("Mine", (Plugged,), {"name": "mine"})

    register_probe(define())
    newer = register_probe(define())
    assert registry.probe_class("mine") is newer


def test_a_name_is_given_once(plug_in):
    register_probe(Plugged)
    with pytest.raises(ValueError, match=rf"'plugged': Plugged of {__file__} and Other of"):
        register_probe(type("Other", (Plugged,), {}))


def test_the_name_of_a_built_in_is_taken():
    with pytest.raises(ValueError, match="'lr' is a built-in probe"):
        register_probe(type("Mine", (Plugged,), {"name": "lr"}))


@pytest.mark.parametrize(
    ("cls", "sentence"),
    [
        (dict, "not a probe class"),
        (type("Nameless", (Probe,), {}), "no `name`"),
        (type("Blind", (Plugged,), {"reads": "minds"}), "reads is 'minds'; known: prompt, pair"),
    ],
)
def test_a_class_that_breaks_the_contract_is_not_registered(cls, sentence):
    with pytest.raises(ValueError, match=sentence):
        register_probe(cls)


def test_a_plug_in_is_found(plug_in):
    plug_in(("plugged", HERE, "their-probe"))
    assert get_probe("plugged", depth=3).depth == 3
    assert "plugged" in list_probes()


def test_a_built_in_never_touches_the_plug_ins(monkeypatch):
    def fail(**select):
        raise AssertionError(select)

    monkeypatch.setattr(plugins, "entry_points", fail)
    assert get_probe("lr").name == "lr"


def test_a_built_in_wins_over_a_plug_in_of_its_name(plug_in):
    plug_in(("lr", HERE, "their-probe"))
    assert type(get_probe("lr")).__name__ == "LogisticRegression"
    with pytest.warns(UserWarning, match="'lr' of their-probe 1.0 is ignored: 'lr' is built in"):
        assert list_probes() == BUILT_IN


def test_a_broken_plug_in_is_named_and_stops_nobody_else(plug_in):
    plug_in(("broken", "no_such_module:X", "sad-probe"), ("plugged", HERE, "their-probe"))
    with pytest.warns(UserWarning, match="'broken' of sad-probe 1.0 is broken: ModuleNotFound"):
        assert list_probes() == sorted([*BUILT_IN, "plugged"])
    assert get_probe("plugged").name == "plugged"
    with pytest.raises(ValueError, match="sad-probe"):
        get_probe("broken")


def test_a_plug_in_must_be_called_what_it_calls_itself(plug_in):
    plug_in(("pluged", HERE, "their-probe"))
    with pytest.raises(ValueError, match="calls itself 'plugged'"):
        get_probe("pluged")


def test_two_plug_ins_of_one_name_are_both_named(plug_in):
    plug_in(("plugged", HERE, "first"), ("plugged", HERE, "second"))
    with pytest.raises(ValueError, match=r"'plugged' of first 1.0 and 'plugged' of second 1.0"):
        get_probe("plugged")


def test_a_plug_in_that_registers_itself_is_one_probe(plug_in):
    register_probe(Plugged)
    plug_in(("plugged", HERE, "their-probe"))
    assert registry.probe_class("plugged").__name__ == "Plugged"
    assert list_probes().count("plugged") == 1


@pytest.mark.parametrize("ask", [lambda: get_probe("plugged"), list_probes])
def test_a_registered_class_and_a_plug_in_of_one_name_are_both_named(plug_in, ask):
    register_probe(type("Other", (Plugged,), {}))
    plug_in(("plugged", HERE, "their-probe"))
    with pytest.raises(ValueError, match=rf"'plugged' of their-probe 1.0 and Other of {__file__}"):
        ask()


def test_a_clash_is_told_by_the_list_too(plug_in):
    plug_in(("plugged", HERE, "first"), ("plugged", HERE, "second"))
    with pytest.raises(ValueError, match=r"'plugged' of first 1.0 and 'plugged' of second 1.0"):
        list_probes()


def test_an_unknown_name_imports_no_plug_in(plug_in):
    plug_in(("broken", "no_such_module:X", "sad-probe"))
    with pytest.raises(ValueError, match=r"'brokn'; did you mean 'broken'\?"):
        get_probe("brokn")


def test_wrapped_classifiers_of_two_modules_do_not_replace_each_other(plug_in):
    register_probe(sklearn_probe("bayes", GaussianNB))
    register_probe(sklearn_probe("bayes", GaussianNB, var_smoothing=1e-3))
    elsewhere = {"__name__": "elsewhere", "sklearn_probe": sklearn_probe, "GaussianNB": GaussianNB}
    theirs = eval("sklearn_probe('bayes', GaussianNB)", elsewhere)
    with pytest.raises(ValueError, match="two plug-ins claim the name 'bayes'"):
        register_probe(theirs)


def test_listing_healthy_plug_ins_is_silent(plug_in):
    plug_in(("plugged", HERE, "their-probe"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        list_probes()
