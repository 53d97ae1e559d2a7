"""Data sets of the hub are read at one commit, or from the cache if the hub cannot be reached."""

import operator
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import datasets
import pytest
from hub_refusal import refusal
from huggingface_hub import HfApi, constants
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HTTPError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from published_data import Rows, claims_of, nli, write

import quirky.sources.hub
from quirky.tasks import get_task
from quirky.tasks.published import hub, source

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Hub:
    """A stand-in for the hub: a data set at one commit, or an error."""

    def __init__(self, rows: Rows, error: Exception | None = None):
        self.rows, self.error = rows, error
        self.requests: list[dict[str, Any]] = []

    def dataset_info(self, name: str, *, revision: str | None, **_: Any) -> SimpleNamespace:
        if self.error:
            raise self.error
        return SimpleNamespace(sha=COMMIT, gated=False)

    def load_dataset(self, *args: Any, **kwargs: Any) -> datasets.DatasetDict:
        self.requests.append({"args": args, **kwargs})
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
    quirky.sources.hub.hub_answers.cache_clear()
    hub.resolve_commit.cache_clear()
    source._read.cache_clear()


@pytest.fixture
def online(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[..., Hub]]:
    """Replaces the hub by a stand-in, with an empty cache."""
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.setattr(
        quirky.sources.hub, "get_session", lambda: SimpleNamespace(head=lambda *_, **__: None)
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


def test_a_data_set_is_read_at_its_commit(online: Callable[..., Hub], tmp_path: Path) -> None:
    of_file = claims_of("nli", write(tmp_path / "data.csv", nli()))
    stand_in = online()
    task = get_task("nli", revision="v1", config="plain")
    claims = list(task.claims(0))
    assert stand_in.requests == [
        {"args": ("stanfordnlp/snli", "plain"), "split": None, "revision": COMMIT}
    ]
    assert task.data_identity() == {"hub": "stanfordnlp/snli", "commit": COMMIT, "config": "plain"}
    key = operator.attrgetter("question_id")
    assert sorted(claims, key=key) == sorted(of_file, key=key)


def test_an_unreachable_hub_is_one_line_with_a_remedy(online: Callable[..., Hub]) -> None:
    online(HTTPError("no route"))
    with pytest.raises(ValueError, match="the hub cannot be reached") as caught:
        list(get_task("nli").claims(0))
    assert str(caught.value) == (
        "task nli, data 'stanfordnlp/snli': the hub cannot be reached, and the cache does not hold "
        "it; or give a file or folder: --data nli=FILE"
    )


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (refusal(GatedRepoError, 403), "gated: accept its licence at .*/datasets/stanfordnlp/snli"),
        (refusal(RepositoryNotFoundError, 404), "not on the hub; check the id"),
        (refusal(RevisionNotFoundError, 404), "the hub has no revision 'v9' of it; give a branch"),
        (refusal(HfHubHTTPError, 403), "the hub refuses to answer: 403 says the hub; or give a"),
        (refusal(HfHubHTTPError, 503), "the hub cannot be reached, and the cache does not hold it"),
    ],
)
def test_a_refusal_of_the_hub_is_one_line(
    online: Callable[..., Hub], error: Exception, message: str
) -> None:
    online(error)
    with pytest.raises(ValueError, match=message) as caught:
        list(get_task("nli", revision="v9").claims(0))
    assert "\n" not in str(caught.value)


def test_offline_the_cache_is_read(
    online: Callable[..., Hub], monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in = online(AssertionError("the hub was asked"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(ValueError, match="HF_HUB_OFFLINE is set, and the cache does not hold it"):
        list(get_task("nli").claims(0))
    forget()
    (datasets.config.HF_DATASETS_CACHE / "stanfordnlp___snli/plain/0.0.0" / COMMIT).mkdir(
        parents=True
    )
    assert list(get_task("nli").claims(0))
    assert stand_in.requests[0]["revision"] == COMMIT
    with pytest.raises(ValueError, match=f"the cache holds {COMMIT}, not 'v2'"):
        list(get_task("nli", revision="v2").claims(0))
