"""The pages of docs/: every block is run, printed by a command, or marked as not run."""

import re
from pathlib import Path

import numpy as np
import pytest
import yaml
from pages import ROOT, blocks, languages, page, run_commands

from benchmarks import Recipe
from benchmarks.metrics import LAYER_RULES, LayerChoice
from probes import get_probe
from quirky import get_task, get_trigger, lint_trigger
from quirky.prompts import load_templates

PAGES = sorted(path.name for path in (ROOT / "docs").glob("*.md"))


@pytest.mark.parametrize("name", PAGES)
def test_every_block_says_what_it_is(name: str) -> None:
    """`console` blocks need a download, a GPU or files of the reader's; the others are run."""
    text = page(f"docs/{name}")
    assert languages(text) <= {"bash", "console", "python", "text", "yaml"}
    for block in blocks(text, "console"):
        assert all(line.startswith(("$ ", "    ")) for line in block.splitlines())


@pytest.mark.parametrize("name", PAGES)
def test_every_picture_and_page_that_is_linked_exists(name: str) -> None:
    links = re.findall(r"\]\(((?!http|#)[^)#]+)[^)]*\)", page(f"docs/{name}"))
    assert [link for link in links if not (ROOT / "docs" / link).exists()] == []


@pytest.mark.usefixtures("registries")
def test_the_python_of_the_pages_runs() -> None:
    for name in ("method", "probes", "tasks"):
        for block in blocks(page(f"docs/{name}.md"), "python"):
            exec(compile(block, f"docs/{name}.md", "exec"), {"__name__": "page"})
    assert get_probe("mean-of-true").reads == "prompt"
    assert get_probe("svm").reads == "prompt"
    assert next(iter(get_task("parity").claims(0))).fields == {"n": "0"}
    assert lint_trigger(get_trigger("season")) == []
    assert LAYER_RULES.get("best_in_source")(np.array([0.5, 0.9, 0.8])) == LayerChoice((1,))


def test_only_pages_whose_blocks_are_run_have_any() -> None:
    assert {name for name in PAGES if "python" in languages(page(f"docs/{name}"))} == {
        "method.md",
        "probes.md",
        "tasks.md",
    }
    assert {name for name in PAGES if "bash" in languages(page(f"docs/{name}"))} == {
        "finetuning.md",  # test_finetuning_guide.py
        "models.md",
        "probes.md",
        "tasks.md",  # test_tasks_guide.py
    }


def test_the_yaml_of_the_models_page_is_valid(tmp_path: Path) -> None:
    entries, templates = blocks(page("docs/models.md"), "yaml")
    content = {"name": "page", "tasks": ["addition"], "probes": ["lr"], "transfers": ["A->B"]}
    Recipe.model_validate(content | yaml.safe_load(entries))
    (tmp_path / "prompts.yaml").write_text(templates)
    assert len(load_templates(tmp_path / "prompts.yaml")) == 1


@pytest.mark.slow
@pytest.mark.parametrize("name", ["models", "probes"])
def test_the_commands_of_the_models_and_probes_pages_run(name: str, tmp_path: Path) -> None:
    printed = run_commands("\n".join(blocks(page(f"docs/{name}.md"), "bash")), tmp_path, tmp_path)
    assert {"models": "dial-neox", "probes": "mean-diff-on-pair"}[name] in printed
