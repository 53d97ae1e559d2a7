"""Tasks that read data in a recipe: what they are kept by, and that nothing is asked too early."""

import json
import pickle
from pathlib import Path
from typing import Any

import datasets
import pytest
import yaml
from published_data import Rows, nli, released, sciq, sentiment, write

from benchmarks.cells.cell import list_cells
from benchmarks.cli.arguments import parse_entry, parse_own_claims
from benchmarks.recipe.datasets import ensure_recipe_dataset
from benchmarks.recipe.load import load_recipe, validate_recipe
from benchmarks.recipe.pinning import pin_recipe
from benchmarks.recipe.schema import Recipe
from quirky.prompts import Template
from quirky.tasks.published import source

COMMIT = "0123456789abcdef0123456789abcdef01234567"

pytestmark = pytest.mark.filterwarnings("ignore:task nli has")


def recipe_of(task: Any) -> Recipe:
    content = {
        "name": "read",
        "models": ["tiny-neox"],
        "tasks": [task],
        "probes": ["lr"],
        "transfers": ["A->B"],
    }
    return validate_recipe(content)


def of_file(path: Path, **parameters: Any) -> Recipe:
    return recipe_of({"name": "nli", "data": str(path), **parameters})


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUIRKY_HOME", str(tmp_path / "home"))


@pytest.fixture
def unread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing may be loaded, and the hub may not be asked."""
    for name in ("load_dataset", "load_dataset_builder"):
        monkeypatch.setattr(datasets, name, lambda *_, **__: pytest.fail("data were read"))
    monkeypatch.setattr(source, "resolve_commit", lambda *_: pytest.fail("the hub was asked"))


def hard(path: Path, rows: Rows) -> Path:
    """A file that says how hard the claims of rows are."""
    data = write(path.with_suffix(".csv"), rows)
    claims = of_file(data).tasks[0].make().claims(0)
    told = [{"question_id": c.question_id, "difficulty": i} for i, c in enumerate(claims)]
    return write(path, told)


def test_data_on_the_command_line_are_those_of_the_task(tmp_path: Path) -> None:
    path = write(tmp_path / "pairs.csv", nli())
    changed = load_recipe("tiny", {"tasks": [parse_own_claims(f"nli={path}")]})
    (task,) = changed.tasks
    assert task.label == "nli"
    assert len(task.make().templates) > 1
    dataset = ensure_recipe_dataset(changed, task, changed.trigger[0], 0)
    assert any("it follows that" in prompt for prompt in dataset.splits["test"]["prompt"])


def test_the_released_layout_may_be_given_with_its_task(tmp_path: Path) -> None:
    path = write(tmp_path / "towns.csv", released([{"city": "Town"}]))
    asked = parse_entry("--task", "name", f"released,of=hemisphere,data={path}")
    assert load_recipe("tiny", {"tasks": [asked]}).tasks[0].label == "released-ofhemisphere"


def test_data_are_kept_by_what_they_say_not_by_where_they_lie(tmp_path: Path) -> None:
    def kept(name: str, rows: Rows, **parameters: Any) -> tuple[str, str, str]:
        recipe = of_file(write(tmp_path / name, rows), **parameters)
        cell = list_cells(recipe)[0]
        return (
            ensure_recipe_dataset(recipe, recipe.tasks[0], recipe.trigger[0], 0).digest,
            cell.digest("base"),
            recipe.digest(),
        )

    first = kept("a.csv", nli())
    assert kept("elsewhere/b.csv", nli()) == first
    assert not set(kept("a.csv", nli(360))) & set(first)
    ranks = [hard(tmp_path / folder / "hard.parquet", nli()) for folder in ("c", "d")]
    ranked = kept("e.csv", nli(), difficulty=str(ranks[0]))
    assert kept("f.csv", nli(), difficulty=str(ranks[1])) == ranked
    assert not set(ranked) & set(first)
    assert not set(kept("g.csv", nli(), split="train[:90%]")) & set(first)


def test_a_file_that_is_edited_while_a_run_goes_on_ends_it(tmp_path: Path) -> None:
    path = write(tmp_path / "pairs.csv", nli())
    (cell, _) = list_cells(of_file(path))
    digest = cell.digest("base")
    in_a_worker = pickle.loads(pickle.dumps(cell))
    assert in_a_worker.digest("base") == digest
    write(path, nli(360))
    with pytest.raises(RuntimeError, match="task 'nli': data changed while this ran; run it again"):
        in_a_worker.task.make()
    assert list_cells(of_file(path))[0].digest("base") != digest


def test_no_path_stands_in_the_name_of_a_cell(tmp_path: Path) -> None:
    ranks = hard(tmp_path / "hard.parquet", nli())
    recipe = of_file(tmp_path / "hard.csv", difficulty=str(ranks), split="train[:90%]")
    assert list_cells(recipe)[0].name == "tiny-neox.nli.name.mixture.seed0.quirky"


@pytest.mark.usefixtures("unread")
def test_a_recipe_is_read_without_its_data(tmp_path: Path) -> None:
    recipe = recipe_of({"name": "sciq", "revision": "main"})
    recipe.digest()
    own = [{"text": "{question} {answer} {support} {trigger}", "choices": [" no", " yes"]}]
    recipe = recipe_of({"name": "sciq", "templates": own})
    assert recipe.tasks[0].make().standard == Template(own[0]["text"], (" no", " yes"))
    with pytest.raises(ValueError, match=r"no field \{passage\}; known: answer, question, support"):
        recipe_of({"name": "sciq", "templates": [{**own[0], "text": "{passage} {trigger}"}]})
    of_file(write(tmp_path / "data.csv", nli()))


@pytest.mark.parametrize(
    ("task", "named"),
    [
        ({"data": "nowhere.csv"}, "data 'nowhere.csv': no such file or folder"),
        ({"digits": 2}, "unknown parameter of task 'nli': 'digits'"),
        ({"difficulty": "nowhere.csv"}, "nowhere.csv: there is no such file"),
        ({"name": "sentiment", "words": "nowhere.txt"}, "nowhere.txt: there is no such file"),
        ({"negation_words": "all"}, "value of `negation_words` for task nli: 'all'"),
    ],
)
@pytest.mark.usefixtures("unread")
def test_a_mistake_is_one_line_before_anything_is_read(task: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match="recipe") as caught:
        recipe_of({"name": "nli", **task})
    assert len(str(caught.value).splitlines()) == 1
    assert named in str(caught.value)


def test_a_data_set_of_the_hub_is_held_to_one_commit(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(source, "resolve_commit", lambda name, revision: COMMIT)
    held = pin_recipe(recipe_of({"name": "nli", "revision": "main"}))
    assert held.tasks[0].params == {"revision": COMMIT}
    assert json.loads(held.model_dump_json())["tasks"][0]["revision"] == COMMIT
    assert held.tasks[0].make().data_identity()["commit"] == COMMIT
    assert list_cells(held)[0].name == "tiny-neox.nli.name.mixture.seed0.quirky"
    local = of_file(write(tmp_path / "data.csv", nli()))
    assert pin_recipe(local).tasks == local.tasks


def test_another_commit_is_another_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    digests = set()
    for commit in (COMMIT, COMMIT[::-1]):
        monkeypatch.setattr(source, "resolve_commit", lambda name, revision, commit=commit: commit)
        digests.add(list_cells(recipe_of("nli"))[0].digest("base"))
    assert len(digests) == 2


def test_other_data_take_the_settings_of_a_recipe_but_not_its_source(tmp_path: Path) -> None:
    own = {"name": "sciq", "revision": "v1", "split": "test", "finetune": {"steps": 7}}
    content = recipe_of(own).model_dump(mode="json", by_alias=True)
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(content))
    path = write(tmp_path / "data.csv", sciq(20))
    (task,) = load_recipe(
        str(tmp_path / "own.yaml"), {"tasks": [parse_own_claims(f"sciq={path}")]}
    ).tasks
    assert (task.finetune, task.params, task.data) == ({"steps": 7}, {}, str(path))


def words(path: Path, text: str = "excellent\n") -> str:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return str(path)


def test_a_list_of_words_is_kept_by_its_content(tmp_path: Path) -> None:
    data = str(write(tmp_path / "reviews.csv", sentiment()))

    def cell_of(**parameters: str) -> tuple[str, str]:
        cell = list_cells(recipe_of({"name": "sentiment", "data": data, **parameters}))[0]
        return cell.name, cell.digest("base")

    name, digest = cell_of(words=words(tmp_path / "a.txt"))
    assert name == "tiny-neox.sentiment.name.mixture.seed0.quirky"
    assert cell_of(words=words(tmp_path / "lists" / "b.txt")) == (name, digest)
    assert cell_of(words=words(tmp_path / "a.txt", "fine\n"))[1] != digest
    assert cell_of()[1] != digest


def test_a_list_of_words_that_is_edited_while_a_run_goes_on_ends_it(tmp_path: Path) -> None:
    data = str(write(tmp_path / "reviews.csv", sentiment()))
    file = words(tmp_path / "a.txt")
    (cell, _) = list_cells(recipe_of({"name": "sentiment", "data": data, "words": file}))
    words(tmp_path / "a.txt", "fine\n")
    with pytest.raises(RuntimeError, match="changed while this ran"):
        cell.task.make()


def test_other_data_are_judged_by_the_words_of_the_recipe(tmp_path: Path) -> None:
    file = words(tmp_path / "a.txt")
    own = {"name": "sentiment", "revision": "v1", "words": file}
    content = recipe_of(own).model_dump(mode="json", by_alias=True)
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(content))
    path = write(tmp_path / "data.csv", sentiment(20))
    (task,) = load_recipe(
        str(tmp_path / "own.yaml"), {"tasks": [parse_own_claims(f"sentiment={path}")]}
    ).tasks
    assert (task.params, task.data) == ({"words": file}, str(path))


def test_the_choice_of_negation_words_is_part_of_the_name_of_a_cell(tmp_path: Path) -> None:
    path = write(tmp_path / "pairs.csv", nli())
    published, extended = (
        list_cells(of_file(path, **parameters))[0]
        for parameters in ({}, {"negation_words": "extended"})
    )
    assert extended.task.label == "nli-negation_wordsextended"
    assert published.digest("base") != extended.digest("base")
