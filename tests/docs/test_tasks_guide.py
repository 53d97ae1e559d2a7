"""docs/tasks.md: its commands are run, and its tables hold every task, trigger and column."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from quirky.tasks import list_tasks, task_class
from quirky.triggers import list_triggers

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "tasks.md").read_text()


def test_every_task_and_trigger_stands_in_a_table() -> None:
    rows = [line for line in GUIDE.splitlines() if line.startswith("| ")]
    named = {word for row in rows for word in re.findall(r"\w+", row.split("|")[1])}
    assert {*list_tasks(), *list_triggers()} - named <= {"released"}
    assert "`released`" in GUIDE


def test_every_column_that_a_task_needs_is_named() -> None:
    for name in (
        name for name in list_tasks() if task_class(name).reads_data and name != "released"
    ):
        (row,) = re.findall(rf"^\| {name} \| (`.*) \|$", GUIDE, flags=re.MULTILINE)
        for column in task_class(name).columns:  # type: ignore[attr-defined]
            assert f"`{column}`" in row or column == "distractor2", (name, column)


@pytest.mark.slow
def test_its_commands_run(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "QUIRKY_HOME": str(tmp_path / "home"),
        "OMP_NUM_THREADS": "1",
    }
    commands = re.findall(r"^```bash\n(.*?)^```$", GUIDE, flags=re.MULTILINE | re.DOTALL)
    assert len(commands) == 3
    ended = subprocess.run(
        ["bash", "-euc", "\n".join(commands)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ended.returncode == 0, f"{ended.stdout}\n{ended.stderr}"
    assert "[deploy]" in ended.stdout
    assert "0 faults" in ended.stdout
    assert "num_rows" in ended.stdout
