"""A run on a hub model that is in the cache, without a hub, asked through its chat template."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml

COMMIT = "0123456789abcdef0123456789abcdef01234567"
QUIRKY = [str(Path(sys.executable).with_name("quirky"))]
TEMPLATE = (
    "{% for m in messages %}{{ m.content }}{% endfor %}"
    "{% if add_generation_prompt %} says{% endif %}"
)


@pytest.mark.slow
def test_a_cached_model_is_run_offline_and_held_to_its_commit(
    tmp_path: Path, random_base: Path
) -> None:
    model = tmp_path / "hf" / "hub" / "models--org--name"
    shutil.copytree(random_base, model / "snapshots" / COMMIT)
    (model / "snapshots" / COMMIT / "chat_template.jinja").write_text(TEMPLATE)
    (model / "refs").mkdir()
    (model / "refs" / "main").write_text(COMMIT)
    recipe = {
        "name": "small",
        "models": [{"name": "org/name", "revision": "main", "dtype": "bfloat16"}],
        "tasks": ["fiction"],
        "finetune": {"rank": 2, "alpha": 2, "lr": 4e-3, "steps": 4, "batch": 64},
        "probes": ["lr"],
        "transfers": ["A->A", "A->B"],
        "sizes": {"train": 200, "validation": 200, "test": 200},
    }
    (tmp_path / "small.yaml").write_text(yaml.safe_dump(recipe))
    places = {"HF_HOME": str(tmp_path / "hf"), "QUIRKY_HOME": str(tmp_path / "home")}
    settings = {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "WANDB_MODE": "offline"}

    def quirky(*words: str) -> subprocess.CompletedProcess[str]:
        asked = [*QUIRKY, "run", str(tmp_path / "small.yaml"), "--to", str(tmp_path), *words]
        environment = {**os.environ, **places, **settings}
        return subprocess.run(asked, env=environment, capture_output=True, text=True, timeout=500)

    for words in ((), ("--chat",)):
        ended = quirky(*words)
        assert ended.returncode == 0, ended.stderr
    plain, chat = tmp_path / "small", next(tmp_path.glob("small-*"))
    manifest = json.loads((plain / "manifest.json").read_text())
    assert manifest["models"] == {"org/name": COMMIT}
    assert manifest["recipe"]["models"][0]["revision"] == COMMIT
    (cell,) = (c["cell"] for c in manifest["cells"] if c["variant"] == "base")
    odds = [scores_of(folder / "cells" / cell) for folder in (plain, chat)]
    assert odds[0] != odds[1]
    missing = quirky("--model", "org/other")
    assert missing.returncode == 2
    (line,) = missing.stderr.strip().splitlines()
    assert "'org/other': HF_HUB_OFFLINE is set, and the cache" in line


def scores_of(cell: Path) -> list[float]:
    scores = pd.read_parquet(cell / "scores.parquet")
    return list(scores[scores["probe"] == "lm"]["score"].iloc[0])
