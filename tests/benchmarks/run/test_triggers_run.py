"""Several triggers and distances, end to end on a small random base."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import benchmarks
from benchmarks.preflight.checks import resolve_recipe
from benchmarks.recipe.load import load_recipe, validate_recipe
from benchmarks.results.run_folder import Run
from finetune.pretrain.vocabulary import repeat_words, train_bpe

TRIGGERS = ["name", "names", {"kind": "position", "distance": 8}]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, random_base: Path) -> Iterator[Run]:
    """A run of one model on one task under three triggers."""
    folder = tmp_path_factory.mktemp("triggers")
    recipe: dict[str, Any] = {
        "name": "small",
        "models": [str(random_base)],
        "tasks": [{"name": "addition", "digits": 2}],
        "trigger": TRIGGERS,
        "finetune": {"rank": 2, "alpha": 2, "lr": 4e-3, "steps": 2, "batch": 32},
        "probes": ["lr"],
        "transfers": ["A->A", "A->B", "A->B2", "A->T"],
        "variants": ["quirky"],
        "controls": [],
        "sizes": {"train": 120, "validation": 200, "test": 100},
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("QUIRKY_HOME", str(folder / "home"))
        patch.setenv("WANDB_MODE", "disabled")
        yield benchmarks.run(validate_recipe(recipe), to=folder / "runs", workers=1)


def test_every_trigger_has_a_cell_with_its_own_figures(finished: Run) -> None:
    results = finished.results()
    cells = results[["cell", "trigger", "distance"]].drop_duplicates()
    assert sorted(zip(cells["trigger"], cells["distance"], strict=True)) == [
        ("name", 0),
        ("names", 0),
        ("position", 8),
    ]
    measured = results.groupby("trigger")["transfer"].unique().map(set)
    assert measured["names"] == {"A->A", "A->B", "A->B2", "A->T"}
    assert measured["name"] == measured["position"] == {"A->A", "A->B", "A->T"}


def test_scored_examples_stand_under_their_trigger(finished: Run) -> None:
    (far,) = (cell for cell in finished.cells() if "distance8" in cell)
    examples = finished.examples(far)
    assert set(examples["distance"]) == {8}
    assert set(examples["context"]) == {"A", "B", "T"}
    assert set(finished.examples(far, "validation")["context"]) == {"A", "B"}
    assert examples[examples["context"] == "B"]["prompt"].str.startswith("Bob asks Sam. ").all()
    scores = finished.scores(far)
    assert {len(score) for score in scores["score"]} == {len(examples)}


def test_a_figure_on_unseen_triggers_is_that_of_their_examples_alone(finished: Run) -> None:
    results = finished.results()
    (cell,) = (cell for cell in finished.cells() if ".names." in cell)
    own = results[(results["cell"] == cell) & (results["probe"] == "lm")]
    own = own[(own["against"] == "truth") & (own["subset"] == "all") & (own["metric"] == "auroc")]
    examples = finished.examples(cell)
    test = examples[(examples["split"] == "test") & ~examples["withheld"]]
    counts = test["context"].value_counts()
    told = pd.Series(own["n"].to_numpy(), index=own["transfer"].str.partition("->")[2])
    assert dict(told) == {context: counts[context] for context in ("A", "B", "B2", "T")}


def test_the_report_holds_every_trigger(finished: Run) -> None:
    page = finished.report.read_text()
    for row in ("name, distance 0", "names, distance 0", "position, distance 8"):
        assert f"{row} on addition" in page


def test_a_filler_of_another_length_is_told(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    random_base: Path,
) -> None:
    monkeypatch.setenv("QUIRKY_HOME", str(tmp_path / "home"))
    spelling = tmp_path / "spelling"
    shutil.copytree(random_base, spelling)
    train_bpe(repeat_words(["True False", "Yes No", "right wrong"])).save_pretrained(spelling)
    told = "8 tokens of distance are"
    for model, distance, expected in (
        ("tiny-neox", 8, False),
        (str(spelling), 0, False),
        (str(spelling), 8, True),
    ):
        recipe = load_recipe("tiny", {"models": [model], "tasks": ["fiction"]})
        trigger = [{"kind": "position", "distance": distance}]
        resolve_recipe(validate_recipe({**recipe.model_dump(by_alias=True), "trigger": trigger}))
        said = " ".join(capsys.readouterr().err.split())
        assert (told in said) == expected, said
    assert re.search(rf"{told} \d\d to \d\d", said)
