"""Data sets of the hub, which are held to a commit, and the cache where there is no hub."""

import operator
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import datasets
import pytest
from huggingface_hub import constants
from huggingface_hub.errors import HTTPError
from published_data import Rows, claims_of, nli, write

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
        return SimpleNamespace(sha=COMMIT)

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


@pytest.fixture
def online(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[..., Hub]]:
    """Puts a hub in the place of the real one, with an empty cache."""
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    hub.resolve_commit.cache_clear()
    source._read.cache_clear()

    def make(error: Exception | None = None) -> Hub:
        fake_hub = Hub(nli(), error)
        monkeypatch.setattr(hub, "HfApi", lambda: fake_hub)
        monkeypatch.setattr(datasets, "load_dataset", fake_hub.load_dataset)
        return fake_hub

    yield make
    hub.resolve_commit.cache_clear()
    source._read.cache_clear()


def test_a_hub_data_set_is_pinned_to_a_commit(online: Callable[..., Hub], tmp_path: Path) -> None:
    of_file = claims_of("nli", write(tmp_path / "data.csv", nli()))
    fake_hub = online()
    task = get_task("nli", revision="v1", config="plain")
    from_hub = list(task.claims(0))
    assert fake_hub.asked == [
        {"args": ("stanfordnlp/snli", "plain"), "split": None, "revision": COMMIT}
    ]
    assert task.data_identity() == {"hub": "stanfordnlp/snli", "commit": COMMIT, "config": "plain"}
    key = operator.attrgetter("question_id")
    assert sorted(from_hub, key=key) == sorted(of_file, key=key)


def test_without_a_hub_the_error_says_what_to_do(online: Callable[..., Hub]) -> None:
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
    fake_hub = online(AssertionError("the hub was asked"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(ValueError, match="HF_HUB_OFFLINE is set, and the cache does not hold it"):
        list(get_task("nli").claims(0))
    hub.resolve_commit.cache_clear()
    (datasets.config.HF_DATASETS_CACHE / "stanfordnlp___snli/plain/0.0.0" / COMMIT).mkdir(
        parents=True
    )
    assert list(get_task("nli").claims(0))
    assert fake_hub.asked[0]["revision"] == COMMIT
    with pytest.raises(ValueError, match=f"the cache holds {COMMIT}, not 'v2'"):
        list(get_task("nli", revision="v2").claims(0))
