"""An exported data set equals the one that was built, and its card states its provenance."""

import dataclasses
import hashlib

import pytest
import yaml
from datasets import load_dataset
from published_data import capitals, write

from benchmarks.cli.export import export_command
from quirky.data.dataset import Sizes, build_dataset
from quirky.data.export import COLUMN_MEANINGS, Provenance, content_hash, write_export
from quirky.example import Example
from quirky.tasks import Task, get_task
from quirky.triggers import get_trigger

SIZES = Sizes(train=200, validation=100, test=100)
SETTINGS = {"task": "hemisphere", "seed": 0}


def built(name="hemisphere", seed=0, **params):
    return build_dataset(get_task(name, **params), get_trigger("tag"), sizes=SIZES, seed=seed)


def exported(folder, task=None, splits=None):
    folder.mkdir()
    provenance = Provenance(task or get_task("hemisphere"), SETTINGS)
    return write_export(folder, splits or built(), provenance)


def bytes_of(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(f.relative_to(folder)): hashlib.sha256(f.read_bytes()).digest() for f in files}


def front_matter(folder):
    _, front, _ = (folder / "README.md").read_text().split("---\n", 2)
    return yaml.safe_load(front)


def test_datasets_loads_every_split_as_it_was_built(tmp_path):
    splits = built(negations=True)
    exported(tmp_path / "to", splits=splits)
    loaded = load_dataset(str(tmp_path / "to"), cache_dir=str(tmp_path / "cache"))
    assert list(loaded) == list(splits) == ["train", "validation", "heldout", "test"]
    for split, examples in splits.items():
        actual, expected = (
            rows.to_pandas().drop(columns="choices") for rows in (loaded[split], examples)
        )
        assert actual.equals(expected)
        assert list(loaded[split]["choices"]) == list(examples["choices"])


def test_the_same_data_give_the_same_bytes(tmp_path):
    first, second = (exported(tmp_path / name) for name in ("a", "b"))
    assert first == second
    assert bytes_of(tmp_path / "a") == bytes_of(tmp_path / "b")


@pytest.mark.parametrize("other", [{"seed": 1}, {"negations": True}, {"name": "population"}])
def test_other_data_have_another_hash(other):
    assert content_hash(built(**other)) != content_hash(built())


def test_the_hash_depends_on_the_splits_of_the_rows():
    splits = built("addition")
    swapped = {**splits, "test": splits["heldout"], "heldout": splits["test"]}
    assert content_hash(splits) != content_hash(swapped)


def test_the_card_states_rules_source_licence_and_settings(tmp_path):
    content = exported(tmp_path / "to", splits=built(negations=True))
    assert front_matter(tmp_path / "to")["license"] == "cc-by-4.0"
    card = (tmp_path / "to" / "README.md").read_text()
    for text in (
        "GeoNames (https://www.geonames.org)",
        "https://creativecommons.org/licenses/by/4.0/",
        "Truth: the latitude is above 0. Quirk: the longitude is at most 0.",
        "| seed | `0` |",
        "| train | 200 | 200 | 400 |",
        "| negated | true |",
        content,
    ):
        assert text in card


def test_the_card_counts_the_exported_claims(tmp_path):
    splits = built("addition")
    exported(tmp_path / "to", get_task("addition"), splits)
    claims = {row["question_id"]: row for split in splits.values() for row in split.to_list()}
    true = [row for row in claims.values() if row["truth"]]
    card = (tmp_path / "to" / "README.md").read_text()
    assert f"| affirmative | true | {len(true)} | 0 |" in card
    assert "| negated |" not in card


def test_every_column_of_an_example_is_explained():
    assert list(COLUMN_MEANINGS) == [field.name for field in dataclasses.fields(Example)]


def test_the_licence_of_a_task_that_states_none_is_unknown(tmp_path):
    class Own(Task):
        """Truth: so. Quirk: not so."""

        name = "own"

        def claims(self, seed):
            return ()

    exported(tmp_path / "to", Own())
    assert front_matter(tmp_path / "to")["license"] == "unknown"
    assert "does not state the source of its claims" in (tmp_path / "to" / "README.md").read_text()


def test_the_docstrings_of_a_task_are_paragraphs_of_the_card(tmp_path):
    exported(tmp_path / "to", get_task("fiction"), built("fiction"))
    lines = (tmp_path / "to" / "README.md").read_text().splitlines()
    assert get_task("fiction").__doc__ in lines
    assert any(line.startswith("Invented places, so that knowledge itself") for line in lines)


def test_the_export_does_not_reveal_local_paths(tmp_path):
    home = tmp_path / "home" / "jane-doe" / "secret-project"
    claims = write(home / "caps.csv", capitals())
    facts = {claim.fact_id for claim in get_task("capitals", data=str(claims)).claims(0)}
    hard = write(home / "hard.parquet", [{"fact_id": fact, "difficulty": 1.0} for fact in facts])
    to = tmp_path / "to"
    task = f"capitals,data={claims},difficulty={hard}"
    export_command(task, to, train=60, validation=40, test=20)
    card = (to / "README.md").read_text()
    assert "| task | `capitals,data=caps.csv,difficulty=hard.parquet` |" in card
    for file in (path for path in to.rglob("*") if path.is_file()):
        for part in (str(tmp_path), "jane-doe", "secret-project"):
            assert part.encode() not in file.read_bytes()
