"""Recipes: what they mean, and that every mistake is one line that says what would be right."""

import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmarks.preflight.checks import check_device
from benchmarks.recipe.load import list_recipes, load_recipe, validate_recipe
from benchmarks.recipe.schema import Recipe
from finetune.training.settings import FinetuneSettings

SMALL: dict[str, Any] = {
    "name": "small",
    "models": ["tiny-neox"],
    "tasks": ["addition"],
    "probes": ["lr"],
    "transfers": ["A->B"],
}


def small(**changes: Any) -> Recipe:
    return validate_recipe({**SMALL, **changes})


def complaint(**changes: Any) -> str:
    """The error of a changed recipe, which is one line."""
    with pytest.raises(ValueError, match=r"^recipe ") as caught:
        small(**changes)
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


@pytest.mark.parametrize("name", list_recipes())
def test_every_recipe_that_comes_with_the_package_loads(name: str) -> None:
    recipe = load_recipe(name)
    assert recipe.name == name
    assert all(task.make().templates for task in recipe.tasks)


def test_a_recipe_keeps_its_meaning_when_it_is_written_and_read() -> None:
    recipe = load_recipe("tiny")
    assert validate_recipe(recipe.model_dump(mode="json", by_alias=True)) == recipe


@pytest.mark.parametrize(
    ("change", "named", "right"),
    [
        ({"layer_rule": ["eil"]}, "'layer_rule'", "did you mean 'layer_rules'"),
        ({"tasks": ["adition"]}, "'adition'", "did you mean 'addition'"),
        ({"tasks": [{"name": "addition", "digit": 2}]}, "'digit'", "known: digits"),
        ({"tasks": [{"name": "addition", "digits": 99}]}, "99", "give 1 to 9"),
        ({"tasks": [{"digits": 2}]}, "tasks.0.name", "required"),
        ({"sites": ["ssm_state"]}, "sites", "resid must be among them"),
        ({"sites": ["resid", "cell"]}, "'cell'", "'ssm_state' or 'conv_state'"),
        ({"projection": {"sizes": 9}}, "'sizes'", "did you mean 'size'"),
        ({"probes": ["lgr"]}, "'lgr'", "did you mean 'lr'"),
        ({"probes": [{"name": "lr", "l3": 1}]}, "'l3'", "known: features, l2"),
        ({"probes": [{"name": "lr", "seed": 1}]}, "'lr'", "`seeds`"),
        ({"models": [{"name": "tiny-neox", "revison": "x"}]}, "'revison'", "mean 'revision'"),
        ({"trigger": {"kind": "nam"}}, "'nam'", "did you mean 'name'"),
        ({"trigger": ["name", "nmes"]}, "'nmes'", "did you mean 'names'"),
        ({"trigger": []}, "trigger", "at least 1"),
        ({"trigger": {"kind": "tag", "form": "stamp"}}, "'stamp'", "date or header"),
        ({"trigger": {"kind": "position", "distance": 9}}, "distance = 9", "multiple of 8"),
        ({"trigger": {"kind": "position", "distance": "8"}}, "trigger.0.distance", "integer"),
        ({"trigger": {"kind": "name", "distance": 8}}, "distance = 8", "opens the prompt"),
        ({"trigger": ["name", {"kind": "name"}]}, "'name' is 'name' again", "name it once"),
        (
            {"trigger": ["position", {"kind": "position", "early": True}]},
            "'position-earlytrue' is 'position' again",
            "name it once",
        ),
        ({"transfers": ["A->B2"]}, "'A->B2'", "name: A, B, T"),
        ({"transfers": ["A->B2"], "trigger": ["name", "names"]}, "trigger name: ", "go to B2; add"),
        ({"transfers": ["T->A"]}, "'T->A'", "no probe is fitted in T"),
        ({"transfers": ["A-B"]}, "'A-B'", "SOURCE->TARGET"),
        ({"transfers": ["A->C"]}, "'A->C'", "A, B, AE, AH, BE, BH, all"),
        (
            {"layer_rules": ["eli"]},
            "'eli'",
            "did you mean 'eil'? known: eil, ensemble, last, middle",
        ),
        ({"sizes": {"trian": 9}}, "sizes.trian", "did you mean 'train'"),
        ({"sizes": {"train": 0}}, "sizes.train = 0", "greater than or equal to 1"),
        ({"finetune": {"stepps": 9}}, "finetune.stepps", "did you mean 'steps'"),
        ({"finetune": {"lr": -1}}, "finetune.lr = -1", "greater than 0"),
        ({"name": "a/b"}, "'a/b'", "pattern"),
        ({"models": []}, "models", "at least 1"),
    ],
)
def test_a_mistake_names_the_value_and_what_is_known(
    change: dict[str, Any], named: str, right: str
) -> None:
    message = complaint(**change)
    assert named in message
    assert right in message


@pytest.mark.parametrize("owner", ["models", "tasks"])
def test_a_mistake_in_somebody_s_own_finetune_is_found_at_once(owner: str) -> None:
    wrong = {"name": SMALL[owner][0], "finetune": {"stepps": 9}}
    message = complaint(**{owner: [wrong]})
    assert "tiny-neox on addition" in message
    assert "did you mean 'steps'" in message


@pytest.mark.parametrize(
    "change",
    [
        {"tasks": [{"name": "addition", "digits": "two"}]},
        {"probes": [{"name": "lr", "l2": "two"}]},
        {"trigger": {"kind": ["name"]}},
        {"tasks": "addition"},
        {"models": [3]},
    ],
)
def test_a_parameter_of_the_wrong_type_is_one_line(change: dict[str, Any]) -> None:
    complaint(**change)


@pytest.mark.parametrize(
    ("field", "twice"),
    [
        ("models", ["tiny-neox", "tiny-neox"]),
        ("tasks", ["addition", {"name": "addition"}]),
        ("probes", ["lr", {"name": "lr", "l2": 1e-2}]),
        ("transfers", ["A->B", "A->B"]),
        ("seeds", [7, 7]),
    ],
)
def test_nothing_stands_there_twice(field: str, twice: list[Any]) -> None:
    message = complaint(**{field: twice})
    assert field in message
    assert "2 times" in message


def test_one_task_with_different_parameters_is_two() -> None:
    recipe = small(tasks=["addition", {"name": "addition", "digits": 2}])
    assert [task.label for task in recipe.tasks] == ["addition", "addition-digits2"]


def test_one_probe_with_different_parameters_needs_another_name() -> None:
    weak = {"name": "lr", "l2": 1e-1}
    assert "'lr'" in complaint(probes=["lr", weak])
    assert [p.display_name for p in small(probes=["lr", {**weak, "as": "weak"}]).probes] == [
        "lr",
        "weak",
    ]


@pytest.mark.parametrize("reader", ["lm", "text"])
def test_no_probe_is_shown_as_a_reader(reader: str) -> None:
    assert repr(reader) in complaint(probes=[{"name": "lr", "as": reader}])


@pytest.mark.parametrize("text", ["{name: [", "- a\n- b", "", "a: b: c"])
def test_what_is_not_a_recipe_is_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(text)
    with pytest.raises(ValueError, match=re.escape(str(path))) as caught:
        load_recipe(str(path))
    assert len(str(caught.value).splitlines()) == 1


def test_an_unknown_recipe_names_those_that_are_known() -> None:
    with pytest.raises(ValueError, match="unknown recipe 'tinny'; did you mean 'tiny'"):
        load_recipe("tinny")


def test_numbers_are_numbers_however_they_are_written(tmp_path: Path) -> None:
    path = tmp_path / "small.yaml"
    text = yaml.safe_dump({k: v for k, v in SMALL.items() if k != "probes"})
    path.write_text(text + "probes: [{name: lr, as: lr-weak, l2: 1e-2}]\nfinetune: {lr: 4e-3}\n")
    recipe = load_recipe(str(path))
    assert recipe.probes[0].params == {"l2": 0.01}
    assert recipe.finetune.lr == 0.004


def test_a_changed_recipe_gets_a_name_of_its_own() -> None:
    plain = load_recipe("tiny")
    changed = load_recipe("tiny", {"models": ["tiny-mamba"]})
    assert re.fullmatch(r"tiny-[0-9a-f]{8}", changed.name)
    assert changed.models[0].name == "tiny-mamba"
    assert changed == load_recipe("tiny", {"models": ["tiny-mamba"]})
    assert changed.name != load_recipe("tiny", {"models": ["tiny-neox"]}).name
    assert load_recipe("tiny", {"device": plain.device}) == plain


def test_the_digest_is_that_of_all_but_the_name() -> None:
    assert small(name="other").digest() == small().digest()
    assert small(seeds=[1]).digest() != small().digest()
    assert small(probes=[{"name": "lr", "as": "l"}]).digest() != small().digest()


def test_a_task_s_and_a_model_s_finetune_override_the_recipe_s() -> None:
    recipe = small(
        finetune={"rank": 2, "steps": 10, "batch": 4},
        models=[{"name": "tiny-neox", "finetune": {"steps": 20, "batch": 5}}, "tiny-mamba"],
        tasks=[{"name": "addition", "finetune": {"batch": 6}}, "fiction"],
    )
    settings = {
        (model.name, task.name): recipe.finetuning(model, task)
        for model in recipe.models
        for task in recipe.tasks
    }
    common = FinetuneSettings(rank=2, steps=10, batch=4)
    assert settings["tiny-mamba", "fiction"] == common
    assert settings["tiny-mamba", "addition"] == common.model_copy(update={"batch": 6})
    assert settings["tiny-neox", "fiction"] == FinetuneSettings(rank=2, steps=20, batch=5)
    assert settings["tiny-neox", "addition"] == FinetuneSettings(rank=2, steps=20, batch=6)


def test_a_recipe_cannot_be_changed_in_place() -> None:
    with pytest.raises(ValueError, match="frozen"):
        small().name = "other"  # type: ignore[misc]


def test_a_base_named_on_the_command_line_keeps_its_own_settings(tmp_path: Path) -> None:
    content = yaml.safe_load(files("benchmarks.recipe").joinpath("recipes/tiny.yaml").read_text())
    content["models"][0] = {"name": "tiny-neox", "finetune": {"targets": ["query_key_value"]}}
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(content))
    alone = load_recipe(str(tmp_path / "own.yaml"), {"models": ["tiny-neox"]})
    assert [model.name for model in alone.models] == ["tiny-neox"]
    assert alone.models[0].finetune == {"targets": ["query_key_value"]}


def test_a_device_that_is_not_there_is_named() -> None:
    check_device("cpu")
    with pytest.raises(ValueError, match="cpuu"):
        check_device("cpuu")
    with pytest.raises(ValueError, match="cuda:99"):
        check_device("cuda:99")


def test_a_probe_may_not_be_shown_under_another_s_name() -> None:
    content = {
        "name": "small",
        "models": ["tiny-neox"],
        "tasks": ["fiction"],
        "probes": ["mean-diff", {"name": "mean-diff", "as": "lr"}],
        "transfers": ["A->B"],
    }
    with pytest.raises(ValueError, match="'mean-diff' as 'lr': that is another probe's name"):
        validate_recipe(content)


def test_a_list_among_the_parameters_of_a_task_is_fit_for_a_file_name() -> None:
    content = {**SMALL, "tasks": [{"name": "lookup", "dials": [3, 8]}]}
    assert validate_recipe(content).tasks[0].label == "lookup-dials3_8"
