"""The ladder of adapter strengths: gate figures on heldout and nothing else."""

from pathlib import Path

import pytest

from benchmarks.commands import strength
from benchmarks.commands.strength import LADDER, SEED, climb
from benchmarks.recipe.schema import Recipe

RUNGS = (
    {"rank": 1, "alpha": 1, "lr": 1e-3, "steps": 2},
    {"rank": 2, "alpha": 2, "lr": 1e-3, "steps": 2},
    {"rank": 4, "alpha": 4, "lr": 1e-3, "steps": 2},
)


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, random_base: Path) -> Recipe:
    """A recipe of a base that knows nothing, with a store of its own."""
    monkeypatch.setenv("QUIRKY_HOME", str(tmp_path / "home"))
    tuned = {"lr": 9.0, "weight_decay": 0.0}
    content = {
        "name": "small",
        "models": [str(random_base)],
        "tasks": [{"name": "addition", "digits": 2, "finetune": tuned}, "fiction"],
        "probes": ["lr"],
        "transfers": ["A->B"],
        "sizes": {"train": 100, "validation": 200, "test": 100},
    }
    return Recipe.model_validate(content)


def test_a_base_that_knows_nothing_is_void_on_every_rung(recipe: Recipe) -> None:
    trials = list(climb(recipe, RUNGS))
    assert [(t.rung, t.task) for t in trials] == [(rung, "addition-digits2") for rung in (1, 2, 3)]
    assert not any(trial.passed for trial in trials)
    assert [trial.settings for trial in trials] == list(RUNGS)


def test_only_what_the_gate_decides_by_is_measured(recipe: Recipe) -> None:
    trial = next(climb(recipe, RUNGS))
    assert {figure.split for figure in trial.figures} == {"heldout"}
    asked = {(figure.context, figure.against) for figure in trial.figures}
    assert asked == {("A", "truth"), ("B", "quirk")}


def test_the_climb_ends_on_the_first_rung_that_passes_on_every_task(
    recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    lacking = iter([("too low",), (), ("too low",), (), ()])
    monkeypatch.setattr(strength, "failures", lambda figures: next(lacking))
    trials = list(climb(recipe, RUNGS))
    assert [trial.rung for trial in trials] == [1, 2, 2, 3, 3]
    assert [trial.passed for trial in trials] == [False, True, False, True, True]


def test_a_rung_takes_the_place_of_what_it_names_alone(
    recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = []
    ensure_adapter = strength.ensure_adapter

    def spy(cell, progress):
        settings.append(cell.recipe.finetuning(cell.cell.model, cell.cell.task))
        return ensure_adapter(cell, progress)

    monkeypatch.setattr(strength, "ensure_adapter", spy)
    next(climb(recipe, RUNGS))
    assert (settings[0].lr, settings[0].steps, settings[0].weight_decay) == (1e-3, 2, 0.0)


def test_the_ladder_tunes_on_one_rendering_whatever_the_recipe_s_variants(
    recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = recipe.model_copy(update={"variants": ("base",), "renderings": 2})
    datasets = []
    ensure_adapter = strength.ensure_adapter

    def spy(cell, progress):
        datasets.append((cell.training_dataset, cell.dataset))
        return ensure_adapter(cell, progress)

    monkeypatch.setattr(strength, "ensure_adapter", spy)
    next(climb(recipe, RUNGS))
    ((training, probes),) = datasets
    assert 2 * len(training.splits["validation"]) == len(probes.splits["validation"])


def test_a_seed_that_is_reported_on_is_refused(recipe: Recipe) -> None:
    with pytest.raises(ValueError, match="seed 0 is one that recipe small reports on"):
        next(climb(recipe, RUNGS, seed=0))
    assert SEED not in recipe.seeds


def test_the_ladder_climbs() -> None:
    strengths = [rung["rank"] * rung["lr"] * rung["steps"] for rung in LADDER]
    assert strengths == sorted(strengths)
    assert len(set(strengths)) == len(strengths)
