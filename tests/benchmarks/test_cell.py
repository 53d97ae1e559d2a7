"""A cell's digest and what its model is loaded as: what states depend on, and nothing else."""

from typing import Any

import pytest

from benchmarks.cell import Cell, cells_of
from benchmarks.recipe import validate_recipe

SMALL: dict[str, Any] = {
    "name": "small",
    "tasks": ["addition"],
    "probes": ["lr"],
    "transfers": ["A->B"],
    "variants": ["base"],
}


def cell(recipe: dict[str, Any] | None = None, **model: Any) -> Cell:
    asked = {"name": "tiny-neox", **model}
    (only,) = cells_of(validate_recipe({**SMALL, "models": [asked], **(recipe or {})}))
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
    assert cell(recipe, **model).digest() != cell().digest()
    assert cell(recipe, **model).loaded() != cell().loaded()


def test_a_model_s_own_precision_is_the_recipe_s_for_it_alone() -> None:
    assert cell(dtype="bfloat16").loaded() == cell({"dtype": "bfloat16"}).loaded()
    assert cell({"dtype": "bfloat16"}, dtype="float32").loaded() == {"dtype": "float32"}


def test_where_the_blocks_lie_is_nothing_to_the_key() -> None:
    assert cell(device_map="auto").digest() == cell().digest()


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
