"""The example package in a throw-away environment: installed, listed, checked, run, and found."""

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import yaml
from environment import Environment

EXAMPLE = Path(__file__).parents[2] / "examples" / "probe-plugin"


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    """A throw-away environment with the example installed."""
    made = Environment(tmp_path)
    made.install(EXAMPLE)
    return made


@pytest.fixture
def package(tmp_path: Path) -> Callable[[str, str, str], Path]:
    """Writes a package of one module that claims the name of a probe."""

    def write(distribution: str, claimed: str, text: str) -> Path:
        folder = tmp_path / "written" / distribution
        folder.mkdir(parents=True)
        module = distribution.replace("-", "_")
        (folder / f"{module}.py").write_text(text)
        (folder / "pyproject.toml").write_text(
            f'[project]\nname = "{distribution}"\nversion = "1.0"\n'
            f'[project.entry-points."quirky.probes"]\n{claimed} = "{module}:Other"\n'
            f'[tool.setuptools]\npy-modules = ["{module}"]\n'
        )
        return folder

    return write


@pytest.fixture
def recipe(tmp_path: Path, random_base: Path) -> Path:
    """A small recipe that names the example's probe."""
    content = {
        "name": "small",
        "models": [str(random_base)],
        "tasks": ["fiction"],
        "finetune": {"rank": 2, "alpha": 2, "lr": 4e-3, "steps": 4, "batch": 64},
        "probes": ["lr", "median-diff"],
        "transfers": ["A->A", "A->B", "B->B"],
        "variants": ["quirky"],
        "sizes": {"train": 200, "validation": 200, "test": 200},
    }
    (tmp_path / "small.yaml").write_text(yaml.safe_dump(content))
    return tmp_path / "small.yaml"


@pytest.mark.slow
def test_the_example_is_in_the_results_and_a_broken_neighbour_stops_nothing(
    environment: Environment, package: Callable[[str, str, str], Path], recipe: Path
) -> None:
    environment.install(package("sad-probe", "sad", "import no_such_module"))
    warning = "warning: plug-in 'sad' of sad-probe 1.0 is broken: ModuleNotFoundError"

    listed = environment.quirky("probes", "list")
    assert listed.returncode == 0, listed.stderr
    assert "quirky-median-probe 0.1.0" in listed.stdout
    assert warning in listed.stderr

    checked = environment.quirky("probes", "check", "median-diff")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "pass    finds_planted_wide" in checked.stdout

    ended = environment.quirky("run", str(recipe))
    assert ended.returncode == 0, ended.stderr
    assert warning in ended.stderr
    run = environment.folder / "runs" / "small"
    assert {"lr", "median-diff"} <= set(pd.read_parquet(run / "results.parquet")["probe"])
    told = json.loads((run / "manifest.json").read_text())["plugins"]["median-diff"]
    assert (told["distribution"], told["version"]) == ("quirky-median-probe", "0.1.0")

    broken = environment.quirky("probes", "check", "sad")
    assert broken.returncode == 2
    assert broken.stderr.startswith("error: plug-in 'sad' of sad-probe 1.0 is broken")


@pytest.mark.slow
def test_the_example_s_own_tests_pass(environment: Environment) -> None:
    ended = environment.run("-m", "pytest", "-q", environment.folder / EXAMPLE.name)
    assert ended.returncode == 0, ended.stdout


@pytest.mark.slow
def test_two_plug_ins_with_one_name_are_an_error_that_names_both(
    environment: Environment, package: Callable[[str, str, str], Path], recipe: Path
) -> None:
    text = "from median_probe import MedianDifference as Other"
    environment.install(package("second-probe", "median-diff", text))
    for words, returncode, kind in (
        (("probes", "list"), 0, "warning: "),
        (("probes", "check", "median-diff"), 2, "error: "),
        (("run", str(recipe)), 2, "error: "),
    ):
        ended = environment.quirky(*words)
        assert ended.returncode == returncode
        (line,) = [line for line in ended.stderr.splitlines() if line.startswith(kind)]
        assert "'median-diff' of quirky-median-probe 0.1.0" in line
        assert "'median-diff' of second-probe 1.0" in line
    assert not (environment.folder / "runs").exists()


@pytest.mark.slow
def test_a_built_in_wins_over_a_plug_in_of_its_name(
    environment: Environment, package: Callable[[str, str, str], Path]
) -> None:
    environment.install(package("vain-probe", "lr", "raise RuntimeError('imported')"))
    listed = environment.quirky("probes", "list")
    assert listed.returncode == 0
    assert "warning: plug-in 'lr' of vain-probe 1.0 is ignored: 'lr' is built in" in listed.stderr
