"""`make docs`: the site is built without a warning, and has every page and package."""

import subprocess
import sys
from pathlib import Path

import pytest
from pages import ROOT

PACKAGES = ("quirky", "finetune", "probes", "benchmarks")
NAMES = {
    "api/benchmarks/recipe/schema.html": ["benchmarks.recipe.schema.Recipe.seeds"],
    "api/quirky/data/dataset.html": ["quirky.data.dataset.Sizes.train"],
    "api/quirky/example.html": ["quirky.example.Example.context"],
    "python.html": ["benchmarks.runner.run", "benchmarks.results.run_folder.Run.states"],
}
"""Names that a page of the site must define: fields without a docstring, and a function whose
module has its name."""


@pytest.mark.slow
def test_the_site_has_every_page_and_the_api_of_every_package(tmp_path: Path) -> None:
    command = (sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet")
    process = subprocess.run(
        [*command, "--site-dir", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert process.returncode == 0, process.stderr
    for page in (ROOT / "docs").glob("*.md"):
        assert (tmp_path / f"{page.stem}.html").exists(), page.name
    for package in PACKAGES:
        api = (tmp_path / "api" / package / "index.html").read_text()
        assert f"<code>{package}</code>" in api or package in api
        assert list((tmp_path / "api" / package).glob("*/*.html")), package
    for html, names in NAMES.items():
        content = (tmp_path / html).read_text()
        assert [name for name in names if f'id="{name}"' not in content] == []
    for example in ("probe-plugin", "task-plugin"):
        assert f"{example}</a>" in (tmp_path / f"{example.split('-')[0]}s.html").read_text()
        assert (tmp_path / "examples" / f"{example}.html").exists()
