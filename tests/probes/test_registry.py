"""Probes by name: built in, registered and installed."""

import subprocess
import sys
from importlib.metadata import EntryPoint, EntryPoints
from types import SimpleNamespace

import pytest
from sklearn.naive_bayes import GaussianNB

from probes import Probe, get_probe, list_probes, register_probe, sklearn_probe
from probes.registry import PROBES, find_probe, probe_class, source_of
from quirky.plugins import registry as plugin_registry

BUILT_IN = [
    *("attention", "ccs", "crc", "lat", "lat-on-pair", "lda", "lda-on-pair", "lr", "lr-on-pair"),
    *("lr-raw", "mean-diff", "mean-diff-on-pair", "mlp", "random", "ttpd", "vinc", "vinc-s"),
]


class Plugged(Probe):
    """A probe of another distribution."""

    name = "plugged"
    reads = "prompt"
    supervision = "labels"

    def __init__(self, *, seed=0, depth=2):
        super().__init__(seed=seed, depth=depth)
        self.depth = depth


class Rival(Plugged):
    """A probe that claims the same name."""


HERE = f"{__name__}:Plugged"
RIVAL = f"{__name__}:Rival"


@pytest.fixture
def install(monkeypatch):
    """Returns a function that installs entry points, given as (name, value, distribution)."""

    def install(*plugins):
        points = []
        for name, value, distribution in plugins:
            point = EntryPoint(name, value, PROBES.group)
            vars(point)["dist"] = SimpleNamespace(name=distribution, version="1.0")
            points.append(point)
        monkeypatch.setattr(
            plugin_registry, "entry_points", lambda **select: EntryPoints(points).select(**select)
        )

    monkeypatch.setattr(PROBES, "_registered", {})
    install()
    return install


def test_importing_probes_imports_no_method():
    code = "import sys, probes; print([m for m in sys.modules if m.startswith('probes.methods')])"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert output.stdout.strip() == "[]", output.stderr


def test_every_method_registers_itself(install):
    assert list_probes() == BUILT_IN


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_built_in_has_its_name_and_module(name):
    assert get_probe(name).name == name
    assert probe_class(name).__module__.startswith("probes.methods.")
    assert source_of(name) == "built in"


def test_an_unknown_name_suggests_the_nearest(install):
    with pytest.raises(ValueError, match=r"'lgr'; did you mean 'lr'\? known: attention, .*lr,"):
        get_probe("lgr")


def test_an_unknown_hyperparameter_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"of probe 'lr': 'L2'; .*known: features, l2, seed"):
        get_probe("lr", L2=0.1)


def test_hyperparameters_reach_the_probe():
    assert get_probe("lr", l2=0.1, seed=5).l2 == 0.1


def test_a_registered_class_is_a_probe(install):
    assert register_probe(Plugged) is Plugged
    assert get_probe("plugged", depth=7).depth == 7
    assert "plugged" in list_probes()
    assert source_of("plugged") == __file__


def test_a_class_defined_again_replaces_the_old_one(install):
    def define():
        return type("Mine", (Plugged,), {"name": "mine"})

    register_probe(define())
    newer = register_probe(define())
    assert probe_class("mine") is newer


def test_two_classes_cannot_share_a_name(install):
    register_probe(Plugged)
    with pytest.raises(ValueError, match=rf"'plugged': Plugged of {__file__} and Rival of"):
        register_probe(Rival)


def test_the_name_of_a_built_in_is_taken():
    with pytest.raises(ValueError, match="'lr' is a built-in probe"):
        register_probe(type("Mine", (Plugged,), {"name": "lr"}))


@pytest.mark.parametrize(
    ("cls", "message"),
    [
        (dict, "not a probe class"),
        (type("Nameless", (Probe,), {}), "no `name`"),
        (type("Blind", (Plugged,), {"reads": "minds"}), "reads is 'minds'; known: prompt, pair"),
    ],
)
def test_a_class_that_breaks_the_contract_is_not_registered(cls, message):
    with pytest.raises(ValueError, match=message):
        register_probe(cls)


def test_an_installed_plug_in_is_a_probe(install):
    install(("plugged", HERE, "their-probe"))
    assert get_probe("plugged", depth=3).depth == 3
    assert find_probe("plugged") is Plugged
    assert "plugged" in list_probes()


def test_a_built_in_does_not_need_the_plug_ins(monkeypatch):
    def fail(**select):
        raise AssertionError(select)

    monkeypatch.setattr(plugin_registry, "entry_points", fail)
    assert get_probe("lr").name == "lr"


def test_a_built_in_wins_over_a_plug_in_of_its_name(install):
    install(("lr", HERE, "their-probe"))
    assert type(get_probe("lr")).__name__ == "LogisticRegression"
    with pytest.warns(UserWarning, match="'lr' of their-probe 1.0 is ignored: 'lr' is built in"):
        assert list_probes() == BUILT_IN


def test_a_broken_plug_in_is_named_and_the_others_work(install):
    install(("broken", "no_such_module:X", "sad-probe"), ("plugged", HERE, "their-probe"))
    with pytest.warns(UserWarning, match="'broken' of sad-probe 1.0 is broken: ModuleNotFound"):
        assert list_probes() == sorted([*BUILT_IN, "plugged"])
    assert get_probe("plugged").name == "plugged"
    with pytest.raises(ValueError, match="sad-probe"):
        get_probe("broken")


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("pluged", HERE, "calls itself 'plugged'"),
        ("plugged", "builtins:dict", "<class 'dict'> is not a probe class"),
    ],
)
def test_an_entry_point_must_be_a_probe_of_its_name(install, name, value, message):
    install((name, value, "their-probe"))
    with pytest.raises(ValueError, match=f"'{name}' of their-probe 1.0 is broken: .*{message}"):
        get_probe(name)


def test_two_plug_ins_of_one_name_are_an_error_that_names_both(install):
    install(("plugged", HERE, "first"), ("plugged", RIVAL, "second"))
    with pytest.raises(ValueError, match=r"'plugged' of first 1.0 and 'plugged' of second 1.0"):
        get_probe("plugged")
    with pytest.warns(UserWarning, match=r"'plugged' of first 1.0 and 'plugged' of second 1.0"):
        assert list_probes() == BUILT_IN


def test_a_plug_in_that_also_registers_itself_is_one_probe(install):
    register_probe(Plugged)
    install(("plugged", HERE, "their-probe"))
    assert probe_class("plugged") is Plugged
    assert list_probes().count("plugged") == 1


def test_a_registered_class_and_a_plug_in_of_one_name_are_both_named(install):
    register_probe(Rival)
    install(("plugged", HERE, "their-probe"))
    message = rf"'plugged' of their-probe 1.0 and Rival of {__file__}"
    with pytest.raises(ValueError, match=message):
        get_probe("plugged")
    with pytest.warns(UserWarning, match=message):
        assert list_probes() == BUILT_IN


def test_wrapped_classifiers_of_two_modules_do_not_replace_each_other(install):
    register_probe(sklearn_probe("bayes", GaussianNB))
    register_probe(sklearn_probe("bayes", GaussianNB, var_smoothing=1e-3))
    elsewhere = {"__name__": "elsewhere", "sklearn_probe": sklearn_probe, "GaussianNB": GaussianNB}
    rival = eval("sklearn_probe('bayes', GaussianNB)", elsewhere)
    with pytest.raises(ValueError, match="two plug-ins claim the name 'bayes'"):
        register_probe(rival)
