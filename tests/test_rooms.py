"""What the whole repository promises."""

import re
from pathlib import Path

import pytest
from importlinter.cli import lint_imports

from probes import list_probes, registry

ROOT = Path(__file__).parents[1]


def test_each_room_imports_only_what_it_may() -> None:
    assert lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True) == 0


def test_the_readme_s_own_probes_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry.PROBES, "_registered", {})
    section = (ROOT / "README.md").read_text().split("## Your own probe")[1].split("\n## ")[0]
    snippets = re.findall(r"```python\n(.*?)```", section, re.S)
    assert len(snippets) == 3
    for snippet in snippets:
        exec(compile(snippet, "README.md", "exec"), {"__name__": "readme"})
    assert {"mean-of-true", "svm"} <= set(list_probes())


def test_every_name_in_the_readme_s_map_is_there() -> None:
    linked = re.findall(r"\]\(((?!http)[^)#]+)\)", (ROOT / "README.md").read_text())
    assert linked
    assert [path for path in linked if not (ROOT / path).exists()] == []


def test_nothing_in_the_readme_is_left_to_fill_in() -> None:
    assert "@@" not in (ROOT / "README.md").read_text()
