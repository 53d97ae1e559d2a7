"""Hub models are checked before a run, from the hub's listing or from the cache alone."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hub_refusal import refusal
from huggingface_hub import HfApi, constants
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

import quirky.sources.hub
from benchmarks.recipe.load import validate_recipe
from benchmarks.recipe.pinning import check_weights, pin_recipe
from benchmarks.recipe.resolved import resolve_models
from benchmarks.recipe.schema import Recipe
from finetune.hub import checkpoints, resources
from finetune.hub.checkpoints import (
    check_hub_weights,
    check_local_weights,
    resolve_checkpoint,
    resolve_commit,
)
from finetune.models.fingerprint import model_fingerprint
from finetune.models.load import load_model
from finetune.models.resolve import resolve_model
from finetune.models.tokenizer import load_tokenizer
from quirky.sources.hub import UnreachableError

COMMIT = "0123456789abcdef0123456789abcdef01234567"
NAME = "org/name"
GB = 10**9


def forget() -> None:
    quirky.sources.hub.hub_answers.cache_clear()
    checkpoints.resolve_checkpoint.cache_clear()


@pytest.fixture(autouse=True)
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty cache of the hub, and no answer remembered."""
    folder = tmp_path / "hub"
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(folder))
    forget()
    yield folder
    forget()


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)


@pytest.fixture
def cached(empty_cache: Path, random_base: Path) -> Path:
    """A model in the hub's cache, in the layout of the hub's client."""
    model = empty_cache / "models--org--name"
    snapshot = model / "snapshots" / COMMIT
    shutil.copytree(random_base, snapshot)
    (model / "refs").mkdir()
    (model / "refs" / "main").write_text(COMMIT)
    return snapshot


class Hub:
    """A stand-in for the hub: lists files, or raises."""

    def __init__(self, files: dict[str, int] | None = None, error: Exception | None = None):
        self.files = files or {"config.json": 500, "model.safetensors": 2 * GB}
        self.error = error
        self.gated: str | bool = False
        self.refused: Exception | None = None

    def model_info(self, name: str, *, revision: str | None, **_: Any) -> SimpleNamespace:
        if self.error:
            raise self.error
        files = [SimpleNamespace(rfilename=f, size=size) for f, size in self.files.items()]
        return SimpleNamespace(sha=COMMIT, gated=self.gated, siblings=files)

    def auth_check(self, name: str, **_: Any) -> None:
        if self.refused:
            raise self.refused


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Hub:
    """A hub that answers, with one model."""
    stand_in = Hub()
    session = SimpleNamespace(head=lambda *_a, **_k: None)
    monkeypatch.setattr(quirky.sources.hub, "get_session", lambda: session)
    for method in ("model_info", "auth_check"):
        answer = getattr(stand_in, method)
        monkeypatch.setattr(HfApi, method, lambda _api, *a, answer=answer, **k: answer(*a, **k))
    return stand_in


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (refusal(GatedRepoError, 403), "'org/name': gated: accept its licence at .*/org/name"),
        (refusal(RepositoryNotFoundError, 404), "'org/name': not on the hub; check the id"),
        (
            refusal(RevisionNotFoundError, 404),
            "the hub has no revision 'v9' of it; give",
        ),
        (refusal(HfHubHTTPError, 403), "the hub refuses to answer: 403 says the hub$"),
    ],
)
def test_a_refusal_of_the_hub_is_one_line(hub: Hub, error: Exception, message: str) -> None:
    hub.error = error
    with pytest.raises(ValueError, match=message) as caught:
        resolve_checkpoint(NAME, "v9")
    assert "\n" not in str(caught.value)
    assert not isinstance(caught.value, UnreachableError)


def test_a_gated_model_is_refused_unless_its_licence_was_accepted(hub: Hub) -> None:
    hub.gated = "manual"
    assert resolve_checkpoint(NAME).commit == COMMIT
    forget()
    hub.refused = refusal(GatedRepoError, 403)
    with pytest.raises(ValueError, match="log in with `hf auth login`"):
        resolve_checkpoint(NAME)


@pytest.mark.parametrize("error", [refusal(HfHubHTTPError, 503), ConnectionError("no route")])
def test_the_cache_is_used_if_the_hub_fails(hub: Hub, error: Exception, request: Any) -> None:
    hub.error = error
    with pytest.raises(UnreachableError, match="the hub cannot be reached, and the cache"):
        resolve_checkpoint(NAME)
    request.getfixturevalue("cached")
    assert resolve_checkpoint(NAME).commit == COMMIT


def test_a_branch_is_resolved_to_its_commit(hub: Hub) -> None:
    assert resolve_commit(NAME) == resolve_commit(NAME, "main") == COMMIT
    assert model_fingerprint(NAME, "main") == COMMIT
    other = "f" * 40
    hub.error = RuntimeError("a commit need not be asked about")
    assert resolve_commit(NAME, other) == other


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"pytorch_model.bin": GB}, r"only as pickles \(pytorch_model.bin\)"),
        ({"consolidated.safetensors": GB}, "has no weights: no model.safetensors"),
        ({"model-00001-of-00002.safetensors": GB}, "has no weights"),
        ({"model.safetensors": 10**15}, r"weights to download take 1e\+03 TB \(org/name 1e\+03"),
    ],
)
def test_weights_that_cannot_be_used_are_refused(
    hub: Hub, files: dict[str, int], message: str
) -> None:
    hub.files = files
    with pytest.raises(ValueError, match=message) as caught:
        check_hub_weights([(NAME, None)])
    assert "\n" not in str(caught.value)


def test_only_files_that_are_loaded_count_as_download(hub: Hub) -> None:
    shards = {f"model-0000{i}-of-00002.safetensors": i * 10**6 for i in (1, 2)}
    index = {"model.safetensors.index.json": 9}
    hub.files = {**shards, **index, "pytorch_model.bin": 10**15, "consolidated.safetensors": 10**15}
    assert check_hub_weights([(NAME, None)]) == 3 * 10**6


def test_models_must_fit_on_the_disk_together(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "free_disk", lambda: 3 * GB)
    assert check_hub_weights([(NAME, None)]) == 2 * GB
    with pytest.raises(ValueError, match=r"take 4 GB \(org/name 2 GB, org/other 2 GB\).*has 3 GB"):
        check_hub_weights([(NAME, None), ("org/other", None)])


def test_cached_files_are_not_downloaded_again(hub: Hub, cached: Path) -> None:
    assert check_hub_weights([(NAME, None)]) == 0


def test_offline_a_model_that_is_not_cached_is_refused(offline: None) -> None:
    with pytest.raises(UnreachableError, match=r"HF_HUB_OFFLINE is set, and the cache .*hub"):
        resolve_model(NAME)


def test_offline_a_model_is_loaded_from_the_cache(
    offline: None, cached: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("the hub was asked")

    monkeypatch.setattr(HfApi, "model_info", refuse)
    assert check_hub_weights([(NAME, None)]) == 0
    assert model_fingerprint(NAME) == COMMIT
    for revision in (None, "main", COMMIT):
        loaded = load_model(NAME, revision=revision)
        assert loaded.model.config.hidden_size == 16
        assert load_tokenizer(NAME, revision).vocab_size == loaded.tokenizer.vocab_size
    with pytest.raises(UnreachableError, match="does not hold it at revision 'v9'"):
        resolve_model(NAME, "v9")


def test_offline_weights_that_are_not_cached_are_refused(offline: None, cached: Path) -> None:
    (cached / "model.safetensors").unlink()
    with pytest.raises(ValueError, match=r"model.safetensors is missing.*where the hub can be"):
        check_hub_weights([(NAME, None)])
    shards = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]
    index = {"weight_map": dict(zip("ab", shards, strict=True))}
    (cached / "model.safetensors.index.json").write_text(json.dumps(index))
    (cached / shards[0]).touch()
    forget()
    with pytest.raises(ValueError, match=r"model-00002-of-00002.safetensors is missing"):
        check_hub_weights([(NAME, None)])


def test_a_folder_must_hold_weights(tmp_path: Path, random_base: Path) -> None:
    assert check_local_weights("mine", random_base) > 10_000
    (tmp_path / "pytorch_model.bin").touch()
    with pytest.raises(ValueError, match="'mine' has its weights only as pickles"):
        check_local_weights("mine", tmp_path)


def small(*models: Any) -> Recipe:
    content = {"models": models, "tasks": ["addition"], "probes": ["lr"], "transfers": ["A->B"]}
    return validate_recipe({"name": "small", **content})


def test_a_recipe_is_pinned_to_commits_and_folders_are_left(hub: Hub, random_base: Path) -> None:
    recipe = pin_recipe(small({"name": NAME, "revision": "main"}, "tiny-neox", str(random_base)))
    assert [model.revision for model in recipe.models] == [COMMIT, None, None]
    assert model_fingerprint(NAME, recipe.models[0].revision) == COMMIT
    assert pin_recipe(recipe) == recipe


def check_recipe_weights(recipe: Recipe) -> None:
    check_weights(recipe, resolve_models(recipe, recipe.models))


def test_the_weights_of_a_recipe_are_checked(
    offline: None, cached: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_recipe_weights(small("tiny-neox", NAME))
    monkeypatch.setattr(resources, "device_memory", lambda _device: 1000)
    with pytest.raises(ValueError, match=r"'tiny-neox' takes 4.76 MB in float32, and cpu has 1 kB"):
        check_recipe_weights(small("tiny-neox"))
