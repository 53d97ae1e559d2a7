"""`make docs`: the site is built without a warning, and has every page and package."""

import subprocess
import sys
from pathlib import Path

import pytest
from pages import ROOT

PACKAGES = ("quirky", "finetune", "probes", "benchmarks")


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
