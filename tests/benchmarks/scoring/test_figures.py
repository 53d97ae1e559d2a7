"""From scores to figures, on made-up readers of known content."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from benchmarks.cells.cell import list_cells
from benchmarks.recipe.load import validate_recipe
from benchmarks.recipe.schema import Recipe
from benchmarks.results.table import COLUMNS
from benchmarks.scoring.controls import shuffle_labels
from benchmarks.scoring.figures import compute_figures

Columns = dict[str, np.ndarray]
CLAIMS = 200
LAYERS = 3


def recipe(**changes: Any) -> Recipe:
    return validate_recipe(
        {
            "name": "small",
            "models": ["tiny-neox"],
            "tasks": ["fiction"],
            "probes": ["lr"],
            "transfers": ["A->A", "A->B", "B->B", "AE->BH"],
            "layer_rules": ["eil", "last", "middle", "ensemble"],
            **changes,
        }
    )


@pytest.fixture
def columns() -> Columns:
    """Claims asked in both contexts; a third held out, a tenth withheld."""
    rng = np.random.default_rng(0)
    truth, quirk = rng.random(CLAIMS) < 0.5, rng.random(CLAIMS) < 0.5
    number = np.arange(CLAIMS)
    return {
        "fact_id": np.tile([f"fact {i}" for i in number], 2),
        "split": np.tile(np.where(number % 3 == 0, "heldout", "test"), 2),
        "context": np.repeat(["A", "B"], CLAIMS),
        "truth": np.tile(truth, 2),
        "quirk": np.tile(quirk, 2),
        "label": np.concatenate([truth, quirk]),
        "withheld": np.tile(number % 10 == 0, 2),
        "difficulty_quantile": np.tile(rng.random(CLAIMS), 2),
    }


def noise(seed: int = 0, layers: int = LAYERS) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(layers, 2 * CLAIMS))


def reads(answers: np.ndarray, layers: int = LAYERS) -> np.ndarray:
    """Scores by layer that order these answers perfectly."""
    return answers + 0.1 * np.tanh(noise(7, layers))


def rows(
    probe: str, scores: np.ndarray, source: str = "A", draw: int = 0, control: str = ""
) -> pd.DataFrame:
    """One fit as `score_cell` returns it: a row a layer."""
    return pd.DataFrame(
        {
            "probe": probe,
            "draw": draw,
            "control": control,
            "source": source,
            "site": "resid",
            "layer": pd.array(range(1, len(scores) + 1), dtype="Int64"),
            "score": list(scores.astype(np.float32)),
        }
    )


def own(probe: str, score: np.ndarray, source: str = "") -> pd.DataFrame:
    """A reader without layers."""
    return (
        rows(probe, score[None], source).assign(site="none", layer=pd.NA).astype({"layer": "Int64"})
    )


def table(columns: Columns, *fits: pd.DataFrame, **changes: Any) -> pd.DataFrame:
    return compute_figures(recipe(**changes), columns, pd.concat(fits, ignore_index=True))


def one(results: pd.DataFrame, **where: Any) -> pd.Series:
    """The single row for A->B against the truth, by EIL, unless told otherwise."""
    usual = {"transfer": "A->B", "against": "truth", "layer_rule": "eil", "metric": "auroc"}
    for column, value in {**usual, **where}.items():
        results = results[results[column] == value]
    (row,) = (row for _, row in results.iterrows())
    return row


def test_a_table_has_the_columns_that_are_asked_of_it(columns: Columns) -> None:
    results = table(columns, rows("lr", noise()), own("lm", noise()[0]))
    assert (*list_cells(recipe())[0].columns(), *results) == COLUMNS


def test_on_disagreeing_examples_truth_reads_one_and_the_quirk_zero(columns: Columns) -> None:
    results = table(
        columns,
        rows("honest", reads(columns["truth"])),
        rows("liar", reads(columns["label"])),
    )
    for rule in ("eil", "last", "middle", "ensemble"):
        honest = one(results, probe="honest", subset="disagree", layer_rule=rule)
        liar = one(results, probe="liar", subset="disagree", layer_rule=rule)
        assert (honest["value"], liar["value"]) == (1, 0)
        against = one(results, probe="liar", subset="disagree", layer_rule=rule, against="quirk")
        assert against["value"] == 1
        for reader in ("honest", "liar"):
            assert one(results, probe=reader, subset="agree", layer_rule=rule)["value"] == 1
    assert one(results, probe="liar", transfer="A->A", subset="disagree")["value"] == 1


def test_a_fit_is_scored_in_the_transfers_of_its_source_only(columns: Columns) -> None:
    results = table(columns, rows("a", noise(1), "A"), rows("b", noise(2), "B"))
    assert set(results[results["probe"] == "a"]["transfer"]) == {"A->A", "A->B"}
    assert set(results[results["probe"] == "b"]["transfer"]) == {"B->B"}


def test_readers_without_layers_have_no_rule(columns: Columns) -> None:
    results = table(
        columns,
        own("lm", reads(columns["label"])[0]),
        own("text", noise(1)[0], source="A"),
        rows("lr", noise(2)),
    )
    bare = results[results["probe"].isin(["lm", "text"])]
    assert set(bare["layer_rule"]) == {"none"}
    assert bare["layer"].isna().all()
    assert set(results[results["probe"] == "lm"]["transfer"]) == set(recipe().transfers)
    assert one(results, probe="lm", layer_rule="none", subset="disagree")["value"] == 0


def test_every_value_is_scikit_learn_s(columns: Columns) -> None:
    scores = noise(3) + 0.5 * columns["truth"]
    results = table(columns, rows("lr", scores))
    test = (columns["split"] == "test") & ~columns["withheld"] & (columns["context"] == "B")
    disagree = columns["truth"] != columns["quirk"]
    for subset, part in (("all", test), ("disagree", test & disagree), ("agree", test & ~disagree)):
        for against in ("truth", "quirk"):
            for layer in range(LAYERS):
                each = results[results["layer"] == layer + 1]
                row = one(each, subset=subset, against=against, layer_rule="each")
                expected = roc_auc_score(columns[against][part], scores[layer, part])
                assert row["value"] == pytest.approx(expected)
                assert row["low"] <= row["value"] <= row["high"]
                assert row["n"] == part.sum()


def test_hard_examples_are_those_of_high_difficulty(columns: Columns) -> None:
    hard = columns["difficulty_quantile"] >= 0.75
    scores = reads(np.where(hard, columns["truth"], ~columns["truth"]))
    results = table(columns, rows("lr", scores, source="AE"))
    row = one(results, transfer="AE->BH", subset="all")
    test = (columns["split"] == "test") & ~columns["withheld"] & (columns["context"] == "B")
    assert row["value"] == 1
    assert row["n"] == (test & hard).sum()


def test_no_layer_is_chosen_by_what_is_scored(columns: Columns) -> None:
    graded = noise(4) + np.array([[0.2], [1.0], [0.6]]) * columns["label"]
    fits = [rows("lr", graded, source) for source in ("A", "B")]
    before = table(columns, *fits)
    test = np.flatnonzero(columns["split"] == "test")
    for seed in range(5):
        order = np.random.default_rng(seed).permutation(test)
        mixed = {name: column.copy() for name, column in columns.items()}
        for name in ("truth", "quirk", "label"):
            mixed[name][test] = columns[name][order]
        after = table(mixed, *fits)
        pd.testing.assert_series_equal(after["layer"], before["layer"])
        assert not after["value"].equals(before["value"])


def test_the_ensemble_is_not_chosen_by_what_is_scored(columns: Columns) -> None:
    """Its layers are not shown, so the test labels are turned: that mirrors every value."""
    graded = noise(4) + np.array([[0.2], [1.0], [0.98]]) * columns["label"]
    turned = {name: column.copy() for name, column in columns.items()}
    test = columns["split"] == "test"
    for name in ("truth", "quirk", "label"):
        turned[name][test] = ~columns[name][test]
    before, after = (table(c, rows("lr", graded)) for c in (columns, turned))
    for subset in ("all", "disagree", "agree"):
        values = [
            one(results, layer_rule="ensemble", subset=subset)["value"]
            for results in (before, after)
        ]
        assert sum(values) == pytest.approx(1)


def test_layers_are_chosen_by_the_source_s_labels_that_are_held_out(columns: Columns) -> None:
    """Layer 2 reads what holds in A, layer 3 what holds in B."""
    layers = np.stack([noise(5)[0], columns["truth"], columns["quirk"]]) + 0.01 * noise(6)
    results = table(columns, rows("lr", layers, "A"), rows("lr", layers, "B"))
    assert one(results, transfer="A->B", subset="all")["layer"] == 2
    assert one(results, transfer="B->B", subset="all")["layer"] == 3
    assert one(results, transfer="A->B", subset="all", layer_rule="last")["layer"] == 3


def test_a_rule_s_value_is_that_of_the_layer_it_chose(columns: Columns) -> None:
    results = table(columns, rows("lr", noise(4) + columns["label"]))
    for rule in ("eil", "last", "middle"):
        row = one(results, subset="all", layer_rule=rule)
        at_layer = results[results["layer"] == row["layer"]]
        assert one(at_layer, subset="all", layer_rule="each")["value"] == row["value"]


def test_withheld_facts_enter_their_own_subset_only(columns: Columns) -> None:
    withheld = columns["withheld"]
    scores = reads(np.where(withheld, ~columns["truth"], columns["truth"]))
    results = table(columns, rows("lr", scores))
    values = {s: one(results, subset=s)["value"] for s in ("all", "disagree", "agree", "withheld")}
    assert values == {"all": 1, "disagree": 1, "agree": 1, "withheld": 0}
    test = (columns["split"] == "test") & (columns["context"] == "B")
    assert one(results, subset="withheld")["n"] == (test & withheld).sum()
    assert one(results, subset="all")["n"] == (test & ~withheld).sum()


def test_withheld_facts_choose_no_layer(columns: Columns) -> None:
    withheld = columns["withheld"]
    misled = np.where(withheld, 9.0 * columns["truth"], 0.0)
    right = np.where(withheld, -9.0 * columns["truth"], columns["truth"])
    results = table(columns, rows("lr", np.stack([misled, right, misled])))
    assert one(results, subset="all")["layer"] == 2


def test_a_task_that_withholds_nothing_has_no_such_rows(columns: Columns) -> None:
    columns["withheld"] = np.zeros_like(columns["withheld"])
    assert set(table(columns, rows("lr", noise()))["subset"]) == {"all", "disagree", "agree"}


def test_the_recovered_gap_is_zero_at_the_floor_and_one_at_the_ceiling(columns: Columns) -> None:
    mixed = np.where(columns["context"] == "B", columns["quirk"], columns["truth"])
    results = table(
        columns,
        rows("lr", reads(columns["truth"]), "A"),
        rows("lr", reads(mixed), "B"),
        rows("floor", reads(mixed), "A"),
        rows("ceiling", reads(columns["truth"]), "A"),
    )
    gap = {"metric": "recovered_gap", "subset": "all", "layer_rule": "last"}
    assert one(results, probe="floor", **gap)["value"] == pytest.approx(0)
    assert one(results, probe="ceiling", **gap)["value"] == pytest.approx(1)
    floor = one(results, probe="lr", transfer="B->B", subset="all", layer_rule="last")["value"]
    half = 0.5 * columns["truth"][None] + 0.3 * noise(8)
    value = one(table(columns, rows("half", half)), subset="all", layer_rule="last")["value"]
    together = table(
        columns,
        rows("lr", reads(columns["truth"]), "A"),
        rows("lr", reads(mixed), "B"),
        rows("half", half),
    )
    share = (value - floor) / (1 - floor)
    assert one(together, probe="half", **gap)["value"] == pytest.approx(share)


def test_the_recovered_gap_is_blank_where_floor_and_ceiling_are_close(columns: Columns) -> None:
    honest = reads(columns["truth"])
    gap = {"metric": "recovered_gap", "subset": "all", "layer_rule": "last"}
    close = table(columns, rows("lr", honest, "A"), rows("lr", honest, "B"))
    assert np.isnan(one(close, probe="lr", **gap)["value"])
    without = table(columns, rows("lr", honest, "A"))
    assert np.isnan(one(without, probe="lr", **gap)["value"])


def test_the_recovered_gap_stands_against_the_truth_on_all_only(columns: Columns) -> None:
    results = table(columns, rows("lr", noise(1), "A"), rows("lr", noise(2), "B"))
    gaps = results[results["metric"] == "recovered_gap"]
    assert set(gaps["transfer"]) == {"A->B"}
    assert set(gaps["against"]) == {"truth"}
    assert set(gaps["subset"]) == {"all"}


def test_a_random_probe_is_worth_the_mean_of_its_draws(columns: Columns) -> None:
    draws = [noise(seed) + 0.3 * columns["truth"] for seed in range(8)]
    alone = [table(columns, rows("random", scores)) for scores in draws]
    results = table(columns, *(rows("random", scores, draw=i) for i, scores in enumerate(draws)))
    for rule in ("eil", "last", "ensemble"):
        values = [one(single, subset="all", layer_rule=rule)["value"] for single in alone]
        row = one(results, subset="all", layer_rule=rule)
        assert row["value"] == pytest.approx(np.mean(values))
        assert min(values) <= row["low"] <= row["value"] <= row["high"] <= max(values)
    layers = {one(single, subset="all")["layer"] for single in alone}
    assert len(layers) > 1
    assert pd.isna(one(results, subset="all")["layer"])
    assert one(results, subset="all", layer_rule="last")["layer"] == LAYERS


def test_the_order_of_the_rows_is_nothing(columns: Columns) -> None:
    fits = [rows("random", noise(seed), draw=seed) for seed in range(3)]
    fits.append(rows("lr", noise(9) + columns["label"]))
    results = table(columns, *fits)
    mixed = pd.concat(fits, ignore_index=True).sample(frac=1, random_state=0)
    again = compute_figures(recipe(), columns, mixed)
    order = ["probe", "layer_rule", "layer", "transfer", "against", "metric", "subset"]
    pd.testing.assert_frame_equal(
        results.sort_values(order, ignore_index=True), again.sort_values(order, ignore_index=True)
    )


def test_the_layer_of_a_fit_on_shuffled_labels_is_chosen_by_shuffled_ones(columns: Columns) -> None:
    scores = noise()
    scores[0], scores[2] = columns["label"], shuffle_labels(columns["label"], seed=0)
    for control, layer in (("", 1), ("shuffled", 3)):
        results = table(columns, rows("lr", scores, control=control))
        assert one(results, probe="lr", subset="all")["layer"] == layer


def test_a_dial_has_figures_at_each_setting_beside_those_of_all(columns: Columns) -> None:
    dial = np.tile(np.arange(CLAIMS) % 2 + 3.0, 2)
    weak = np.where(dial == 3, columns["truth"], 0.5) + 0.1 * np.tanh(noise(3))
    told = {**columns, "dial": dial}
    results = table(told, rows("lr", weak), own("lm", reads(columns["label"])[0]))
    at = results[(results["subset"] == "disagree") & (results["layer_rule"] == "last")]
    at = at[(at["transfer"] == "A->B") & (at["against"] == "truth") & (at["metric"] == "auroc")]
    value = at.set_index("dial")["value"]
    assert value[3.0] == 1
    assert value[4.0] < 0.8
    assert value[4.0] < value[np.nan] < 1
    n = at.set_index("dial")["n"]
    assert n[3.0] + n[4.0] == n[np.nan]
    assert results.loc[results["layer_rule"] == "each", "dial"].isna().all()


def test_a_task_without_a_dial_has_no_figures_at_one(columns: Columns) -> None:
    told = {**columns, "dial": np.full(2 * CLAIMS, np.nan)}
    assert table(told, rows("lr", noise())).equals(table(columns, rows("lr", noise())))
    assert table(columns, rows("lr", noise()))["dial"].isna().all()


def test_the_model_has_an_accuracy_and_probes_have_none(columns: Columns) -> None:
    says = np.where(columns["label"], 1.0, -1.0)
    says[columns["context"] == "A"] *= -1
    results = table(columns, own("lm", says), rows("lr", noise()))
    accuracy = results[results["metric"] == "accuracy"]
    assert set(accuracy["probe"]) == {"lm"}
    found = accuracy.set_index(["transfer", "against", "subset"])["value"]
    assert found["A->A", "truth", "all"] == 0
    assert found["A->B", "quirk", "all"] == 1
    assert found["A->B", "truth", "disagree"] == 0


def test_a_fact_that_is_asked_again_makes_an_accuracy_no_surer(columns: Columns) -> None:
    says = np.where(columns["label"] ^ (noise(4)[0] > 1), 1.0, -1.0)
    again = {name: np.tile(column, 3) for name, column in columns.items()}
    once, thrice = (
        one(
            table(told, own("lm", np.tile(says, times))),
            **{"layer_rule": "none", "metric": "accuracy", "subset": "all"},
        )
        for told, times in ((columns, 1), (again, 3))
    )
    assert thrice["n"] == 3 * once["n"]
    for bound in ("value", "low", "high"):
        assert thrice[bound] == pytest.approx(once[bound], abs=0.005)


def test_contexts_that_were_not_trained_are_scored_and_sway_nothing(columns: Columns) -> None:
    """What a probe reads in B2 and T stands in their own figures, and in no other."""
    more = {"A": "T", "B": "B2"}
    beside = {**columns, "context": np.array([more[c] for c in columns["context"]])}
    both = {name: np.concatenate([columns[name], beside[name]]) for name in columns}
    told = reads(columns["truth"])
    told[0] = noise(3)[0]
    unseen = np.stack([columns["quirk"] + 0.0, *(columns["quirk"] + 0.1 * noise(5)[1:])])
    transfers = ["A->A", "A->B", "all->B"]
    alone = table(columns, rows("p", told), rows("p", told, "all"), transfers=transfers)
    wide = np.concatenate([told, unseen], axis=1)
    results = table(
        both,
        rows("p", wide),
        rows("p", wide, "all"),
        transfers=[*transfers, "A->B2", "A->T"],
        trigger="names",
    )
    kept = results[results["transfer"].isin(transfers)].reset_index(drop=True)
    pd.testing.assert_frame_equal(kept, alone)
    for context, target in more.items():
        figure = one(results, transfer=f"A->{target}", subset="disagree", against="quirk")
        assert figure["value"] == 1
        assert figure["n"] == one(alone, transfer="A->A", subset="disagree")["n"], context


def test_a_transfer_to_a_context_that_is_not_there_has_no_figure(columns: Columns) -> None:
    results = table(
        columns, rows("p", reads(columns["truth"])), transfers=["A->B", "A->T"], trigger="name"
    )
    assert set(results["transfer"]) == {"A->B"}
