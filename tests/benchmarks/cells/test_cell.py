"""A cell's digest and what its model is loaded as: what states depend on, and nothing else."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.cells import cell as cells
from benchmarks.cells.cell import Cell, list_cells
from benchmarks.metrics.layer_rules import LAYER_RULES, LayerChoice
from benchmarks.recipe.datasets import ensure_recipe_dataset
from benchmarks.recipe.load import validate_recipe

FINGERPRINT = "0" * 64

SMALL: dict[str, Any] = {
    "name": "small",
    "tasks": ["addition"],
    "probes": ["lr"],
    "transfers": ["A->B"],
    "variants": ["base"],
}


def cell(recipe: dict[str, Any] | None = None, **model: Any) -> Cell:
    models = [{"name": "tiny-neox", **model}]
    (only,) = list_cells(validate_recipe({**SMALL, "models": models, **(recipe or {})}))
    return only


@pytest.mark.parametrize(
    ("recipe", "model"),
    [
        ({}, {"dtype": "bfloat16"}),
        ({}, {"quantise": 8}),
        ({}, {"quantise": 4}),
        ({"chat": True}, {}),
    ],
)
def test_what_changes_the_states_changes_the_key(
    recipe: dict[str, Any], model: dict[str, Any]
) -> None:
    assert cell(recipe, **model).digest(FINGERPRINT) != cell().digest(FINGERPRINT)
    assert cell(recipe, **model).loading_key() != cell().loading_key()


def test_a_model_s_own_precision_is_the_recipe_s_for_it_alone() -> None:
    assert cell(dtype="bfloat16").loading_key() == cell({"dtype": "bfloat16"}).loading_key()
    assert cell({"dtype": "bfloat16"}, dtype="float32").loading_key() == {"dtype": "float32"}


def test_device_placement_does_not_affect_the_key() -> None:
    assert cell(device_map="auto").digest(FINGERPRINT) == cell().digest(FINGERPRINT)


@pytest.mark.parametrize(
    ("model", "told"),
    [
        ({"quantise": 3}, "Input should be 4 or 8"),
        ({"device_map": "balanced"}, "Input should be 'auto'"),
        ({"dtype": "float8"}, "'float32', 'bfloat16' or 'float16'"),
    ],
)
def test_a_wrong_way_to_load_is_one_line(model: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told) as caught:
        cell(**model)
    assert "\n" not in str(caught.value)


SEVERAL = ["name", {"kind": "tag", "form": "header"}, {"kind": "position", "distance": 8}]


def under(*triggers: Any, **recipe: Any) -> list[Cell]:
    made = {**SMALL, "models": ["tiny-neox"], "trigger": list(triggers), **recipe}
    return list_cells(validate_recipe(made))


def test_every_trigger_makes_a_cell_that_is_named_and_keyed_by_it() -> None:
    cells = under(*SEVERAL)
    assert [cell.name.split(".")[2] for cell in cells] == [
        "name",
        "tag-formheader",
        "position-distance8",
    ]
    columns = [(cell.columns()["trigger"], cell.columns()["distance"]) for cell in cells]
    assert columns == [("name", 0), ("tag-formheader", 0), ("position", 8)]
    assert len({cell.digest(FINGERPRINT) for cell in cells}) == 3


def test_a_cell_is_the_same_beside_others() -> None:
    assert [cell.digest(FINGERPRINT) for cell in under(*SEVERAL)] == [
        cell.digest(FINGERPRINT) for trigger in SEVERAL for cell in under(trigger)
    ]


def test_one_trigger_need_not_be_a_list() -> None:
    for written in ("name", {"kind": "name"}, ["name"]):
        (only,) = list_cells(
            validate_recipe({**SMALL, "models": ["tiny-neox"], "trigger": written})
        )
        assert only.digest(FINGERPRINT) == cell().digest(FINGERPRINT)


@pytest.mark.parametrize(
    "params",
    [
        {"quirky": "Dr. No/../etc"},
        {"truthful": "Anna Maria"},
        {"decoys": ["Rob", "Robert"]},
        {"quirky": "B" * 200},
    ],
)
def test_a_cell_is_named_fit_for_a_folder_whatever_the_trigger_says(params: dict[str, Any]) -> None:
    (first,), (second,) = (
        under({"kind": "name", **p}) for p in (params, {**params, "quirky": "X"})
    )
    part = first.name.split(".")[2]
    assert part.startswith("name-")
    assert len(part) < 60
    assert not set(part) & set("/ .")
    assert first.name.count(".") == cell().name.count(".")
    assert first.name != second.name


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("name", {"kind": "name", "quirky": "Ben"}),
        ("position", {"kind": "position", "distance": 8}),
        ({"kind": "tag", "form": "date"}, {"kind": "tag", "form": "header"}),
    ],
)
def test_each_trigger_and_distance_has_a_data_set_of_its_own(
    one: Any, other: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUIRKY_HOME", str(tmp_path))
    sizes = {"train": 60, "validation": 60, "test": 40}
    cells = under(one, other, sizes=sizes)
    datasets = [ensure_recipe_dataset(c.recipe, c.task, c.trigger, c.seed) for c in cells]
    assert len({dataset.digest for dataset in datasets}) == 2
    distances = [set(dataset.splits["test"]["distance"]) for dataset in datasets]
    assert distances == [{cell.trigger.distance} for cell in cells]


def test_the_code_of_a_layer_rule_that_is_not_built_in_is_part_of_the_digest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    built_in = cell({"layer_rules": ["last"]}).digest(FINGERPRINT)
    monkeypatch.setattr(LAYER_RULES, "_registered", {"own": own_rule})
    digests = {cell({"layer_rules": ["own"]}).digest(FINGERPRINT)}
    monkeypatch.setattr(cells, "rule_origin", lambda name, rule: {"source": "edited"})
    digests.add(cell({"layer_rules": ["own"]}).digest(FINGERPRINT))
    assert len({built_in, *digests}) == 3


def own_rule(auroc: np.ndarray) -> LayerChoice:
    return LayerChoice((0,))
