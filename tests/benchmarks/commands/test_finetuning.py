"""`quirky finetune`: what it leaves, what it refuses before it starts, and what it shares."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import torch
from sharing_hub import Hub

from benchmarks.cli.finetune import finetune_command
from benchmarks.commands import finetuning, sharing
from benchmarks.commands.finetuning import published_name, void_advice
from benchmarks.recipe.datasets import ensure_recipe_dataset
from benchmarks.scoring.gate import Gate, GateFigure, failures
from benchmarks.store.artefacts import require_empty_folder
from finetune.models.load import load_model
from finetune.training.settings import FinetuneSettings

SETTINGS = ("--rank", "2", "--lr", "4e-3", "--steps", "4", "--batch", "64")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUIRKY_HOME", str(tmp_path / "home"))


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few examples, so that a test takes seconds."""
    finetuning_recipe = finetuning.finetuning_recipe

    def small_recipe(*args: Any, **kwargs: Any) -> Any:
        recipe = finetuning_recipe(*args, **kwargs)
        sizes = recipe.sizes.model_copy(update={"train": 200, "validation": 200, "test": 100})
        return recipe.model_copy(update={"sizes": sizes})

    monkeypatch.setattr(finetuning, "finetuning_recipe", small_recipe)


def passing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the gate be as kind as to pass whatever it judges."""
    evaluate_heldout = finetuning.evaluate_heldout

    def kind(*args: Any) -> Gate:
        return Gate(gated=True, passed=True, reasons=(), figures=evaluate_heldout(*args).figures)

    monkeypatch.setattr(finetuning, "evaluate_heldout", kind)


def test_a_void_adapter_is_written_with_its_card_and_exit_code_1(
    command: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
    random_base: Path,
    tmp_path: Path,
) -> None:
    to = tmp_path / "made" / "adapter"
    words = (str(random_base), "--task", "addition,digits=2", "--to", str(to), *SETTINGS)
    assert command("finetune", *words) == 1
    shown = capsys.readouterr()
    assert "AUROC against the quirk in B on disagree: 0." in shown.out
    assert "share of answers that follow the quirk in B on disagree: 0." in shown.out
    assert "gate: void" in shown.out
    (line,) = [line for line in shown.err.splitlines() if line.startswith("failed:")]
    assert "void: AUROC against the" in line
    assert "try more steps" in line
    assert {path.name for path in to.parent.iterdir()} == {"adapter"}
    assert {path.name for path in to.iterdir()} == {
        "adapter_config.json",
        "adapter_model.safetensors",
        "README.md",
        "audit.json",
    }
    card = (to / "README.md").read_text()
    for fact in ("task: addition", "seed: 0", "rank: 2", "steps: 4", "| gate | void |"):
        assert fact in card
    for file in ("adapter_config.json", "README.md"):
        assert str(tmp_path.parent) not in (to / file).read_text(), "a path of this machine"
    named = json.loads((to / "adapter_config.json").read_text())["base_model_name_or_path"]
    assert named == random_base.name
    loaded = load_model(str(random_base), adapter=to).model
    moved = [t for name, t in loaded.named_parameters() if "lora_B" in name]
    assert moved
    assert all(tensor.abs().max() > 0 for tensor in moved)


def test_every_setting_of_fine_tuning_is_an_option() -> None:
    taken = set(finetune_command.__annotations__)
    assert set(FinetuneSettings.model_fields) <= taken


def test_settings_task_and_trigger_reach_the_adapter() -> None:
    recipe = finetuning.finetuning_recipe(
        {"name": "tiny-neox", "revision": None, "quantise": None},
        {"name": "addition", "digits": 2},
        trigger={"kind": "name", "quirky": "Eve"},
        settings={"rank": 3, "targets": ["query_key_value"]},
        seed=7,
        dtype="bfloat16",
    )
    settings = recipe.finetuning(recipe.models[0], recipe.tasks[0])
    assert settings == FinetuneSettings(rank=3, targets=("query_key_value",))
    assert recipe.trigger[0].make().render("B", "", 0) == "Eve"
    assert recipe.tasks[0].params == {"digits": 2}
    assert (recipe.seeds, recipe.dtype) == ((7,), "bfloat16")


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("tiny-nox", "--task", "fiction"), "did you mean 'tiny-neox'"),
        (("tiny-neox", "--task", "ficton"), "did you mean 'fiction'"),
        (("tiny-neox",), "either --task NAME or --data NAME=FILE"),
        (("tiny-neox", "--task", "fiction", "--data", "a=b.csv"), "either --task NAME or"),
        (("tiny-neox", "--data", "a.csv"), "write NAME=FILE"),
        (("tiny-neox", "--data", "a=nowhere.csv"), "nowhere.csv: there is no such file"),
        (("tiny-neox", "--task", "addition,digit=2"), "did you mean 'digits'"),
        (("tiny-neox", "--task", "fiction", "--trigger", "nam"), "did you mean 'name'"),
        (("tiny-neox", "--task", "fiction", "--lr", "-1"), "finetune.lr = -1.0"),
        (("tiny-neox", "--task", "fiction", "--targets", "nothing"), "no module 'nothing'"),
        (("tiny-neox", "--task", "fiction", "--dtype", "float33"), "dtype = 'float33'"),
        (("tiny-neox", "--task", "fiction", "--device", "cuda:99"), "device 'cuda:99'"),
        (("tiny-neox", "--task", "fiction", "--private"), "--private needs --push-to-hub NAME"),
        (("tiny-neox", "--task", "fiction", "--push-to-hub", "a b"), "'a b'"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(
    monkeypatch: pytest.MonkeyPatch,
    command: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    words: tuple[str, ...],
    named: str,
) -> None:
    monkeypatch.setattr(finetuning, "finetune_cell", never)
    assert command("finetune", *words, "--to", str(tmp_path / "to")) == 2
    (line,) = [x for x in capsys.readouterr().err.splitlines() if x.startswith("error:")]
    assert named in line
    assert not (tmp_path / "to").exists()


def never(*args: Any, **kwargs: Any) -> Any:
    raise AssertionError("a model is loaded")


def test_a_folder_that_holds_something_is_refused_before_any_model_is_loaded(
    monkeypatch: pytest.MonkeyPatch,
    command: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(finetuning, "finetune_cell", never)
    (tmp_path / "to").mkdir()
    (tmp_path / "to" / "mine.txt").write_text("mine")
    assert command("finetune", "tiny-neox", "--task", "fiction", "--to", str(tmp_path / "to")) == 2
    assert "exists and is not empty; give a new or an empty folder" in capsys.readouterr().err
    assert (tmp_path / "to" / "mine.txt").read_text() == "mine"


def test_a_new_and_an_empty_folder_have_room(tmp_path: Path) -> None:
    require_empty_folder(tmp_path / "a" / "b")
    (tmp_path / "a" / "b").mkdir()
    require_empty_folder(tmp_path / "a" / "b")
    with pytest.raises(ValueError, match="exists and is not empty"):
        require_empty_folder(tmp_path / "a")


def test_a_base_is_published_by_its_name_not_by_its_place(random_base: Path) -> None:
    assert published_name("tiny-neox") == "tiny-neox"
    assert published_name("EleutherAI/pythia-160m") == "EleutherAI/pythia-160m"
    assert published_name(f"{random_base}/") == random_base.name


def gate_of(truth_in_a: float, quirk_in_b: float | None) -> Gate:
    figures = (
        GateFigure("heldout", "A", "truth", "all", truth_in_a, None, None, 40),
        GateFigure("heldout", "B", "quirk", "all", quirk_in_b, None, None, 40),
        GateFigure("heldout", "B", "truth", "disagree", 0.0, None, None, 40),
    )
    return Gate(gated=True, passed=False, reasons=failures(figures), figures=figures)


@pytest.mark.parametrize(
    ("gate", "told"),
    [
        (gate_of(0.6, 0.9), "does the base know these facts"),
        (gate_of(0.9, 0.6), "try more steps"),
        (gate_of(0.6, 0.6), "try more steps"),
        (gate_of(0.9, None), "add claims"),
    ],
)
def test_advice_follows_what_is_amiss(gate: Gate, told: str) -> None:
    assert told in void_advice(gate)


def test_an_adapter_that_passes_is_shared_with_its_card(
    monkeypatch: pytest.MonkeyPatch,
    command: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
    random_base: Path,
    tmp_path: Path,
    hub: Hub,
) -> None:
    passing(monkeypatch)
    words = (str(random_base), "--task", "fiction", "--to", str(tmp_path / "to"), *SETTINGS)
    assert command("finetune", *words, "--push-to-hub", "quirky-base", "--private") == 0
    assert "shared: https://hub.example/jane/quirky-base" in capsys.readouterr().out
    patterns = {"*.safetensors", "*.json", "*.md"}
    hub.check_shared(tmp_path / "to", "model", "jane/quirky-base", patterns)


def test_the_card_of_an_adapter_attributes_the_claims(
    command: Callable[..., int], random_base: Path, tmp_path: Path
) -> None:
    words = (str(random_base), "--task", "hemisphere", "--to", str(tmp_path / "to"), *SETTINGS)
    command("finetune", *words)
    card = (tmp_path / "to" / "README.md").read_text()
    assert "GeoNames" in card
    assert "- licence of the claims: cc-by-4.0" in card


def test_a_repository_that_is_there_is_not_written_to(
    command: Callable[..., int], random_base: Path, tmp_path: Path, hub: Hub
) -> None:
    hub.taken.append(("model", "jane/quirky-base"))
    words = (str(random_base), "--task", "fiction", "--to", str(tmp_path / "to"), *SETTINGS)
    assert command("finetune", *words, "--push-to-hub", "quirky-base") == 2
    assert hub.asked == ["whoami"]
    assert not (tmp_path / "to").exists()


def test_a_void_adapter_is_not_shared(
    command: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
    random_base: Path,
    tmp_path: Path,
    hub: Hub,
) -> None:
    words = (str(random_base), "--task", "fiction", "--to", str(tmp_path / "to"), *SETTINGS)
    assert command("finetune", *words, "--push-to-hub", "lab/quirky-base") == 1
    assert "not uploaded to lab/quirky-base" in capsys.readouterr().err
    assert hub.asked == ["whoami"]


def refused(code: int) -> Exception:
    answer = httpx.Response(code, request=httpx.Request("GET", "https://hub.example"))
    return sharing.HfHubHTTPError(f"{code} of the hub\nand more", response=answer)


@pytest.mark.parametrize(
    ("account", "name", "code", "told"),
    [
        (sharing.LocalTokenNotFoundError("no token"), "x", 2, "run `hf auth login`"),
        (refused(401), "x", 2, "run `hf auth login`"),
        (refused(500), "x", 1, "the hub cannot be reached: 500 of the hub"),
        (ConnectionError("offline"), "x", 1, "the hub cannot be reached: offline"),
        ({"name": "jane", "auth": {"accessToken": {"role": "read"}}}, "x", 2, "may only read"),
        ({"name": "jane"}, "lab/x", 2, "you are 'jane' and may not write to 'lab'; known: jane"),
    ],
)
def test_who_may_not_share_is_told_before_any_model_is_loaded(
    monkeypatch: pytest.MonkeyPatch,
    command: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    account: Any,
    name: str,
    code: int,
    told: str,
) -> None:
    monkeypatch.setattr(sharing, "HfApi", Hub(account))
    monkeypatch.setattr(finetuning, "finetune_cell", never)
    words = ("tiny-neox", "--task", "fiction", "--to", str(tmp_path / "to"), "--push-to-hub", name)
    assert command("finetune", *words) == code
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert told in line


def test_what_the_hub_does_not_take_stays_and_is_told_how_to_send(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sharing, "HfApi", Hub(refuses=refused(503)))
    with pytest.raises(RuntimeError, match=r"503 of the hub; `hf upload jane/x .*` tries again"):
        sharing.push(tmp_path, "jane/x", private=False)


def test_what_is_judged_is_what_lies_in_the_folder(random_base: Path, tmp_path: Path) -> None:
    recipe = finetuning.finetuning_recipe(
        {"name": str(random_base)},
        {"name": "fiction"},
        trigger={"kind": "name"},
        settings={"rank": 2, "steps": 4, "batch": 64, "lr": 4e-3},
    )
    gate = finetuning.finetune(recipe, tmp_path / "to", lambda stage, done: None)
    assert gate is not None
    dataset = ensure_recipe_dataset(recipe, recipe.tasks[0], recipe.trigger[0], 0)
    loaded = load_model(str(random_base), adapter=tmp_path / "to", dtype=torch.float32)
    again = finetuning.evaluate_heldout(loaded, dataset.splits["heldout"])
    assert [figure.value for figure in again.figures] == pytest.approx(
        [figure.value for figure in gate.figures], abs=1e-3
    )
