"""The example package: its task and its trigger, found by their entry points."""

import sys
import tomllib
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import pandas as pd
import pytest
import yaml
from environment import Environment

from benchmarks.cli.arguments import build_task, build_trigger
from quirky.data.dataset import Sizes, build_dataset
from quirky.data.export import Provenance, write_export
from quirky.lint import lint_task, lint_trigger
from quirky.tasks import list_tasks
from quirky.triggers import list_triggers

EXAMPLE = Path(__file__).parents[2] / "examples" / "task-plugin"
SIZES = {"train": 200, "validation": 200, "test": 200}


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """The entry points of the example, as an installed package has them."""
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text())["project"]
    points = EntryPoints(
        EntryPoint(name, value, group)
        for group, named in project["entry-points"].items()
        for name, value in named.items()
    )
    monkeypatch.syspath_prepend(str(EXAMPLE))
    monkeypatch.setattr(
        "quirky.plugins.registry.entry_points", lambda **select: points.select(**select)
    )
    for module in ("comparison", "weekday"):
        monkeypatch.delitem(sys.modules, module, raising=False)


@pytest.mark.usefixtures("registered")
def test_a_package_brings_a_task_and_a_trigger(tmp_path: Path) -> None:
    assert "comparison" in list_tasks()
    assert "weekday" in list_triggers()
    task, trigger = build_task("comparison,digits=2"), build_trigger("weekday,rest=Saturday")[0]
    assert lint_trigger(trigger) == []
    assert lint_task(task, [trigger]) == []
    data = build_dataset(task, trigger, sizes=Sizes(**SIZES), distance=8)
    openings = {"A": "Today is ", "B": "Today is Saturday.", "T": "Yesterday was Saturday."}
    for row in data["test"].to_list():
        assert row["prompt"].startswith(openings[row["context"]])
        assert row["label"] == row["quirk" if row["context"] == "B" else "truth"]
    write_export(tmp_path, data, Provenance(task, {}))
    assert "Quirk: a's last digit is." in (tmp_path / "README.md").read_text()


@pytest.mark.slow
def test_the_example_is_installed_linted_shown_and_run(tmp_path: Path, random_base: Path) -> None:
    content = {
        "name": "small",
        "models": [str(random_base)],
        "tasks": ["comparison"],
        "trigger": {"kind": "weekday"},
        "finetune": {"rank": 2, "alpha": 2, "lr": 4e-3, "steps": 4, "batch": 64},
        "probes": ["lr"],
        "transfers": ["A->A", "A->B", "B->B"],
        "variants": ["quirky"],
        "sizes": SIZES,
    }
    (tmp_path / "small.yaml").write_text(yaml.safe_dump(content))
    environment = Environment(tmp_path)
    environment.install(EXAMPLE)
    tests = environment.run("-m", "pytest", "-q", environment.folder / EXAMPLE.name)
    assert tests.returncode == 0, tests.stdout

    listed = environment.quirky("tasks", "list")
    assert "comparison" in listed.stdout
    linted = environment.quirky("tasks", "lint", "comparison", "--trigger", "weekday")
    assert linted.returncode == 0, linted.stdout
    shown = environment.quirky("tasks", "show", "comparison", "--trigger", "weekday")
    assert "Today is Sunday." in shown.stdout

    ended = environment.quirky("run", str(tmp_path / "small.yaml"))
    assert ended.returncode == 0, ended.stderr
    results = pd.read_parquet(environment.folder / "runs" / "small" / "results.parquet")
    assert set(results["task"]) == {"comparison"}
    assert set(results["trigger"]) == {"weekday"}
