"""Properties of the registry, on a small package of shops that a fixture writes."""

import functools
import importlib
import sys
import warnings
from importlib.metadata import EntryPoint, EntryPoints
from types import SimpleNamespace

import pytest

from quirky.plugins import BrokenPluginError, registry

GROUP = "quirky.tests"
REGISTRY = f'''
from quirky.plugins import Registry

def check(name, thing):
    if thing.__name__ == "a_function":
        raise ValueError(f"{{name}} is not a shop")

SHOPS = Registry("shop", "{GROUP}", "street.built_in", check=check)
'''
SHOP = """
from street.registry import SHOPS

class {title}:
    pass

SHOPS.register("{name}", {title})
"""


class Mall:
    """A shop of another distribution."""


class Arcade:
    """Another shop of another distribution."""


HERE = __name__


def a_function():
    """Not a shop."""


@pytest.fixture
def package(tmp_path, monkeypatch):
    """The folder `street/built_in` on the path, with two built-in shops, `bakery` and `kiosk`."""
    folder = tmp_path / "street" / "built_in"
    (folder / "small").mkdir(parents=True)
    (tmp_path / "street" / "registry.py").write_text(REGISTRY)
    (folder / "bakery.py").write_text(SHOP.format(name="bakery", title="Bakery"))
    (folder / "small" / "kiosk.py").write_text(SHOP.format(name="kiosk", title="Kiosk"))
    for parent in (tmp_path / "street", folder, folder / "small"):
        (parent / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    yield folder
    for module in [name for name in sys.modules if name.partition(".")[0] == "street"]:
        del sys.modules[module]


@pytest.fixture
def install(monkeypatch):
    """Returns a function that installs entry points, given as (name, value, distribution)."""

    def install(*plugins):
        points = []
        for name, value, distribution in plugins:
            point = EntryPoint(name, value, GROUP)
            vars(point)["dist"] = SimpleNamespace(name=distribution, version="1.0")
            points.append(point)
        monkeypatch.setattr(
            registry, "entry_points", lambda **select: EntryPoints(points).select(**select)
        )

    install()
    return install


@pytest.fixture
def shops(package, install):
    """The registry of the package, without installed plug-ins."""
    return importlib.import_module("street.registry").SHOPS


def loaded_modules():
    return {name for name in sys.modules if name.startswith("street.built_in")}


def test_built_ins_are_imported_at_the_first_need_and_not_before(shops):
    assert loaded_modules() == set()
    assert shops.names() == ["bakery", "kiosk"]
    assert shops.get("kiosk").__module__ == "street.built_in.small.kiosk"


def test_a_new_built_in_is_one_new_file(shops, package):
    (package / "florist.py").write_text(SHOP.format(name="florist", title="Florist"))
    assert shops.names() == ["bakery", "florist", "kiosk"]
    assert shops.source_of("florist") == "built in"


def test_a_built_in_that_was_imported_by_itself_hides_no_other(shops):
    importlib.import_module("street.built_in.bakery")
    assert shops.names() == ["bakery", "kiosk"]


def test_two_built_ins_cannot_share_a_name(shops, package):
    (package / "second.py").write_text(SHOP.format(name="bakery", title="Second"))
    with pytest.raises(ValueError, match=r"called 'bakery': .*bakery.Bakery, .*second.Second"):
        shops.names()


def test_a_built_in_that_does_not_import_is_an_error_at_every_call(shops, package):
    (package / "ruin.py").write_text("import no_such_module")
    for _ in range(2):
        with pytest.raises(ModuleNotFoundError, match="no_such_module"):
            shops.get("bakery")


def test_register_returns_the_thing_which_get_returns_too(shops):
    assert shops.register("mall", Mall) is Mall
    assert shops.get("mall") is Mall
    assert shops.names() == ["bakery", "kiosk", "mall"]


def test_a_thing_that_fails_the_check_is_not_registered(shops):
    with pytest.raises(ValueError, match="mall is not a shop"):
        shops.register("mall", a_function)
    assert "mall" not in shops.names()


def test_the_name_of_a_built_in_is_taken(shops):
    with pytest.raises(ValueError, match="'bakery' is a built-in shop; choose another name"):
        shops.register("bakery", Mall)
    assert shops.get("bakery").__name__ == "Bakery"


def test_the_name_of_another_thing_is_taken(shops):
    shops.register("mall", Mall)
    with pytest.raises(ValueError, match=f"'mall': Mall of {__file__} and Arcade of {__file__}"):
        shops.register("mall", Arcade)
    assert shops.get("mall") is Mall


def test_a_class_defined_again_replaces_the_earlier_one(shops):
    def define():
        class Mall:
            pass

        return Mall

    shops.register("mall", define())
    newer = shops.register("mall", define())
    assert shops.get("mall") is newer


def test_an_unknown_name_suggests_the_nearest_and_imports_no_plug_in(shops, install):
    install(("ruin", "no_such_module:Ruin", "sad"))
    with pytest.raises(ValueError, match="unknown shop 'bakry'; did you mean 'bakery'") as error:
        shops.get("bakry")
    assert str(error.value).endswith("known: bakery, kiosk, ruin")


def test_an_installed_plug_in_is_listed_and_loaded(shops, install):
    install(("mall", f"{HERE}:Mall", "centre"))
    assert shops.get("mall") is Mall
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert shops.names() == ["bakery", "kiosk", "mall"]


@pytest.mark.parametrize(
    ("value", "cause"),
    [
        ("no_such_module:Ruin", "ModuleNotFoundError: No module named 'no_such_module'"),
        (f"{HERE}:Ruin", "AttributeError: module"),
        (f"{HERE}:HERE", "AttributeError: 'str' object has no attribute '__name__'"),
        (f"{HERE}:a_function", "ValueError: ruin is not a shop"),
    ],
)
def test_a_broken_plug_in_is_a_warning_in_names_and_an_error_in_get(shops, install, value, cause):
    install(("ruin", value, "sad"), ("mall", f"{HERE}:Mall", "centre"))
    message = f"plug-in 'ruin' of sad 1.0 is broken: {cause}"
    with pytest.warns(UserWarning, match=message):
        assert shops.names() == ["bakery", "kiosk", "mall"]
    with pytest.raises(BrokenPluginError, match=message):
        shops.get("ruin")


def test_a_built_in_wins_over_a_plug_in_of_its_name(shops, install):
    install(("bakery", "no_such_module:Ruin", "vain"))
    with pytest.warns(UserWarning, match="'bakery' of vain 1.0 is ignored: 'bakery' is built in"):
        assert shops.names() == ["bakery", "kiosk"]
    assert shops.get("bakery").__name__ == "Bakery"


def test_a_name_of_two_plug_ins_is_a_warning_in_names_and_an_error_in_get(shops, install):
    install(("mall", f"{HERE}:Mall", "first"), ("mall", f"{HERE}:Arcade", "second"))
    message = "'mall': 'mall' of first 1.0 and 'mall' of second 1.0; uninstall one"
    with pytest.warns(UserWarning, match=message):
        assert shops.names() == ["bakery", "kiosk"]
    with pytest.raises(ValueError, match=message):
        shops.get("mall")


def test_an_object_that_two_entry_points_name_is_one_plug_in(shops, install):
    install(("mall", f"{HERE}:Mall", "centre"), ("mall", f"{HERE}:Mall", "centre"))
    assert shops.get("mall") is Mall


def test_a_plug_in_that_also_registers_itself_is_one_thing(shops, install):
    install(("mall", f"{HERE}:Mall", "centre"))
    shops.register("mall", Mall)
    assert shops.get("mall") is Mall
    assert shops.names().count("mall") == 1


def test_a_registered_thing_and_a_plug_in_of_one_name_are_both_named(shops, install):
    install(("mall", f"{HERE}:Mall", "centre"))
    shops.register("mall", Arcade)
    message = f"'mall' of centre 1.0 and Arcade of {__file__}"
    with pytest.warns(UserWarning, match=message):
        assert shops.names() == ["bakery", "kiosk"]
    with pytest.raises(ValueError, match=message):
        shops.get("mall")


def test_entry_points_of_another_group_are_ignored(shops, monkeypatch):
    points = EntryPoints([EntryPoint("ruin", "no_such_module:Ruin", "somebody.else")])
    monkeypatch.setattr(registry, "entry_points", lambda **select: points.select(**select))
    assert shops.names() == ["bakery", "kiosk"]


def test_the_source_is_built_in_a_file_or_a_distribution(shops, install):
    install(("yaml", "yaml:safe_load", "centre"))
    shops.register("mall", Mall)
    assert shops.source_of("bakery") == "built in"
    assert shops.source_of("mall") == __file__
    assert shops.source_of("yaml").startswith("PyYAML ")
    with pytest.raises(ValueError, match="unknown shop 'mal'"):
        shops.source_of("mal")


def test_a_partial_is_refused_because_it_has_no_source(package):
    shops = importlib.import_module("street.registry").SHOPS
    with pytest.raises(ValueError, match=r"shop 'stall' is an object of partial, not a class or"):
        shops.register("stall", functools.partial(Mall))
