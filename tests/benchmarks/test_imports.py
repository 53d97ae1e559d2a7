"""`import benchmarks` and `quirky --help` are quick."""

import os
import subprocess
import sys

import pytest

HEAVY = ("torch", "transformers", "datasets", "pandas", "wandb", "plotly")
LOADED = f"import sys; print(*sorted({{*{HEAVY}}} & {{*sys.modules}}))"


def run_python(code: str) -> str:
    """Run code in a new process, where nothing is imported yet, and return what it prints."""
    process = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert process.returncode == 0, process.stderr
    return process.stdout


@pytest.mark.parametrize("module", ["benchmarks", "benchmarks.cli"])
def test_importing_is_light(module: str) -> None:
    assert run_python(f"import {module}; {LOADED}").split() == []


def test_help_is_light() -> None:
    code = "import atexit, sys; from benchmarks.cli import main; sys.argv = ['quirky', '--help']"
    shown = run_python(f"{code}; atexit.register(lambda: exec({LOADED!r})); main()")
    assert "recipes" in shown
    assert shown.splitlines()[-1] == ""


def test_the_package_exports_the_run_and_the_recipe() -> None:
    code = "import benchmarks as b; print(b.Recipe.__name__, b.Run.__name__, b.run.__name__)"
    assert run_python(code).split() == ["Recipe", "Run", "run"]


def test_an_unknown_name_is_an_attribute_error() -> None:
    code = "import benchmarks\ntry: benchmarks.runs\nexcept AttributeError as error: print(error)"
    assert "has no attribute 'runs'" in run_python(code)
