"""Modules and files that a user names as plug-ins, and where classes come from."""

import sys
from pathlib import Path

import pytest

from quirky.plugins import distribution_of, load_plugin, location_of


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Returns a function that writes a file to the current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))

    def write(name, text):
        (tmp_path / name).write_text(text)
        return str(tmp_path / name)

    return write


def test_a_module_of_the_current_folder_is_imported(write):
    write("module_of_the_current_folder.py", "NUMBER = 1")
    assert load_plugin("module_of_the_current_folder").NUMBER == 1


def test_a_file_is_executed_again_at_every_call(write):
    assert load_plugin(write("own.py", "NUMBER = 1")).NUMBER == 1
    assert load_plugin(write("own.py", "NUMBER = 2")).NUMBER == 2


def test_files_of_one_name_in_two_folders_are_two_modules(write, tmp_path):
    (tmp_path / "more").mkdir()
    first = load_plugin(write("own.py", "NUMBER = 1"))
    second = load_plugin(write("more/own.py", "NUMBER = 2"))
    assert (first.NUMBER, second.NUMBER) == (1, 2)
    assert first.__name__ != second.__name__


@pytest.mark.parametrize(
    ("name", "text", "cause"),
    [
        ("own.py", "import no_such_module", "ModuleNotFoundError: No module named 'no_such"),
        ("own.py", "1 +", "SyntaxError"),
        ("own.py", r"raise SystemExit('usage:\n own.py')", "SystemExit: usage: own.py"),
        ("other.py", "", "No such file or directory"),
        ("no_such_module", "", "ModuleNotFoundError: No module named 'no_such"),
    ],
)
def test_a_plug_in_that_does_not_import_is_an_error_of_one_line(write, name, text, cause):
    write("own.py", text)
    with pytest.raises(ValueError, match=rf"plug-in '{name}' does not import: ") as failure:
        load_plugin(name)
    assert cause in str(failure.value)
    assert "\n" not in str(failure.value)


def test_a_class_comes_from_its_distribution_or_else_its_file():
    assert distribution_of("pytest.nothing") == ("pytest", pytest.__version__)
    assert distribution_of("no_such_module") is None
    assert location_of(pytest.MonkeyPatch) == f"pytest {pytest.__version__}"

    class Local:
        pass

    assert Path(location_of(Local)) == Path(__file__)
