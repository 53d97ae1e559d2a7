"""The main job end to end, on a small random base: what it leaves, and that it is left alone."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
import pytest
import torch
import yaml

from benchmarks.results.run_folder import Run
from finetune.models.fingerprint import model_fingerprint
from finetune.models.load import load_model
from finetune.pretrain.vocabulary import VOCABULARY
from finetune.prompting.answers import answer_token_pairs

QUIRKY = [str(Path(sys.executable).with_name("quirky"))]


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory, random_base: Path) -> Path:
    """A folder with a random base and a small recipe for it."""
    folder = tmp_path_factory.mktemp("run")
    shutil.copytree(random_base, folder / "base")
    recipe = {
        "name": "small",
        "models": [str(folder / "base")],
        "tasks": [{"name": "addition", "digits": 2}, "fiction"],
        "finetune": {"rank": 2, "alpha": 2, "lr": 4e-3, "steps": 4, "batch": 64},
        "probes": ["lr", "mean-diff-on-pair", "random", {"name": "attention", "evaluations": 5}],
        "tokens": {"layers": 2},
        "transfers": ["A->A", "A->B", "B->B"],
        "draws": 2,
        "sizes": {"train": 200, "validation": 200, "test": 200},
    }
    (folder / "small.yaml").write_text(yaml.safe_dump(recipe))
    return folder


def environment(home: Path) -> dict[str, str]:
    return {**os.environ, "QUIRKY_HOME": str(home), "OMP_NUM_THREADS": "1", "WANDB_MODE": "offline"}


def quirky(*words: str, home: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*QUIRKY, *words], env=environment(home), capture_output=True, text=True, timeout=500
    )


@pytest.fixture(scope="module")
def finished(workplace: Path) -> Path:
    """The folder of a run that has ended well."""
    ended = quirky(
        "run",
        str(workplace / "small.yaml"),
        "--to",
        str(workplace / "runs"),
        home=workplace / "home",
    )
    assert ended.returncode == 0, ended.stderr
    return workplace / "runs" / "small"


def test_a_run_leaves_what_the_design_promises(finished: Path) -> None:
    manifest = json.loads((finished / "manifest.json").read_text())
    assert len(manifest["cells"]) == 4
    base = str(finished.parents[1] / "base")
    assert manifest["models"] == {base: model_fingerprint(base)}
    for cell in manifest["cells"]:
        names = {path.name for path in (finished / "cells" / cell["cell"]).iterdir()}
        assert names >= {"gate.json", "examples.parquet", "scores.parquet"}
    assert "<html" in (finished / "report.html").read_text()
    assert list((finished / "wandb").iterdir())


def test_every_score_has_its_example(finished: Path) -> None:
    for folder in (finished / "cells").iterdir():
        examples = pd.read_parquet(folder / "examples.parquet")
        scores = pd.read_parquet(folder / "scores.parquet")
        assert set(examples["split"]) == {"heldout", "test"}
        assert {len(score) for score in scores["score"]} == {len(examples)}
        assert {"lm", "text", "lr", "random"} <= set(scores["probe"])


def test_states_and_examples_of_a_split_are_in_one_order(
    finished: Path, workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The model's own log-odds, which stand in the scores, are read off the last states anew."""
    monkeypatch.setenv("QUIRKY_HOME", str(workplace / "home"))
    run = Run(finished)
    cell = next(cell for cell in run.cells() if cell.endswith("base"))
    examples, scores = run.examples(cell), run.scores(cell)
    model = load_model(str(workplace / "base"), dtype=torch.float32)
    with torch.no_grad():
        final = model.model.gpt_neox.final_layer_norm(run.states(cell)[-1])
        logits = model.model.get_output_embeddings()(final)
    choices = [tuple(pair) for pair in examples["choices"]]
    pairs = answer_token_pairs(model.tokenizer, list(examples["prompt"]), choices)
    said = [float(row[true] - row[false]) for row, (false, true) in zip(logits, pairs, strict=True)]
    own = scores[scores["probe"] == "lm"]["score"].iloc[0]
    assert said == pytest.approx(list(own), abs=1e-4)
    validation = run.examples(cell, "validation")
    assert set(validation["split"]) == {"validation"}
    assert run.states(cell, split="validation").shape[1] == len(validation)
    assert run.states(cell, reads="pair", split="test").shape[1:3] == (
        (examples["split"] == "test").sum(),
        2,
    )
    with pytest.raises(ValueError, match="unknown split 'train'; known: validation, heldout, test"):
        run.states(cell, split="train")


def test_tokens_are_read_at_the_layers_that_were_kept(
    finished: Path, workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUIRKY_HOME", str(workplace / "home"))
    run = Run(finished)
    cell = run.cells()[0]
    by_layer = run.results().query(
        "cell == @cell and probe == 'attention' and layer_rule == 'each'"
    )
    blocks = len(run.states(cell))
    assert set(by_layer["layer"]) == {round(blocks / 2), blocks}
    tokens, mask = run.tokens(cell, blocks)
    last = mask.sum(1) - 1
    states = run.states(cell)[-1]
    torch.testing.assert_close(tokens[torch.arange(len(last)), last], states, atol=1e-5, rtol=1e-5)
    assert run.tokens(cell, blocks, "validation")[0].shape[0] == len(
        run.examples(cell, "validation")
    )
    with pytest.raises(ValueError, match=r"layer 1; tokens of .* are stored at"):
        run.tokens(cell, 1)


def test_states_that_the_store_has_lost_are_named(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUIRKY_HOME", str(tmp_path))
    run = Run(finished)
    with pytest.raises(ValueError, match="not in the store"):
        run.states(run.cells()[0])


def test_the_manifest_names_what_every_cell_was_made_from(finished: Path, workplace: Path) -> None:
    manifest = json.loads((finished / "manifest.json").read_text())
    for cell, hashes in manifest["hashes"].items():
        assert (workplace / "home" / "data" / hashes["data"]).is_dir()
        assert (workplace / "home" / "states" / hashes["states"]).is_dir()
        assert (workplace / "home" / "states" / hashes["tokens"]).is_dir()
        adapter = hashes["adapter"]
        assert (adapter is None) == cell.endswith(".base")
        assert adapter is None or (workplace / "home" / "adapters" / adapter).is_dir()
    records = [json.loads(p.read_text()) for p in finished.glob("cells/*/cell.json")]
    assert manifest["seconds"] == pytest.approx(sum(r["seconds"] for r in records), abs=0.1)


def test_an_untrained_base_is_void(finished: Path) -> None:
    for folder in (finished / "cells").glob("*.quirky"):
        gate = json.loads((folder / "gate.json").read_text())
        assert gate["passed"] is False
        assert gate["reasons"]


def test_a_second_run_computes_nothing(finished: Path, workplace: Path) -> None:
    before = {p: p.stat().st_mtime_ns for p in (finished / "cells").rglob("*")}
    again = quirky(
        "run",
        str(workplace / "small.yaml"),
        "--to",
        str(workplace / "runs"),
        home=workplace / "home",
    )
    assert again.returncode == 0
    assert "to compute" not in again.stderr
    assert {p: p.stat().st_mtime_ns for p in (finished / "cells").rglob("*")} == before


def test_new_probes_and_renderings_tune_no_model_again(finished: Path, workplace: Path) -> None:
    recipe = yaml.safe_load((workplace / "small.yaml").read_text())
    recipe["probes"] = ["lr", "mean-diff", "vinc"]
    more = {**recipe, "name": "more", "renderings": 2}
    (workplace / "more.yaml").write_text(yaml.safe_dump(more))
    adapters = workplace / "home" / "adapters"
    before = {p: p.stat().st_mtime_ns for p in adapters.rglob("*.safetensors")}
    ended = quirky(
        "run",
        str(workplace / "more.yaml"),
        "--to",
        str(workplace / "runs"),
        home=workplace / "home",
    )
    assert ended.returncode == 0, ended.stderr
    assert {p: p.stat().st_mtime_ns for p in adapters.rglob("*.safetensors")} == before


PLUGIN = """
from probes import LinearProbe, register_probe

def weight_of(rows, y):
    return rows[:, y].mean(1) - rows[:, ~y].mean(1)

@register_probe
class Own(LinearProbe):
    name, reads, supervision = "own", "prompt", "labels"

    def fit(self, x, y, **needs):
        weight = weight_of(self.rows(x).double(), y)
        return self.set_direction(x, weight, weight.sum(-1))
"""


@pytest.mark.slow
def test_a_plug_in_reaches_the_workers_and_its_scores_follow_its_file(
    finished: Path, workplace: Path, tmp_path: Path
) -> None:
    recipe = yaml.safe_load((workplace / "small.yaml").read_text())
    recipe |= {"name": "own", "probes": ["own"], "tasks": ["fiction"], "variants": ["quirky"]}
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(recipe))
    fits = workplace / "home" / "fits"
    origins, made = [], []
    for text in (PLUGIN, PLUGIN, PLUGIN.replace("return rows", "return -rows")):
        (tmp_path / "own.py").write_text(text)
        before = set(fits.iterdir())
        ended = quirky(
            *("run", str(tmp_path / "own.yaml"), "--plugin", str(tmp_path / "own.py")),
            *("--to", str(tmp_path / "runs")),
            home=workplace / "home",
        )
        assert ended.returncode == 0, ended.stderr
        manifest = json.loads((tmp_path / "runs" / "own" / "manifest.json").read_text())
        origins.append(manifest["plugins"]["own"])
        made.append(len(set(fits.iterdir()) - before))
    assert "own" in set(Run(tmp_path / "runs" / "own").results()["probe"])
    assert made == [made[0], 0, made[0]]
    assert made[0] > 0
    assert origins[0] == origins[1] != origins[2]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"tasks": ["adition"]}, "did you mean 'addition'"),
        ({"probes": ["lgr"]}, "did you mean 'lr'"),
        ({"models": ["tiny-neo"]}, "did you mean 'tiny-neox'"),
        ({"stepps": 3}, "stepps"),
        ({"transfers": ["A-B"]}, "A-B"),
        ({"sizes": {"validation": 1}}, "validation"),
        ({"finetune": {"lr": -1}}, "lr"),
        ({"renderings": 6}, "renderings = 6; with prompts 'mixture' a question has 1 to 5"),
        ({"tokens": {"layers": [99]}}, "`tokens.layers` names layer 99; the model has 1 to"),
        ({"tokens": {"gigabytes": 1e-4}}, "`tokens.gigabytes` = 0.0001; raise that, or"),
        ({"sites": ["resid", "ssm_state"]}, "sites: ssm_state: no model of the recipe has one"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(
    workplace: Path, tmp_path: Path, change: dict[str, object], named: str
) -> None:
    recipe = yaml.safe_load((workplace / "small.yaml").read_text()) | change
    (tmp_path / "wrong.yaml").write_text(yaml.safe_dump(recipe))
    ended = quirky(
        "run", str(tmp_path / "wrong.yaml"), "--to", str(tmp_path / "runs"), home=tmp_path / "home"
    )
    errors = [line for line in ended.stderr.splitlines() if line.startswith("error:")]
    assert ended.returncode == 2
    assert len(errors) == 1
    assert named in errors[0]
    assert not (tmp_path / "runs").exists()
    assert not (tmp_path / "home" / "adapters").exists()


def test_recurrent_states_stand_beside_resid_in_results_and_report(
    workplace: Path, tmp_path: Path, tiny_model: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny_model("mamba", vocab_size=VOCABULARY).save_pretrained(tmp_path / "recurrent")
    for file in (workplace / "base").glob("tokenizer*"):
        shutil.copy(file, tmp_path / "recurrent")
    recipe = yaml.safe_load((workplace / "small.yaml").read_text())
    recipe |= {"models": [str(tmp_path / "recurrent"), str(workplace / "base")]}
    recipe |= {"tasks": ["fiction"], "variants": ["base"], "probes": ["lr", "lr-on-pair"]}
    recipe |= {"sites": ["resid", "ssm_state", "conv_state"], "projection": {"size": 20}}
    (tmp_path / "small.yaml").write_text(yaml.safe_dump(recipe))
    words = ("run", str(tmp_path / "small.yaml"), "--to", str(tmp_path / "runs"))
    ended = quirky(*words, home=tmp_path / "home")
    assert ended.returncode == 0, ended.stderr
    assert f"note: {workplace / 'base'} has no ssm_state" in " ".join(ended.stderr.split())

    monkeypatch.setenv("QUIRKY_HOME", str(tmp_path / "home"))
    run = Run(tmp_path / "runs" / "small")
    recurrent, plain = run.cells()
    results = run.results()
    layers = results[results["layer_rule"] == "each"].groupby(["cell", "probe", "site"])["layer"]
    assert {key: sorted(set(found)) for key, found in layers} == {
        (recurrent, "lr", "resid"): [1, 2, 3],
        (recurrent, "lr", "ssm_state"): [1, 2, 3],
        (recurrent, "lr", "conv_state"): [1, 2, 3],
        (recurrent, "lr-on-pair", "resid"): [1, 2, 3],
        (plain, "lr", "resid"): [1, 2, 3],
        (plain, "lr-on-pair", "resid"): [1, 2, 3],
    }
    assert run.states(recurrent, "ssm_state").shape == (3, len(run.examples(recurrent)), 20)
    with pytest.raises(ValueError, match=r"site 'ssm_state'; in this cell: resid$"):
        run.states(plain, "ssm_state")
    with pytest.raises(ValueError, match="read after the prompt alone"):
        run.states(recurrent, "ssm_state", reads="pair")
    assert "lr at ssm_state" in run.report.read_text()


def test_a_cell_that_fails_is_one_line_and_exit_code_1(workplace: Path, tmp_path: Path) -> None:
    recipe = yaml.safe_load((workplace / "small.yaml").read_text())
    recipe |= {"tasks": ["fiction"], "variants": ["quirky"]}
    recipe["finetune"]["lr"] = 1e30
    (tmp_path / "wild.yaml").write_text(yaml.safe_dump(recipe))
    ended = quirky(
        "run", str(tmp_path / "wild.yaml"), "--to", str(tmp_path / "runs"), home=tmp_path / "home"
    )
    (line,) = [line for line in ended.stderr.splitlines() if line.startswith("failed:")]
    assert ended.returncode == 1
    assert "1 of 1 cells failed" in line
    assert "diverged" in line
    assert "Traceback" not in ended.stderr


@pytest.mark.slow
def test_a_killed_run_resumes_to_the_same_result(
    finished: Path, workplace: Path, tmp_path: Path
) -> None:
    """Killed at ten random times, with a store of its own: the figures are those of a whole run."""
    rng = random.Random(0)
    words = [*QUIRKY, "run", str(workplace / "small.yaml"), "--to", str(tmp_path / "runs")]
    killed = 0
    while killed < 10:
        started = subprocess.Popen(
            words,
            env=environment(tmp_path / "home"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        time.sleep(rng.uniform(4, 25))
        if started.poll() is None:
            os.killpg(started.pid, signal.SIGKILL)
            killed += 1
        else:  # it was done before its time: begin anew
            shutil.rmtree(tmp_path / "home", ignore_errors=True)
            shutil.rmtree(tmp_path / "runs", ignore_errors=True)
        started.wait()
    assert subprocess.run(words, env=environment(tmp_path / "home")).returncode == 0
    ours = pd.read_parquet(tmp_path / "runs" / "small" / "results.parquet")
    whole = pd.read_parquet(finished / "results.parquet")
    pd.testing.assert_frame_equal(ours, whole, atol=1e-4)


@pytest.mark.slow
def test_no_worker_outlives_a_killed_run(workplace: Path, tmp_path: Path) -> None:
    words = [*QUIRKY, "run", str(workplace / "small.yaml"), "--to", str(tmp_path / "runs")]
    started = psutil.Popen(
        words,
        env=environment(tmp_path / "home"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while len(begun := started.children(recursive=True)) < 3:  # two that serve, and a worker
        assert started.poll() is None
        time.sleep(0.2)
    started.kill()
    started.wait()
    assert not psutil.wait_procs(begun, timeout=60)[1]
