"""Where data lie: what names them, when they are read, and what tells them apart."""

import re
from pathlib import Path
from typing import Any

import datasets
import pytest
from huggingface_hub import HfApi
from published_data import ROWS, nli, sciq, sentiment, write

from quirky.tasks import get_task, list_tasks
from quirky.tasks.published import source


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"data": "nowhere.csv"}, "no such file or folder"),
        ({"data": "nowhere/data.CSV"}, "no such file or folder"),
        ({"data": "nowhere/data.tsv"}, "no such file or folder"),
        ({"data": "nowhere"}, "not the id of a hub data set, which is org/name"),
        ({"data": "{file}", "revision": "main"}, "revision = 'main': only the hub has revisions"),
        ({"data": "{file}", "config": "all"}, "config = 'all': a file has no configurations"),
        ({"difficulty": "nowhere.csv"}, "nowhere.csv: there is no such file"),
        ({"of": "sciq"}, "unknown parameter of task 'sciq': 'of'"),
    ],
)
def test_a_wrong_parameter_is_an_error_before_data_are_read(
    tmp_path: Path, parameters: dict[str, str], message: str
) -> None:
    file = str(write(tmp_path / "data.csv", sciq(10)))
    arguments = {key: value.replace("{file}", file) for key, value in parameters.items()}
    with pytest.raises(ValueError, match=re.escape(message)):
        get_task("sciq", **arguments)


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What `datasets.load_dataset` is asked for, from here on."""
    calls: list[tuple[Any, ...]] = []
    load = datasets.load_dataset

    def counted(*args: Any, **kwargs: Any) -> Any:
        assert "trust_remote_code" not in kwargs
        calls.append(args)
        return load(*args, **kwargs)

    monkeypatch.setattr(datasets, "load_dataset", counted)
    source._read.cache_clear()
    return calls


def test_data_are_loaded_once_and_again_when_they_change(
    tmp_path: Path, loads: list[tuple[Any, ...]]
) -> None:
    path = write(tmp_path / "data.csv", sentiment())
    task = get_task("sentiment", data=str(path))
    assert loads == []
    first = list(task.claims(0))
    assert list(get_task("sentiment", data=str(path)).claims(0)) == first
    assert loads == [("csv",)]
    write(path, sentiment(800))
    assert len(list(task.claims(0))) > len(first)
    assert loads == [("csv",)] * 2


def test_listing_and_making_tasks_does_not_contact_the_hub(
    monkeypatch: pytest.MonkeyPatch, loads: list[tuple[Any, ...]]
) -> None:
    monkeypatch.setattr(HfApi, "dataset_info", lambda *_, **__: pytest.fail("the hub was asked"))
    tasks = [get_task(name) for name in list_tasks()]
    assert len([task for task in tasks if task.reads_data]) == len(ROWS) + 1
    assert loads == []


def test_the_identity_of_data_is_their_content(tmp_path: Path) -> None:
    one = get_task("nli", data=str(write(tmp_path / "a.csv", nli())))
    same = get_task("nli", data=str(write(tmp_path / "b" / "c.csv", nli())))
    other = get_task("nli", data=str(write(tmp_path / "d.csv", nli(300))))
    assert one.data_identity() == same.data_identity() != other.data_identity()
    split = get_task("nli", data=str(tmp_path / "a.csv"), split="train[:50%]")
    assert split.data_identity() != one.data_identity()
    for name, rows in (("x", nli()), ("y", nli()), ("z", nli(300))):
        write(tmp_path / name / "part.csv", rows)
    folders = [get_task("nli", data=str(tmp_path / name)).data_identity() for name in "xyz"]
    assert folders[0] == folders[1] != folders[2]


def test_the_licence_of_other_data_is_unknown(tmp_path: Path) -> None:
    assert get_task("sciq").licence == "cc-by-nc-3.0"
    assert get_task("sciq").source == "Drawn from allenai/sciq of the hub."
    own = get_task("sciq", data=str(write(tmp_path / "own.csv", sciq(5))))
    assert (own.licence, own.source) == ("unknown", "Drawn from the file or folder own.csv.")
