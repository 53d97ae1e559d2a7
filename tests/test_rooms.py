"""What the whole repository promises."""

import re
from pathlib import Path

from importlinter.cli import lint_imports

ROOT = Path(__file__).parents[1]


def test_each_room_imports_only_what_it_may() -> None:
    assert lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True) == 0


def test_every_folder_that_the_contributing_guide_names_exists() -> None:
    guide = (ROOT / "CONTRIBUTING.md").read_text()
    rooms = "quirky|finetune|probes|benchmarks|tests|examples|docs"
    paths = re.findall(rf"`((?:{rooms})/[^` ]*)`", guide)
    assert len(paths) > 20
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_every_package_is_marked_as_typed() -> None:
    for package in ("quirky", "finetune", "probes", "benchmarks"):
        assert (ROOT / package / "py.typed").exists()
