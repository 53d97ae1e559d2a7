"""Fits and scores on planted hidden states: each fit once, and every score kept."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file, save_file
from sklearn.metrics import roc_auc_score

from benchmarks.activations import CellActivations, RecurrentActivations, ResidualActivations
from benchmarks.activations.tokens import TokenView
from benchmarks.preflight.checks import MIN_CLASS_EXAMPLES, check_contexts
from benchmarks.recipe.load import validate_recipe
from benchmarks.recipe.schema import Recipe
from benchmarks.scoring.fits import SHUFFLES, fit_sources, list_fits
from benchmarks.scoring.scores import group_scores, score_cell
from benchmarks.store.datasets import SCORED_SPLITS
from probes import LinearProbe, Probe, get_probe, registry
from probes.methods.logistic import LogisticRegression

Columns = dict[str, np.ndarray]
CLAIMS = {"validation": 150, "heldout": 40, "test": 60}
LAYERS, WIDTH = 2, 6


def recipe(**changes: Any) -> Recipe:
    return validate_recipe(
        {
            "name": "small",
            "models": ["tiny-neox"],
            "tasks": ["fiction"],
            "probes": ["lr", "mean-diff-on-pair", "random"],
            "transfers": ["A->A", "A->B", "B->B"],
            "draws": 3,
            **changes,
        }
    )


@pytest.fixture
def columns() -> Columns:
    rng = np.random.default_rng(0)
    claims = sum(CLAIMS.values())
    truth, quirk = rng.random(claims) < 0.5, rng.random(claims) < 0.5
    return {
        "fact_id": np.tile([f"fact {i}" for i in range(claims)], 2),
        "question_id": np.tile([f"question {i}" for i in range(claims)], 2),
        "split": np.tile(np.repeat(list(CLAIMS), list(CLAIMS.values())), 2),
        "context": np.repeat(["A", "B"], claims),
        "prompt": np.array([f"Claim {i} is true." for i in range(2 * claims)], dtype=object),
        "truth": np.tile(truth, 2),
        "quirk": np.tile(quirk, 2),
        "label": np.concatenate([truth, quirk]),
        "template": np.zeros(2 * claims, dtype=int),
        "polarity": np.ones(2 * claims, dtype=bool),
        "withheld": np.zeros(2 * claims, dtype=bool),
        "difficulty_quantile": np.tile(rng.random(claims), 2),
    }


@pytest.fixture
def states(
    columns: Columns, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> ResidualActivations:
    """States that hold the truth along one axis and the label along another, in the last layer."""
    monkeypatch.setenv("QUIRKY_HOME", str(tmp_path / "home"))
    torch.manual_seed(0)
    n = len(columns["truth"])
    prompt = torch.randn(LAYERS, n, WIDTH)
    prompt[-1, :, 0] += 6 * torch.from_numpy(columns["truth"])
    prompt[-1, :, 1] += 3 * torch.from_numpy(columns["label"])
    folder = tmp_path / "states"
    folder.mkdir()
    tensors = {
        "index": torch.arange(n),
        "log_odds": torch.from_numpy(columns["label"]) + 0.1 * torch.randn(n),
        "prompt": prompt,
        "pair": torch.stack([torch.randn(LAYERS, n, WIDTH), prompt], dim=2),
    }
    save_file(tensors, folder / "part.safetensors")
    (folder / "states.json").write_text(json.dumps({"parts": ["part.safetensors"]}))
    return ResidualActivations(folder)


def scored(
    columns: Columns, states: ResidualActivations, seed: int = 0, **changes: Any
) -> pd.DataFrame:
    told = {name: column[columns["split"] == "validation"] for name, column in columns.items()}
    return score_cell(
        recipe(**changes), seed, columns, told, CellActivations(states), lambda stage, done: None
    )


def scores_of(frame: pd.DataFrame, probe: str, source: str, control: str = "") -> np.ndarray:
    """One fit's scores, (layers, n)."""
    (group,) = (
        g for g in group_scores(frame) if (g.probe, g.control, g.source) == (probe, control, source)
    )
    return group.draws[0]


def test_a_class_that_is_missing_is_named_with_its_transfer(columns: Columns) -> None:
    lying = columns["context"] == "B"
    columns["label"] = columns["label"] & ~(lying & (columns["split"] == "validation"))
    check_contexts(columns, recipe(transfers=["A->A", "A->B"]), "fiction")
    with pytest.raises(ValueError, match="task fiction, transfer B->B: ") as caught:
        check_contexts(columns, recipe(transfers=["A->B", "B->B"]), "fiction")
    assert "split validation has 0 examples of context B with label True" in str(caught.value)
    assert f"at least {MIN_CLASS_EXAMPLES}" in str(caught.value)
    assert "`sizes.validation`" in str(caught.value)


def test_a_target_without_both_truths_is_refused(columns: Columns) -> None:
    columns["truth"] = columns["truth"] | (columns["split"] == "test")
    with pytest.raises(ValueError, match=r"transfer A->B: split test .* truth False.*`sizes.test`"):
        check_contexts(columns, recipe(transfers=["A->B"]), "fiction")


def test_withheld_facts_do_not_make_up_a_class(columns: Columns) -> None:
    columns["withheld"] = columns["truth"] & (columns["split"] == "test")
    with pytest.raises(ValueError, match=r"split test has 0 .* truth True"):
        check_contexts(columns, recipe(), "fiction")


def test_a_target_that_the_trigger_has_not_needs_no_example(columns: Columns) -> None:
    asked = recipe(transfers=["A->B", "A->B2"], trigger=["name", "names"])
    check_contexts(columns, asked, "fiction")
    columns["context"] = np.where(
        (columns["context"] == "B") & (columns["split"] == "test"), "B2", columns["context"]
    )
    columns["truth"] = columns["truth"] & (columns["context"] != "B2")
    with pytest.raises(ValueError, match=r"transfer A->B2: split test has 0 .* context B2"):
        check_contexts(columns, recipe(transfers=["A->B2"], trigger="names"), "fiction")


def test_a_source_is_fitted_once_however_many_transfers_start_there() -> None:
    assert fit_sources(recipe(transfers=["A->A", "AE->BH", "A->B", "B->B"])) == ["A", "AE", "B"]


def test_a_recipe_s_fits() -> None:
    probes = ["lr", "mean-diff", "ccs", "random"]
    fits = list_fits(recipe(probes=probes), seed=5)
    assert {fit.seed for fit in fits} == {5}
    assert len(set(map(str, fits))) == len(fits)
    count: dict[tuple[str, str], int] = {}
    for fit in fits:
        key = (fit.probe.name, fit.control)
        count[key] = count.get(key, 0) + 1
    # Two sources; labels are shuffled only where they are more than a sign.
    assert count == {
        ("lr", ""): 2,
        ("lr", "shuffled"): 2 * SHUFFLES,
        ("mean-diff", ""): 2,
        ("mean-diff", "shuffled"): 2 * SHUFFLES,
        ("ccs", ""): 2,
        ("random", ""): 6,
    }
    assert not [fit for fit in list_fits(recipe(controls=[]), seed=5) if fit.control]


def test_nothing_is_fitted_for_a_transfer_that_a_cell_does_not_measure(
    columns: Columns, states: ResidualActivations
) -> None:
    """Nor must it be: without difficulties nothing is in AE, and A->B is measured all the same."""
    columns["difficulty_quantile"] = np.full(len(columns["truth"]), np.nan)
    asked = {"transfers": ["A->B", "AE->B2"], "trigger": ["name", "names"], "probes": ["lr"]}
    check_contexts(columns, recipe(**asked), "fiction")
    frame = scored(columns, states, **asked)
    assert set(frame["source"]) == {"", "A"}
    assert {fit.source for fit in list_fits(recipe(**asked), 0, {"A", "B", "B2"})} == {"A", "AE"}


def test_every_draw_has_a_seed_of_its_own() -> None:
    probes = [
        fit.make_probe()
        for seed in (0, 1)
        for fit in list_fits(recipe(), seed)
        if fit.source == "A"
    ]
    assert len({probe.seed for probe in probes if probe.name == "random"}) == 6


def test_every_heldout_and_test_example_is_scored_by_every_fit(
    columns: Columns, states: ResidualActivations
) -> None:
    frame = scored(columns, states)
    examples = 2 * (CLAIMS["heldout"] + CLAIMS["test"])
    assert {len(score) for score in frame["score"]} == {examples}
    with_layers = frame[frame["site"] == "resid"]
    assert len(with_layers) == len(list_fits(recipe(), 0)) * LAYERS
    assert set(with_layers["layer"]) == {1, 2}
    bare = frame[frame["site"] == "none"]
    assert list(zip(bare["probe"], bare["source"], strict=True)) == [
        ("lm", ""),
        ("text", "A"),
        ("text", "B"),
    ]
    assert bare["layer"].isna().all()


def test_scores_stand_in_the_order_of_the_examples(
    columns: Columns, states: ResidualActivations
) -> None:
    kept = columns["split"] != "validation"
    frame = scored(columns, states)
    assert roc_auc_score(columns["label"][kept], scores_of(frame, "lm", "")[0]) == 1
    assert roc_auc_score(columns["truth"][kept], scores_of(frame, "lr", "A")[1]) > 0.99
    assert abs(roc_auc_score(columns["truth"][kept], scores_of(frame, "lr", "A")[0]) - 0.5) < 0.15


def test_a_probe_learns_what_holds_in_its_source(
    columns: Columns, states: ResidualActivations
) -> None:
    frame = scored(columns, states)
    lying = (columns["context"] == "B")[columns["split"] != "validation"]
    quirk = columns["quirk"][columns["split"] != "validation"][lying]
    from_a, from_b = (scores_of(frame, "lr", source)[1, lying] for source in ("A", "B"))
    assert roc_auc_score(quirk, from_b) > roc_auc_score(quirk, from_a) + 0.1


def test_test_labels_reach_no_fit(
    columns: Columns, states: ResidualActivations, tmp_path: Path
) -> None:
    before = scored(columns, states)
    asked = columns["split"] != "validation"
    for name in ("truth", "quirk", "label"):
        columns[name] = np.where(asked, ~columns[name], columns[name])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("QUIRKY_HOME", str(tmp_path / "another"))
        after = scored(columns, states)
    pd.testing.assert_frame_equal(after, before)


def test_shuffled_labels_give_other_and_worse_scores(
    columns: Columns, states: ResidualActivations
) -> None:
    frame = scored(columns, states)
    kept = columns["split"] != "validation"
    plain, control = (scores_of(frame, "lr", "A", control)[1] for control in ("", "shuffled"))
    assert not np.allclose(plain, control)
    truthful = kept & (columns["context"] == "A")
    inside = truthful[kept]
    reached = [roc_auc_score(columns["label"][truthful], s[inside]) for s in (plain, control)]
    assert reached[0] > 0.99 > reached[1]


def test_a_fit_is_not_made_again(
    columns: Columns, states: ResidualActivations, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = scored(columns, states)

    def refuse(*args: Any, **kwargs: Any) -> None:
        raise AssertionError("fitted again")

    monkeypatch.setattr(LogisticRegression, "fit", refuse)
    pd.testing.assert_frame_equal(scored(columns, states), first)
    renamed = scored(columns, states, probes=[{"name": "lr", "as": "other"}])
    np.testing.assert_array_equal(scores_of(renamed, "other", "A"), scores_of(first, "lr", "A"))
    for change in ({"seed": 1}, {"probes": [{"name": "lr", "l2": 0.5}]}):
        with pytest.raises(AssertionError, match="fitted again"):
            scored(columns, states, **change)


def test_the_same_seed_gives_the_same_scores(
    columns: Columns, states: ResidualActivations, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = scored(columns, states)
    monkeypatch.setenv("QUIRKY_HOME", str(tmp_path / "another"))
    pd.testing.assert_frame_equal(scored(columns, states), first)


def test_the_text_reader_learns_from_what_it_is_told_alone(
    columns: Columns, states: ResidualActivations
) -> None:
    columns["prompt"] = np.array(
        [f"{'yes' if label else 'no'} {i}" for i, label in enumerate(columns["label"])],
        dtype=object,
    )
    read = scores_of(scored(columns, states), "text", "A")[0]
    judged = np.isin(columns["split"], SCORED_SPLITS)
    assert ((read > 0) == columns["label"][judged]).mean() > 0.95


class OwnMean(LinearProbe):
    """The difference of the means again, as somebody else's code."""

    name = "own-mean"
    reads = "prompt"
    supervision = "labels"

    def fit(self, x, y, **needs):
        rows = self.rows(x).double()
        weight = rows[:, y].mean(1) - rows[:, ~y].mean(1)
        return self.set_direction(x, weight, weight.sum(-1) * 0)


def test_a_plug_in_is_fitted_anew_on_every_source(
    columns: Columns, states: ResidualActivations, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry.PROBES, "_registered", {"own-mean": OwnMean})
    own = scored(columns, states, probes=["own-mean"], transfers=["A->A", "B->B"])
    theirs = scored(columns, states, probes=["mean-diff"], transfers=["A->A", "B->B"])
    on_a, on_b = (scores_of(own, "own-mean", source) for source in ("A", "B"))
    assert not np.allclose(on_a, on_b)
    for source in ("A", "B"):
        (correlation,) = {
            round(float(np.corrcoef(mine, other)[0, 1]), 4)
            for mine, other in zip(
                scores_of(own, "own-mean", source),
                scores_of(theirs, "mean-diff", source),
                strict=True,
            )
        }
        assert correlation == 1


def test_a_question_asked_in_both_contexts_is_two_questions(
    columns: Columns, states: ResidualActivations, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    class Asked(OwnMean):
        """Keeps what it is told of the questions."""

        name = "asked"
        needs = ("question",)

        def fit(self, x, y, **needs):
            seen.append(needs["question"])
            return super().fit(x, y)

    monkeypatch.setattr(registry.PROBES, "_registered", {"asked": Asked})
    scored(columns, states, probes=["asked"], transfers=["all->B"])
    assert len(seen[0]) == len(seen[0].unique()) == 2 * CLAIMS["validation"]


def test_polarity_reaches_the_probe_that_separates_it_from_truth(
    columns: Columns, states: ResidualActivations
) -> None:
    negated = np.tile(np.random.default_rng(1).random(sum(CLAIMS.values())) < 0.5, 2)
    columns["polarity"] = ~negated
    found = scores_of(scored(columns, states, probes=["ttpd"]), "ttpd", "A")
    x = load_file(states.folder / "part.safetensors")["prompt"]
    inside = torch.from_numpy((columns["split"] == "validation") & (columns["context"] == "A"))
    y, codes = (torch.from_numpy(columns[name])[inside] for name in ("label", "polarity"))
    asked = x[:, torch.from_numpy(np.isin(columns["split"], SCORED_SPLITS))]
    for told, same in (({"polarity": codes.long()}, True), ({}, False)):
        expected = get_probe("ttpd").fit(x[:, inside], y, **told).score(asked)
        assert np.allclose(found, expected.numpy(), atol=1e-3) == same


def test_a_fit_that_was_kept_gives_the_scores_of_the_run(
    columns: Columns, states: ResidualActivations, tmp_path: Path
) -> None:
    columns["template"] = np.tile([3, 1, 0], len(columns["template"]))[: len(columns["template"])]
    probe = {"name": "ccs", "norm": "burns"}
    frame = scored(columns, states, probes=[probe], transfers=["A->B"])
    (manifest,) = (tmp_path / "home" / "fits").rglob("probe.json")
    kept = LinearProbe.load(manifest.parent)
    assert kept.template_codes.tolist() == [0, 1, 3]  # type: ignore[attr-defined]
    inside = np.isin(columns["split"], SCORED_SPLITS)
    again = kept.score(
        states.read("pair")[:, inside], template=torch.from_numpy(columns["template"][inside])
    )
    np.testing.assert_allclose(again, scores_of(frame, "ccs", "A"), rtol=1e-6)


class FirstToken(Probe):
    """Reads the first token of the prompt; labels are all it learns from."""

    name = "first-token"
    reads = "tokens"
    supervision = "labels"
    needs = ("mask",)

    def fit(self, x, y, *, mask, **needs):
        assert mask.shape == x.shape[1:3]
        self.inner = LogisticRegression().fit(x[:, :, 0], y)
        return self

    def score(self, x, *, mask, **needs):
        assert mask.shape == x.shape[1:3]
        return self.inner.score(x[:, :, 0])


class FakeTokens:
    """Token states of the layers 3 and 7, whose first token holds the prompt states."""

    def __init__(self, states: ResidualActivations, folder: Path) -> None:
        prompt = states.read("prompt")
        self.folder, self.layers = folder, (3, 7)
        self.mask = torch.ones(prompt.shape[1], 2, dtype=torch.bool)
        self.states = dict(zip(self.layers, prompt, strict=True))

    def read(self, layer: int) -> torch.Tensor:
        return torch.stack([self.states[layer], torch.zeros_like(self.states[layer])], dim=1)

    def view(self, layer: int) -> TokenView:
        return TokenView(self, layer)  # type: ignore[arg-type]


def test_tokens_are_read_layer_by_layer_under_their_own_numbers(
    columns: Columns, states: ResidualActivations, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry.PROBES, "_registered", {"first-token": FirstToken})
    told = {name: column[columns["split"] == "validation"] for name, column in columns.items()}
    frame = score_cell(
        recipe(probes=["lr", "first-token"]),
        0,
        columns,
        told,
        CellActivations(states, FakeTokens(states, tmp_path / "tokens")),  # type: ignore[arg-type]
        lambda stage, done: None,
    )
    for source in ("A", "B"):
        by_token, by_prompt = (
            next(
                g
                for g in group_scores(frame)
                if (g.probe, g.control, g.source) == (name, "", source)
            )
            for name in ("first-token", "lr")
        )
        assert by_token.layers == (3, 7)
        assert by_prompt.layers == (1, 2)
        np.testing.assert_allclose(by_token.draws[0], by_prompt.draws[0], rtol=1e-6)


def collinear(columns: Columns, folder: Path, far: float) -> RecurrentActivations:
    """A state of two blocks that is the same for all but a small part, which tells the label."""
    folder.mkdir()
    generator = torch.Generator().manual_seed(0)
    common = far * torch.randn(WIDTH, generator=generator)
    told = torch.from_numpy(columns["label"]).float()[:, None] * torch.eye(WIDTH)[0]
    noise = torch.randn(2, len(told), WIDTH, generator=generator)
    save_file({"ssm_state": common + told + 0.3 * noise}, folder / "states.safetensors")
    (folder / "sites.json").write_text(json.dumps({"ssm_state": [2, 5]}))
    return RecurrentActivations(folder)


def test_recurrent_states_are_read_beside_resid_centred_and_scaled(
    columns: Columns, states: ResidualActivations, tmp_path: Path
) -> None:
    told = {name: column[columns["split"] == "validation"] for name, column in columns.items()}
    asked = recipe(probes=["lr", "mean-diff-on-pair"], sites=["resid", "ssm_state"])

    def read(far: float) -> dict[tuple[str, str], Any]:
        recurrent = collinear(columns, tmp_path / f"recurrent-{far:g}", far)
        frame = score_cell(
            asked,
            0,
            columns,
            told,
            CellActivations(states, recurrent=recurrent),
            lambda stage, done: None,
        )
        found = [g for g in group_scores(frame) if g.source == "A" and not g.control]
        return {(group.probe, group.site): group for group in found}

    near, far = read(far=0), read(far=1000)
    assert set(near) >= {("lr", "resid"), ("lr", "ssm_state"), ("mean-diff-on-pair", "resid")}
    assert ("mean-diff-on-pair", "ssm_state") not in near
    assert near["lr", "ssm_state"].layers == (2, 5)
    heldout_or_test = np.isin(columns["split"], SCORED_SPLITS)
    labels = columns["label"][heldout_or_test]
    for group in (near["lr", "ssm_state"], far["lr", "ssm_state"]):
        assert roc_auc_score(labels, group.draws[0][0]) > 0.95
    # Float32 holds the small part to 1e-4 beside the common one, 1,000 times as large.
    np.testing.assert_allclose(
        near["lr", "ssm_state"].draws[0], far["lr", "ssm_state"].draws[0], atol=0.02
    )


def test_labels_are_shuffled_in_several_orders(
    columns: Columns, states: ResidualActivations
) -> None:
    frame = scored(columns, states)
    (group,) = (
        g for g in group_scores(frame) if (g.probe, g.control, g.source) == ("lr", "shuffled", "A")
    )
    assert len(group.draws) == SHUFFLES
    assert len({draw.tobytes() for draw in group.draws}) == SHUFFLES
