"""Probes in files and modules of a user."""

import sys

import pytest

from probes import get_probe
from probes.registry import PROBES, find_probe, source_of
from quirky.plugins import load_plugin

SOURCE = '''
from probes import LinearProbe, register_probe

@register_probe
class Own(LinearProbe):
    """A probe of a file."""

    name = "own"
    reads = "prompt"
    supervision = "none"

NUMBER = 7
'''


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Returns a function that writes a file to the current folder; the registry is restored."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(PROBES, "_registered", {})
    monkeypatch.setattr(sys, "path", list(sys.path))

    def write(name, text=SOURCE):
        (tmp_path / name).write_text(text)
        return str(tmp_path / name)

    return write


def test_a_file_registers_its_probes(write):
    load_plugin(write("own.py"))
    assert get_probe("own").supervision == "none"
    assert source_of("own").endswith("own.py")


def test_a_file_that_changed_replaces_its_probes(write):
    load_plugin(write("own.py"))
    load_plugin(write("own.py", SOURCE.replace('"none"', '"labels"')))
    assert get_probe("own").supervision == "labels"


def test_two_files_that_claim_a_name_are_both_named(write):
    load_plugin(write("first.py"))
    with pytest.raises(ValueError, match=r"'own': Own of .*first.py and Own of .*second.py"):
        load_plugin(write("second.py"))


def test_a_file_that_claims_the_name_of_a_built_in_does_not_import(write):
    path = write("own.py", SOURCE.replace('"own"', '"lr"'))
    with pytest.raises(ValueError, match="does not import: ValueError: 'lr' is a built-in probe"):
        load_plugin(path)


def test_a_class_is_found_by_name_module_and_file(write):
    path = write("module_with_a_probe.py")
    assert find_probe("lr").name == "lr"
    assert find_probe("module_with_a_probe:Own").name == "own"
    PROBES._registered.clear()
    assert find_probe(f"{path}:Own").name == "own"


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("lgr", "unknown probe 'lgr'; did you mean 'lr'"),
        ("own.py", "'own.py' is a file; name a class in it: 'own.py:MyProbe'"),
        ("own.py:Onw", r"unknown class of 'own.py': 'Onw'; did you mean 'Own'\?"),
        ("own.py:NUMBER", "is 7, not a probe class"),
        ("nowhere.py:Own", "plug-in 'nowhere.py' does not import"),
    ],
)
def test_an_unknown_target_is_an_error_that_says_what_is_there(write, target, message):
    write("own.py")
    with pytest.raises(ValueError, match=message):
        find_probe(target)
