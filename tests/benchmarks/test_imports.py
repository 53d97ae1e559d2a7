"""`import benchmarks` and `quirky --help` are quick, and `benchmarks.run` is the function."""

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


@pytest.mark.parametrize(
    "before", ["", "from benchmarks.run import run", "import benchmarks.run", "import benchmarks"]
)
def test_run_is_the_function_in_whatever_order_modules_are_imported(before: str) -> None:
    code = (
        f"{before}\n"
        "import benchmarks\n"
        "from benchmarks import run\n"
        "from benchmarks.run import run as same\n"
        "assert benchmarks.run is run is same and callable(run)\n"
        "print(benchmarks.Recipe.__name__, benchmarks.Run.__name__, run.__name__)"
    )
    assert run_python(code).split() == ["Recipe", "Run", "run"]


def test_an_unknown_name_is_an_attribute_error() -> None:
    code = "import benchmarks\ntry: benchmarks.runs\nexcept AttributeError as error: print(error)"
    assert "has no attribute 'runs'" in run_python(code)
