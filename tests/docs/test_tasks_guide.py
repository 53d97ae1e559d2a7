"""docs/tasks.md: its commands are run, and its tables hold every task, trigger and column."""

import re
from pathlib import Path

import pytest
from pages import blocks, page, run_commands

from quirky.tasks import list_tasks, task_class
from quirky.triggers import list_triggers

GUIDE = page("docs/tasks.md")


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
    commands = blocks(GUIDE, "bash")
    assert len(commands) == 4
    printed = run_commands("\n".join(commands), tmp_path, tmp_path / "home")
    assert "[deploy]" in printed
    assert "0 faults" in printed
    assert "fiction, seed 0" in printed
    assert printed.count(": fair") == 2
    assert "num_rows" in printed
