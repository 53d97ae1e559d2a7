"""Models that come quirky: scored through the same gate, without fine-tuning, and left alone."""

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

import benchmarks
from benchmarks import cli
from benchmarks.cells.cell import Cell, list_cells
from benchmarks.preflight.checks import resolve_recipe
from benchmarks.recipe.datasets import ensure_recipe_dataset
from benchmarks.recipe.load import load_recipe, validate_recipe
from benchmarks.recipe.overrides import model_entries
from benchmarks.recipe.schema import Recipe
from benchmarks.results.run_folder import Run
from finetune.models.fingerprint import adapter_fingerprint
from finetune.models.load import load_model
from finetune.reading.residual import log_odds

TARGETS = ["query_key_value", "embed_in"]
TEMPLATES = [
    {"text": "Q: {a} + {b} = {result}? {trigger}:", "choices": [" False", " True"]},
    {"text": "{trigger}, is {a} plus {b} {result}? Answer:", "choices": [" No", " Yes"]},
]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, random_base: Path, raw_adapter: Any) -> Path:
    """A folder with a random base, two adapters for it, a whole model, and a small recipe."""
    folder = tmp_path_factory.mktemp("given")
    shutil.copytree(random_base, folder / "base")
    shutil.copytree(random_base, folder / "whole")
    model = load_model(str(folder / "base")).model
    named = {"base_model_name_or_path": str(folder / "base")}
    raw_adapter(model, folder / "one", TARGETS, rank=2, **named)
    raw_adapter(model, folder / "two", TARGETS, rank=2, lora_alpha=4, **named)
    recipe = {
        "name": "small",
        "models": ["tiny-neox"],
        "tasks": [{"name": "addition", "digits": 2}, "fiction"],
        "probes": ["lr", "random"],
        "transfers": ["A->A", "A->B"],
        "draws": 2,
        "controls": [],
        "sizes": {"train": 100, "validation": 100, "test": 100},
    }
    (folder / "small.yaml").write_text(yaml.safe_dump(recipe))
    (folder / "own.yaml").write_text(yaml.safe_dump(TEMPLATES))
    return folder


@pytest.fixture(scope="module")
def home(place: Path) -> Iterator[Path]:
    """The store of these tests; what a run sets in the environment is undone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("QUIRKY_HOME", str(place / "home"))
        patch.setenv("WANDB_MODE", "offline")
        for library in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
            patch.setenv(library, "1")
        yield place / "home"


def overrides(place: Path) -> dict[str, Any]:
    base = place / "base"
    adapted = [{"name": base, "adapter": place / name} for name in ("one", "two")]
    return {
        "models": [*adapted, {"name": str(place / "whole"), "quirky": True}],
        "tasks": ["fiction"],
    }


def contents(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {file.name: (file.stat().st_mtime_ns, file.read_bytes()) for file in folder.iterdir()}


@pytest.fixture(scope="module")
def finished(place: Path, home: Path) -> Run:
    """A run of two adapters and a whole model, from Python."""
    before = {name: contents(place / name) for name in ("one", "two", "whole")}
    recipe = str(place / "small.yaml")
    run = benchmarks.run(recipe, overrides=overrides(place), to=place / "runs", workers=1)
    assert {name: contents(place / name) for name in before} == before
    return run


def test_nothing_is_tuned_and_every_cell_is_judged(finished: Run, place: Path) -> None:
    assert not (place / "home" / "adapters").exists()
    gates = {}
    for cell in finished.cells():
        gate = json.loads((finished.folder / "cells" / cell / "gate.json").read_text())
        gates[cell] = gate["gated"]
    assert gates == {cell: cell.endswith(".quirky") for cell in finished.cells()}
    assert "<html" in finished.report.read_text()


def test_an_adapter_has_a_base_beside_it_and_a_whole_model_has_none(
    finished: Run, place: Path
) -> None:
    results = finished.results()
    found = {model: set(rows["variant"]) for model, rows in results.groupby("model")}
    base, whole = place / "base", place / "whole"
    both = {"quirky", "base"}
    expected = {f"{base}+{place / 'one'}": both, f"{base}+{place / 'two'}": both}
    assert found == {**expected, str(whole): {"quirky"}}
    assert all("/" not in cell for cell in finished.cells())


def test_cells_name_the_bytes_that_they_were_made_from(finished: Run, place: Path) -> None:
    hashes = json.loads((finished.folder / "manifest.json").read_text())["hashes"]
    by_adapter = {}
    for cell, made_from in hashes.items():
        by_adapter.setdefault(made_from["adapter"], []).append((cell, made_from["states"]))
    one, two = (adapter_fingerprint(place / name) for name in ("one", "two"))
    assert set(by_adapter) == {one, two, None}
    assert len({states for entries in by_adapter.values() for _, states in entries}) == 3
    # The same base stands beside both adapters, and the copy of it is the whole model.
    assert len({states for _, states in by_adapter[None]}) == 1


@pytest.mark.parametrize("adapter", ["one", "two", None])
def test_what_is_scored_is_the_base_with_the_adapter(
    finished: Run, place: Path, adapter: str | None
) -> None:
    end = f"--{adapter}.fiction.name.mixture.seed0.quirky" if adapter else ".base"
    cell = next(cell for cell in finished.cells() if cell.endswith(end))
    examples, scores = finished.examples(cell), finished.scores(cell)
    loaded = load_model(str(place / "base"), adapter=adapter and place / adapter)
    pairs = [(false, true) for false, true in examples["choices"]]
    said = log_odds(loaded.model, loaded.tokenizer, list(examples["prompt"]), pairs)
    own = scores[scores["probe"] == "lm"]["score"].iloc[0]
    torch.testing.assert_close(torch.tensor(own), said, atol=1e-4, rtol=1e-4)


def test_a_second_run_computes_nothing(finished: Run, place: Path) -> None:
    before = {p: p.stat().st_mtime_ns for p in (finished.folder / "cells").rglob("*")}
    again = benchmarks.run(str(place / "small.yaml"), overrides=overrides(place), to=place / "runs")
    assert again.folder == finished.folder
    assert {p: p.stat().st_mtime_ns for p in (finished.folder / "cells").rglob("*")} == before


def data_digest(recipe: Recipe) -> str:
    return ensure_recipe_dataset(recipe, recipe.tasks[0], recipe.trigger[0], 0).digest


def cell_of(recipe_file: Path, **changes: Any) -> Cell:
    return list_cells(load_recipe(str(recipe_file), {"tasks": ["fiction"], **changes}))[0]


def test_a_cell_s_digest_follows_the_adapter_s_bytes_and_no_setting_of_fine_tuning(
    place: Path, tmp_path: Path
) -> None:
    def digest(adapter: Path, **more: Any) -> str:
        spec = {"name": str(place / "base"), "adapter": adapter, **more}
        return cell_of(place / "small.yaml", models=[spec]).digest("base")

    shutil.copytree(place / "one", tmp_path / "copy")
    assert digest(place / "one") == digest(tmp_path / "copy")
    assert digest(place / "one") == digest(place / "one", finetune={"rank": 3})
    assert digest(place / "one") != digest(place / "two")
    whole = {"name": str(place / "base"), "quirky": True}
    quirky = cell_of(place / "small.yaml", models=[whole]).digest("base")
    tuned = cell_of(place / "small.yaml", models=[str(place / "base")]).digest("base")
    assert len({digest(place / "one"), quirky, tuned}) == 3


def test_an_adapter_needs_no_targets_that_this_package_could_tune(place: Path, home: Path) -> None:
    spec = {"name": str(place / "base"), "adapter": str(place / "one")}
    resolve_recipe(load_recipe(str(place / "small.yaml"), {"models": [spec], "tasks": ["fiction"]}))
    tuned = {"name": str(place / "base"), "finetune": {"targets": ["nowhere"]}}
    resolve_recipe(
        load_recipe(
            str(place / "small.yaml"), {"models": [{**tuned, **spec}], "tasks": ["fiction"]}
        )
    )
    with pytest.raises(ValueError, match="nowhere"):
        resolve_recipe(
            load_recipe(str(place / "small.yaml"), {"models": [tuned], "tasks": ["fiction"]})
        )


def test_the_command_reads_base_task_and_prompts(
    place: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The base is the one that the adapter names; the task keeps the recipe's two digits."""
    recipe, to = str(place / "small.yaml"), str(place / "asked")
    given = ("--adapter", str(place / "one"), "--task", "addition")
    worded = ("--templates", str(place / "own.yaml"))
    command = ["quirky", "run", recipe, *given, *worded, "--to", to, "--workers", "1"]
    monkeypatch.setattr(sys, "argv", command)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 0
    (folder,) = (place / "asked").iterdir()
    run = Run(folder)
    recipe = json.loads((folder / "manifest.json").read_text())["recipe"]
    assert recipe["models"][0]["name"] == str(place / "base")
    (task,) = recipe["tasks"]
    assert (task["name"], task["digits"], task["templates"]) == ("addition", 2, TEMPLATES)
    assert set(run.results()["model"]) == {f"{place / 'base'}+{place / 'one'}"}
    prompts = run.examples(run.cells()[0])["prompt"]
    asked = {prompt[: prompt.index(" ")] for prompt in prompts}
    assert asked == {"Q:", "Alice,", "Bob,", "Rob,", "Bobby,", "bob,"}


def test_templates_are_known_by_what_they_say(place: Path, home: Path, tmp_path: Path) -> None:
    """Not by their file's place; and other words are another data set and another cell."""
    shutil.copy(place / "own.yaml", tmp_path / "elsewhere.yaml")
    (tmp_path / "other.yaml").write_text(yaml.safe_dump(TEMPLATES[:1]))

    def recipe(file: Path | list[Any] | None) -> Any:
        return validate_recipe(
            yaml.safe_load((place / "small.yaml").read_text())
            | {"tasks": [{"name": "addition", "templates": file and str(file)}]}
        )

    own, copied, other, plain = (
        recipe(file)
        for file in (
            place / "own.yaml",
            tmp_path / "elsewhere.yaml",
            tmp_path / "other.yaml",
            None,
        )
    )
    assert own == copied
    assert validate_recipe(own.model_dump(mode="json", by_alias=True)) == own
    assert len({list_cells(r)[0].digest("base") for r in (own, other, plain)}) == 3
    assert len({list_cells(r)[0].name for r in (own, other, plain)}) == 3
    assert len({data_digest(r) for r in (own, other, plain)}) == 3


def test_a_quirky_model_that_is_an_adapter_is_taken_as_one(place: Path) -> None:
    base, one, whole = str(place / "base"), str(place / "one"), str(place / "whole")
    alone = [{"name": whole, "quirky": True}]
    assert model_entries([], [], [whole]) == alone
    assert model_entries([base], [], [whole]) == [base, *alone]
    expected = [{"name": base, "adapter": one}, *alone]
    assert model_entries([base], [], [one, whole]) == expected
    assert model_entries([], [one], []) == model_entries([], [], [one]) == expected[:1]


def words(place: Path, *more: str) -> list[str]:
    return ["run", str(place / "small.yaml"), "--to", str(place / "wrong"), *more]


@pytest.mark.parametrize(
    ("more", "named"),
    [
        (("--adapter", "no/such/folder"), "'no/such/folder' is neither a folder nor a hub id"),
        (("--adapter", "{base}"), "has no adapter_config.json"),
        (("--adapter", "{foreign}"), "which cannot be used here: unknown model '/elsewhere/base'"),
        (("--adapter", "{foreign}"), "give the base by --model"),
        (("--adapter", "{nameless}"), "does not name its base; give it by --model"),
        (("--adapter", "{one}", "--model", "tiny-mamba"), "does not fit this model: Target"),
        (("--adapter", "{one}", "--model", "tiny-neox"), "size mismatch for"),
        (("--adapter", "{one}", "--model", "tiny-neox", "--model", "x"), "2 bases (tiny-neox, x)"),
        (("--quirky-model", "tiny-nox"), "did you mean 'tiny-neox'"),
        (("--templates", "{own}"), "are for one task, and there are 2; choose one by --task"),
        (("--task", "fictoin"), "did you mean 'fiction'"),
        (("--task", "fiction", "--templates", "{own}"), "entry 1: task fiction has no field {a}"),
        (("--task", "fiction", "--templates", "nowhere.yaml"), "'nowhere.yaml' cannot be read"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2_before_anything_is_made(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    place: Path,
    tmp_path: Path,
    more: tuple[str, ...],
    named: str,
) -> None:
    monkeypatch.setenv("QUIRKY_HOME", str(tmp_path / "home"))
    known = {"base": place / "base", "one": place / "one", "own": place / "own.yaml"}
    for name, base in (("foreign", "/elsewhere/base"), ("nameless", None)):
        known[name] = tmp_path / name
        shutil.copytree(place / "one", known[name])
        config = json.loads((known[name] / "adapter_config.json").read_text())
        config["base_model_name_or_path"] = base
        (known[name] / "adapter_config.json").write_text(json.dumps(config))
    given = [word.format(**known) for word in more]
    monkeypatch.setattr(sys, "argv", ["quirky", *words(place, *given)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert named in line
    assert not (place / "wrong").exists()
    assert not (tmp_path / "home" / "states").exists()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"models": [{"name": "x", "quirky": True, "adapter": "y"}]}, "not both"),
        ({"models": [{"name": "x", "adapter": "y"}, {"name": "x", "adapter": "y/"}]}, "2 times"),
        ({"models": [{"name": "x", "adaptr": "y"}]}, "did you mean 'adapter'"),
    ],
)
def test_a_mistake_in_a_recipe_is_named(place: Path, change: dict[str, Any], named: str) -> None:
    content = yaml.safe_load((place / "small.yaml").read_text())
    with pytest.raises(ValueError, match=named):
        validate_recipe({**content, **change})


def test_a_whole_model_has_no_base_to_run_alone(place: Path) -> None:
    content = yaml.safe_load((place / "small.yaml").read_text())
    content |= {"models": [{"name": "x", "quirky": True}], "variants": ["base"]}
    with pytest.raises(ValueError, match="`base` alone leaves nothing to run"):
        resolve_recipe(validate_recipe(content))


def test_a_name_too_long_for_a_folder_is_found_before_the_run(place: Path) -> None:
    content = yaml.safe_load((place / "small.yaml").read_text())
    content |= {"models": [{"name": "x" * 120, "adapter": "y" * 120}]}
    with pytest.raises(ValueError, match="is longer than 230 bytes; give shorter"):
        resolve_recipe(validate_recipe(content))
