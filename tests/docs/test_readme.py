"""README.md: short, its links lead somewhere, and every command and snippet in it is run.

`make bench` and `make docs` are not run here: they install the package from an index and, in the
case of `make bench`, take 20 minutes. What they start is tested: the recipe `tiny` in parts below,
the site in test_site.py.
"""

import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
from environment import Environment
from pages import ROOT, blocks, languages, page, run_commands

import quirky.tasks
from probes import check_probe, get_probe

README = page("README.md")
MOST_WORDS = 900
NOT_RUN = ["make bench\n"]


def test_it_is_read_in_a_few_minutes() -> None:
    assert len(README.split()) <= MOST_WORDS


def test_nothing_is_left_to_fill_in() -> None:
    assert "@@" not in README


def test_every_link_leads_to_a_file() -> None:
    links = re.findall(r"\]\(((?!http)[^)#]+)[^)]*\)", README)
    assert links
    assert [path for path in links if not (ROOT / path).exists()] == []


def test_every_block_is_run_by_a_test() -> None:
    """The quick start, the probe and the task are the Python; the rest is bash or the diagram."""
    assert languages(README) == {"bash", "python", "mermaid"}
    install, quick, finetune, check, plan, submit = (
        block for block in blocks(README, "bash") if block not in NOT_RUN
    )
    assert install == "pip install .\n"
    assert quick.startswith("quirky run tiny ")
    assert finetune in "".join(blocks(page("docs/finetuning.md"), "bash"))
    assert check.startswith("quirky probes check my_probe.py:")
    assert plan.startswith("quirky run tiny --task parity --plugin my_task.py --dry-run")
    assert submit.startswith("tar ")
    assert len(blocks(README, "python")) == 3


@pytest.mark.usefixtures("registries")
def test_the_probe_obeys_the_contract() -> None:
    exec(compile(blocks(README, "python")[1], "README.md", "exec"), {"__name__": "readme"})
    check_probe(type(get_probe("mean-of-true")))


@pytest.mark.usefixtures("registries")
def test_the_task_yields_claims() -> None:
    exec(compile(blocks(README, "python")[2], "README.md", "exec"), {"__name__": "readme"})
    task = quirky.tasks.get_task("parity")
    claims = list(task.claims(0))
    assert len(claims) == 1000
    assert {(claim.truth, claim.quirk) for claim in claims} == {
        (truth, quirk) for truth in (True, False) for quirk in (True, False)
    }
    assert task.templates[0].render(claims[8], "Bob") == "8 is even. Bob:"


@pytest.mark.slow
def test_the_quick_start_is_the_same_run_from_the_shell_and_from_python(tmp_path: Path) -> None:
    _, _, quick, _, check, plan, submit = blocks(README, "bash")
    start, probe, task = blocks(README, "python")
    home = tmp_path / "home"
    printed = run_commands(quick, tmp_path, home, timeout=1200)
    (run,) = (tmp_path / "runs").iterdir()
    assert f"report: runs/{run.name}/report.html" in printed

    script = f"{start}    print(run.folder, len(examples), states.shape[1], len(results))\n"
    (tmp_path / "start.py").write_text(script)
    printed = run_commands("python start.py", tmp_path, home)
    folder, examples, states, figures = printed.split()[-4:]
    assert folder == f"runs/{run.name}"
    assert examples == states
    assert int(figures) == len(pd.read_parquet(run / "results.parquet"))
    assert "cells to compute" not in printed

    (tmp_path / "my_probe.py").write_text(probe)
    assert "0 fail" in run_commands(check, tmp_path, home)

    (tmp_path / "my_task.py").write_text(task)
    assert "parity" in run_commands(plan, tmp_path, home)

    run_commands(submit, tmp_path, home)
    assert run_commands("tar -tzf result.tar.gz", tmp_path, home).splitlines() == [
        f"runs/{run.name}/manifest.json",
        f"runs/{run.name}/results.parquet",
    ]


@pytest.mark.slow
def test_the_checkout_is_installed_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`pip install .`: code, bases, recipes, templates and type markers, without an index."""
    monkeypatch.delenv("PYTHONPATH", raising=False)
    checkout = tmp_path / "source" / "checkout"
    ignored = shutil.ignore_patterns(".*", "build", "runs", "*.egg-info", "__pycache__", "tests")
    shutil.copytree(ROOT, checkout, ignore=ignored)
    environment = Environment(tmp_path)
    environment.install(checkout)
    shown = environment.run("-c", "import quirky; print(quirky.__file__)")
    site = Path(shown.stdout.strip()).parents[1]
    assert site.is_relative_to(tmp_path / "env"), shown.stderr
    for path in (
        *(f"{package}/py.typed" for package in ("quirky", "finetune", "probes", "benchmarks")),
        "finetune/bases/tiny-neox/model.safetensors",
        "benchmarks/recipe/recipes/tiny.yaml",
        "benchmarks/report/report.html.j2",
    ):
        assert (site / path).exists(), path
    listed = environment.quirky("recipes", "list")
    assert "tiny" in listed.stdout, listed.stderr
