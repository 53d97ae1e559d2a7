"""Plug-ins by module or file, and classes by what a person writes."""

import sys

import pytest

from probes import get_probe, registry
from probes.registry import find_probe
from quirky.plugins import load_plugin

SOURCE = '''
from probes import LinearProbe, register_probe

@register_probe
class Given(LinearProbe):
    """A probe of a file."""

    name = "given"
    reads = "prompt"
    supervision = "none"

NUMBER = 7
'''


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Writes a file into the current folder; what it registers is forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(registry.PROBES, "_registered", {})
    monkeypatch.setattr(sys, "path", list(sys.path))

    def write(name, text=SOURCE):
        (tmp_path / name).write_text(text)
        return str(tmp_path / name)

    return write


def test_a_file_registers_its_probes(write):
    load_plugin(write("own.py"))
    assert get_probe("given").supervision == "none"
    assert registry.source_of("given").endswith("own.py")


def test_a_module_of_the_current_folder_registers_its_probes(write):
    write("own_module_of_a_plug_in.py")
    load_plugin("own_module_of_a_plug_in")
    assert get_probe("given").name == "given"


def test_a_file_that_has_changed_is_run_anew(write):
    load_plugin(write("own.py"))
    load_plugin(write("own.py", SOURCE.replace('"none"', '"labels"')))
    assert get_probe("given").supervision == "labels"


def test_files_of_one_name_in_two_folders_are_two_modules(write, tmp_path):
    (tmp_path / "more").mkdir()
    first = load_plugin(write("own.py", "NUMBER = 1"))
    second = load_plugin(write("more/own.py", "NUMBER = 2"))
    assert (first.NUMBER, second.NUMBER) == (1, 2)
    assert first.__name__ != second.__name__


def test_two_files_that_claim_a_name_are_both_named(write):
    load_plugin(write("first.py"))
    with pytest.raises(ValueError, match=r"'given': Given of .*first.py and Given of .*second.py"):
        load_plugin(write("second.py"))


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("own.py", "import no_such_module", "ModuleNotFoundError: No module named 'no_such"),
        ("own.py", "1 +", "SyntaxError"),
        ("own.py", r"raise SystemExit('usage:\n own.py')", "SystemExit: usage: own.py"),
        ("own.py", SOURCE.replace('"given"', '"lr"'), "'lr' is a built-in probe"),
        ("other.py", "", "No such file or directory"),
    ],
)
def test_a_plug_in_that_does_not_import_is_one_line(write, name, text, sentence):
    write("own.py", text)
    with pytest.raises(ValueError, match=rf"plug-in '{name}' does not import: ") as failure:
        load_plugin(name)
    assert sentence in str(failure.value)
    assert "\n" not in str(failure.value)


def test_a_module_that_is_not_there_is_named(write):
    with pytest.raises(ValueError, match="plug-in 'no_such_module' does not import: ModuleNotF"):
        load_plugin("no_such_module")


def test_a_class_is_found_by_name_module_and_file(write):
    path = write("own_module_to_find.py")
    assert find_probe("lr").name == "lr"
    assert find_probe("own_module_to_find:Given").name == "given"
    registry.PROBES._registered.clear()
    assert find_probe(f"{path}:Given").name == "given"


@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        ("lgr", "unknown probe 'lgr'; did you mean 'lr'"),
        ("own.py", "'own.py' is a file; name a class in it: 'own.py:MyProbe'"),
        ("own.py:Givn", r"unknown class of 'own.py': 'Givn'; did you mean 'Given'\?"),
        ("own.py:NUMBER", "is 7, not a probe class"),
        ("nowhere.py:Given", "plug-in 'nowhere.py' does not import"),
    ],
)
def test_a_class_that_is_not_there_is_told_what_is(write, target, sentence):
    write("own.py")
    with pytest.raises(ValueError, match=sentence):
        find_probe(target)
