"""How hard claims are for a ladder of models: what is written is what models say."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from published_data import nli, write

from benchmarks import cli
from benchmarks.commands import difficulty as module
from benchmarks.commands.difficulty import (
    compute_difficulty,
    ladder_recipe,
    log_loss,
    resolve_ladder,
)
from benchmarks.preflight.checks import check_contexts
from benchmarks.recipe.datasets import ensure_recipe_dataset
from benchmarks.recipe.load import validate_recipe
from finetune.models.load import load_model
from finetune.reading.residual import log_odds
from quirky.tasks import get_task
from quirky.tasks.published.nli import NLI


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUIRKY_HOME", str(tmp_path / "home"))


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    return write(tmp_path / "pairs.csv", nli(200))


def difficulty(models: list[str], task: dict[str, Any], **more: Any) -> pd.DataFrame:
    return compute_difficulty(resolve_ladder(ladder_recipe(models, task, **more)))


def test_the_loss_is_that_of_the_true_verdict() -> None:
    said, truth = np.array([2.0, -2.0, 2.0, -2.0]), np.array([True, True, False, False])
    right, wrong = np.log(1 + np.exp(-2)), np.log(1 + np.exp(2))
    one = np.zeros(4)
    assert log_loss(said, truth, one) == pytest.approx([right, wrong, wrong, right])


def test_a_habit_of_one_answer_makes_no_claim_harder() -> None:
    rng = np.random.default_rng(0)
    said, truth = rng.normal(size=200), rng.random(200) < 0.5
    template = np.arange(200) % 2
    habit = np.where(template == 1, 30.0, -7.0)
    assert log_loss(said + habit, truth, template) == pytest.approx(log_loss(said, truth, template))


def test_the_difficulty_is_the_mean_over_the_ladder(pairs: Path, random_base: Path) -> None:
    models = ["tiny-neox", str(random_base)]
    table = difficulty(models, {"name": "nli", "data": str(pairs)})
    task = get_task("nli", data=str(pairs))
    claims = list(task.claims(0))
    assert list(table["question_id"]) == [claim.question_id for claim in claims]
    assert list(table["truth"]) == [claim.truth for claim in claims]
    first, prompts = task.templates[0], []
    for claim in claims:
        prompts.append(first.render(claim, "Alice"))
    for name in models:
        loaded = load_model(name)
        said = log_odds(loaded.model, loaded.tokenizer, prompts, [first.choices] * len(prompts))
        sign = np.where(table["truth"], 1, -1)
        expected = np.log1p(np.exp(-sign * (said.numpy() - np.median(said.numpy()))))
        assert table[f"loss of {name}"].to_numpy() == pytest.approx(expected, abs=1e-4)
    mean = table[[f"loss of {name}" for name in models]].mean(axis=1)
    assert table["difficulty"].to_numpy() == pytest.approx(mean.to_numpy())


def test_a_rung_is_asked_once(
    pairs: Path, random_base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[str] = []
    load = module.load_weights
    monkeypatch.setattr(
        module,
        "load_weights",
        lambda model, **options: loaded.append(model.name) or load(model, **options),
    )
    task = {"name": "nli", "data": str(pairs)}
    alone = difficulty([str(random_base)], task)
    both = difficulty([str(random_base), "tiny-neox"], task)
    assert loaded == [str(random_base), "tiny-neox"]
    column = f"loss of {random_base}"
    assert list(alone[column]) == list(both[column])
    difficulty([str(random_base)], {**task, "split": "train[:99%]"})
    assert len(loaded) == 3


def test_other_claims_under_the_same_settings_are_read_anew(
    pairs: Path, random_base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the rules of a task change: figures of claims that no longer exist are not used."""
    task = {"name": "nli", "data": str(pairs)}
    before = difficulty([str(random_base)], task)
    draw = NLI.draw_claims
    monkeypatch.setattr(NLI, "draw_claims", lambda self, seed: reversed(list(draw(self, seed))))
    after = difficulty([str(random_base)], task)
    columns = ["question_id", f"loss of {random_base}"]
    assert list(after["question_id"]) == list(before["question_id"])[::-1]
    pd.testing.assert_frame_equal(
        after[columns].sort_values("question_id", ignore_index=True),
        before[columns].sort_values("question_id", ignore_index=True),
        rtol=1e-4,
    )


def test_several_seeds_are_asked_about_in_one_file(pairs: Path, random_base: Path) -> None:
    task = {"name": "nli", "data": str(pairs)}
    table = difficulty([str(random_base)], task, seeds=[0, 1])
    assert table["question_id"].is_unique
    made = get_task("nli", data=str(pairs))
    asked = {claim.question_id for seed in (0, 1) for claim in made.claims(seed)}
    assert set(table["question_id"]) == asked


def command(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["quirky", "tasks", "difficulty", *words])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return int(ended.value.code or 0)


@pytest.mark.filterwarnings("ignore:task nli has")
def test_what_the_command_writes_makes_claims_easy_and_hard(
    tmp_path: Path,
    pairs: Path,
    random_base: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write(pairs, nli(1200))
    to = tmp_path / "new" / "hard.parquet"
    asked = ("nli", "--data", str(pairs), "--models", str(random_base), "--to", str(to))
    assert command(monkeypatch, *asked) == 0
    assert f"claims: {to}" in capsys.readouterr().out
    content: dict[str, Any] = {
        "name": "ranked",
        "models": ["tiny-neox"],
        "tasks": [{"name": "nli", "data": str(pairs), "difficulty": str(to)}],
        "probes": ["lr"],
        "transfers": ["A->B", "AE->BH"],
    }
    recipe = validate_recipe(content)
    columns = ensure_recipe_dataset(recipe, recipe.tasks[0], recipe.trigger[0], 0).probe_columns
    check_contexts(columns, recipe, "nli")
    told = pd.read_parquet(to).set_index("question_id")["difficulty"]
    assert list(told[columns["question_id"]]) == list(columns["difficulty"])
    del content["tasks"][0]["difficulty"]
    recipe = validate_recipe(content)
    columns = ensure_recipe_dataset(recipe, recipe.tasks[0], recipe.trigger[0], 0).probe_columns
    with pytest.raises(ValueError, match=r"AE->BH: .* no difficulty"):
        check_contexts(columns, recipe, "nli")
    assert command(monkeypatch, *asked) == 2
    assert "is there already; give a new file" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("nly", "--models", "tiny-neox"), "did you mean 'nli'"),
        (("addition", "--models", "tiny-nox"), "did you mean 'tiny-neox'"),
        (("addition", "--models", "tiny-neox", "--to", "x.csv"), "ends in .parquet"),
        (("addition", "--models", "tiny-neox", "--models", "tiny-neox"), "is listed 2 times"),
        (("nli,difficulty=x", "--models", "tiny-neox"), "is what is computed; leave it out"),
        (("nli", "--models", "tiny-neox", "--data", "x.csv"), "no such file or folder"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(
    words: tuple[str, ...],
    named: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert command(monkeypatch, *words) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert named in line
