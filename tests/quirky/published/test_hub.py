"""Data sets of the hub, which are held to a commit, and the cache where there is no hub."""

import operator
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import datasets
import pytest
from huggingface_hub import HfApi, constants
from huggingface_hub.errors import HTTPError
from published_data import Rows, claims_of, nli, write

import quirky.hub
from quirky.tasks import get_task
from quirky.tasks.published import hub, source

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Hub:
    """Stands in for the hub: a data set at one commit, or an error."""

    def __init__(self, rows: Rows, error: Exception | None = None):
        self.rows, self.error = rows, error
        self.asked: list[dict[str, Any]] = []

    def dataset_info(self, name: str, *, revision: str | None, **_: Any) -> SimpleNamespace:
        if self.error:
            raise self.error
        return SimpleNamespace(sha=COMMIT, gated=False)

    def load_dataset(self, *args: Any, **kwargs: Any) -> datasets.DatasetDict:
        self.asked.append({"args": args, **kwargs})
        third = len(self.rows) // 3
        parts = {"train": self.rows[third:], "test": self.rows[:third]}
        features = datasets.Features(
            {
                "premise": datasets.Value("string"),
                "hypothesis": datasets.Value("string"),
                "label": datasets.ClassLabel(names=["entailment", "neutral", "contradiction"]),
            }
        )
        return datasets.DatasetDict(
            {name: datasets.Dataset.from_list(rows, features) for name, rows in parts.items()}
        )


def forget() -> None:
    quirky.hub.hub_answers.cache_clear()
    hub.resolve_commit.cache_clear()
    source._read.cache_clear()


@pytest.fixture
def online(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[..., Hub]]:
    """Puts a hub in the place of the real one, with an empty cache."""
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.setattr(
        quirky.hub, "get_session", lambda: SimpleNamespace(head=lambda *_, **__: None)
    )
    forget()

    def make(error: Exception | None = None) -> Hub:
        stand_in = Hub(nli(), error)
        monkeypatch.setattr(
            HfApi, "dataset_info", lambda _, *a, **k: stand_in.dataset_info(*a, **k)
        )
        monkeypatch.setattr(datasets, "load_dataset", stand_in.load_dataset)
        return stand_in

    yield make
    forget()


def test_a_data_set_of_the_hub_is_held_to_its_commit(
    online: Callable[..., Hub], tmp_path: Path
) -> None:
    of_file = claims_of("nli", write(tmp_path / "data.csv", nli()))
    made = online()
    task = get_task("nli", revision="v1", config="plain")
    asked = list(task.claims(0))
    assert made.asked == [
        {"args": ("stanfordnlp/snli", "plain"), "split": None, "revision": COMMIT}
    ]
    assert task.data_identity() == {"hub": "stanfordnlp/snli", "commit": COMMIT, "config": "plain"}
    key = operator.attrgetter("question_id")
    assert sorted(asked, key=key) == sorted(of_file, key=key)


def test_without_a_hub_one_line_says_what_to_do(online: Callable[..., Hub]) -> None:
    online(HTTPError("no route"))
    with pytest.raises(ValueError, match="the hub cannot be reached") as caught:
        list(get_task("nli").claims(0))
    assert str(caught.value) == (
        "task nli, data 'stanfordnlp/snli': the hub cannot be reached, and the cache does not hold "
        "it; or give a file or folder: --data nli=FILE"
    )


def test_offline_the_cache_is_read(
    online: Callable[..., Hub], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = online(AssertionError("the hub was asked"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(ValueError, match="HF_HUB_OFFLINE is set, and the cache does not hold it"):
        list(get_task("nli").claims(0))
    forget()
    (datasets.config.HF_DATASETS_CACHE / "stanfordnlp___snli/plain/0.0.0" / COMMIT).mkdir(
        parents=True
    )
    assert list(get_task("nli").claims(0))
    assert made.asked[0]["revision"] == COMMIT
    with pytest.raises(ValueError, match=f"the cache holds {COMMIT}, not 'v2'"):
        list(get_task("nli", revision="v2").claims(0))
