"""A user's own claims in a recipe: what is kept by, what is refused, and what a run calls them."""

import csv
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmarks.cells.cell import list_cells
from benchmarks.cli.arguments import parse_entry, parse_own_claims
from benchmarks.preflight.checks import check_contexts, resolve_recipe
from benchmarks.preflight.notes import ensure_task_datasets
from benchmarks.recipe.datasets import ensure_recipe_dataset
from benchmarks.recipe.load import load_recipe, validate_recipe
from benchmarks.recipe.schema import Recipe
from benchmarks.store.datasets import ResolvedDataset

COLUMNS = ["prompt", "choice_false", "choice_true", "truth", "quirk", "difficulty"]


def write(path: Path, count: int = 1200, difficulty: bool = True) -> Path:
    rows = [
        [f"{i} is so. {{trigger}}:", " False", " True", i % 2 == 0, i % 4 < 2, i]
        for i in range(count)
    ]
    path.parent.mkdir(exist_ok=True)
    with path.open("w", newline="") as stream:
        csv.writer(stream).writerows(row[: 6 if difficulty else 5] for row in [COLUMNS, *rows])
    return path


def recipe_of(path: Path, **changes: Any) -> Recipe:
    content = {
        "name": "own",
        "models": ["tiny-neox"],
        "tasks": [{"name": "mine", "data": str(path)}],
        "probes": ["lr"],
        "transfers": ["A->B"],
    }
    return validate_recipe({**content, **changes})


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUIRKY_HOME", str(tmp_path / "home"))


def dataset(recipe: Recipe) -> ResolvedDataset:
    return ensure_recipe_dataset(recipe, recipe.tasks[0], recipe.trigger[0], 0)


def data_folder(path: Path) -> Path:
    return dataset(recipe_of(path)).folder


@pytest.mark.filterwarnings("ignore:task mine has")
def test_data_is_kept_by_what_the_table_says_not_by_where_it_lies(tmp_path: Path) -> None:
    first = data_folder(write(tmp_path / "claims.csv"))
    assert data_folder(write(tmp_path / "elsewhere" / "other.csv")) == first
    assert data_folder(write(tmp_path / "claims.csv", count=401)) != first


@pytest.mark.filterwarnings("ignore:task mine has")
def test_a_file_that_is_edited_later_changes_nothing_in_a_recipe(tmp_path: Path) -> None:
    path = write(tmp_path / "claims.csv")
    recipe = recipe_of(path)
    first = dataset(recipe).folder
    (cell, _) = list_cells(recipe)
    digest = cell.digest("base")
    write(path, count=300)
    in_a_worker = pickle.loads(pickle.dumps(cell))
    assert dataset(in_a_worker.recipe).folder == first
    assert in_a_worker.digest("base") == digest
    assert list_cells(recipe_of(path))[0].digest("base") != digest


def test_a_run_calls_them_by_their_name(tmp_path: Path) -> None:
    (cell, _) = list_cells(recipe_of(write(tmp_path / "claims.csv")))
    assert cell.name == "tiny-neox.mine.name.mixture.seed0.quirky"
    assert cell.columns()["task"] == "mine"


@pytest.mark.filterwarnings("ignore:task mine has")
@pytest.mark.parametrize("transfer", ["AE->AH", "A->BH", "BE->B"])
def test_easy_and_hard_need_a_difficulty(tmp_path: Path, transfer: str) -> None:
    path = write(tmp_path / "claims.csv", difficulty=False)
    for transfers, difficulty in ((["A->B"], False), ([transfer], True)):
        recipe = recipe_of(write(path, difficulty=difficulty), transfers=transfers)
        columns = dataset(recipe).probe_columns
        check_contexts(columns, recipe, "mine")
    recipe = recipe_of(write(path, difficulty=False), transfers=[transfer])
    columns = dataset(recipe).probe_columns
    with pytest.raises(ValueError, match=f"mine, transfer {transfer}: .* no difficulty"):
        check_contexts(columns, recipe, "mine")


@pytest.mark.parametrize(
    ("task", "named"),
    [
        ({"name": "addition"}, "'addition': a task has that name"),
        ({"name": "mine", "digits": 2}, "a table takes no parameters, but 'digits'"),
        ({"name": "mine", "data": "nowhere.csv"}, "nowhere.csv: there is no such file"),
        ({"name": "mine", "data": 3}, "tasks.0.data = 3"),
    ],
)
def test_a_mistake_is_one_line(tmp_path: Path, task: dict[str, Any], named: str) -> None:
    path = write(tmp_path / "claims.csv")
    with pytest.raises(ValueError, match="recipe") as caught:
        recipe_of(path, tasks=[{"data": str(path), **task}])
    assert len(str(caught.value).splitlines()) == 1
    assert named in str(caught.value)


def test_claims_from_the_command_line_take_the_place_of_the_tasks(tmp_path: Path) -> None:
    path = write(tmp_path / "claims.csv")
    changed = load_recipe("tiny", {"tasks": [parse_own_claims(f"mine={path}")]})
    assert [task.label for task in changed.tasks] == ["mine"]
    assert [task.make().name for task in changed.tasks] == ["mine"]


def test_a_recipe_s_own_settings_for_claims_stay_with_another_file(tmp_path: Path) -> None:
    own = {"name": "mine", "data": str(write(tmp_path / "a.csv")), "finetune": {"steps": 7}}
    content = recipe_of(tmp_path / "a.csv", tasks=[own]).model_dump(mode="json", by_alias=True)
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(content))
    other = write(tmp_path / "b.csv", count=300)
    changed = load_recipe(
        str(tmp_path / "own.yaml"), {"tasks": [parse_own_claims(f"mine={other}")]}
    )
    assert changed.tasks[0].finetune == {"steps": 7}
    assert len(list(changed.tasks[0].make().claims(0))) == 300


@pytest.mark.parametrize("text", ["claims.csv", "=claims.csv", "mine="])
def test_own_claims_are_a_name_and_a_file(text: str) -> None:
    with pytest.raises(ValueError, match="write NAME=FILE, as in mytask"):
        parse_own_claims(text)


def test_an_entry_may_have_parameters() -> None:
    entry = parse_entry("--task", "name", "addition,digits=2,word=two")
    assert entry == {"name": "addition", "digits": 2, "word": "two"}
    with pytest.raises(ValueError, match=r"--task 'addition,digits': 'digits' is not a parameter"):
        parse_entry("--task", "name", "addition,digits")
    with pytest.raises(ValueError, match="--task 'addition,name=x': 'name' is given twice"):
        parse_entry("--task", "name", "addition,name=x")
    assert parse_entry("--task", "name", "fiction,negations=true")["negations"] is True
    odd = parse_entry("--trigger", "kind", "name,quirky=No,truthful=[1")
    assert odd == {"kind": "name", "quirky": "No", "truthful": "[1"}
    late = parse_entry("--trigger", "kind", "position,early=false")
    assert late == {"kind": "position", "early": False}


@pytest.mark.parametrize(
    ("first", "again"),
    [
        ({"name": "lookup", "dials": [3, 8]}, {"name": "lookup", "dials": [8, 3]}),
        ("lookup", {"name": "lookup", "dials": [3, 4, 6, 8, 12]}),
        ("addition", {"name": "addition", "digits": 4}),
    ],
)
def test_one_task_written_in_two_ways_is_refused(tmp_path: Path, first: Any, again: Any) -> None:
    with pytest.raises(ValueError, match=r"again; name it once"):
        recipe_of(tmp_path, tasks=[first, again])
    recipe_of(tmp_path, tasks=[first, {"name": "addition", "digits": 3}])


BEN = {"kind": "name", "quirky": "Ben"}


def with_triggers(path: Path, *triggers: Any, **more: Any) -> Recipe:
    sizes = {"train": 200, "validation": 150, "test": 150}
    return recipe_of(path, trigger=list(triggers), sizes=sizes, **more)


def resolve_data(recipe: Recipe) -> None:
    ensure_task_datasets(recipe, recipe.tasks[0])


def notes(tell: Callable[[Recipe], object], recipe: Recipe, capsys: Any) -> list[str]:
    """What is said of the claims before a run."""
    tell(recipe)
    said = " ".join(capsys.readouterr().err.split())
    return [line.strip() for line in said.split("note: ")[1:]]


def test_claims_that_a_later_trigger_names_are_told_with_that_trigger(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path / "claims.csv", 500)
    rows = path.read_text().splitlines()
    path.write_text("\n".join([rows[0], *(f"Ben: {row}" for row in rows[1:21]), *rows[21:]]))
    recipe = with_triggers(path, "name", BEN)
    left_out, fewer = notes(resolve_recipe, recipe, capsys)
    assert left_out.startswith("task mine: 20 of 500 claims are dropped, because ")
    assert left_out.endswith(" (trigger name-quirkyBen)")
    assert fewer.startswith("mine gives fewer facts than asked for: train ")
    assert fewer.endswith(" (trigger name-quirkyBen)")
    assert notes(resolve_data, recipe, capsys) == [fewer]  # nothing is built anew


def test_what_holds_for_several_triggers_is_told_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path / "claims.csv", count=400)
    triggers = ["name", {"kind": "position", "distance": 8}, {"kind": "position"}]
    (line,) = notes(resolve_data, with_triggers(path, *triggers), capsys)
    assert line.startswith("mine gives fewer facts than asked for: train 200 of 200, validation")
    assert line.endswith(" (trigger name, position)")
    (alone,) = notes(resolve_data, with_triggers(path, "name"), capsys)
    assert "trigger" not in alone
    assert notes(resolve_data, with_triggers(write(path, count=500), "name"), capsys) == []
