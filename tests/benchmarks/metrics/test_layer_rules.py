"""Layer rules: what they choose, and that an example's value is its own."""

import numpy as np
import pytest

from benchmarks.metrics.layer_rules import LAYER_RULES, LayerChoice, register_layer_rule
from benchmarks.metrics.layer_rules.eil import eil
from benchmarks.metrics.layer_rules.ensemble import ensemble
from benchmarks.metrics.layer_rules.last import last
from benchmarks.metrics.layer_rules.middle import middle
from benchmarks.recipe import validate_recipe


@pytest.mark.parametrize(
    ("auroc", "layer"),
    [
        ([0.5, 0.6, 0.97, 1.0, 0.9], 4),
        ([0.5, 0.6, 0.98, 1.0, 0.9], 3),
        ([0.9, 0.9, 0.9], 1),
        ([0.1, 0.5, 0.51], 3),
        ([1.0], 1),
    ],
)
def test_eil_is_the_first_layer_that_is_nearly_the_best(auroc: list[float], layer: int) -> None:
    assert eil(np.array(auroc)).layers == (layer - 1,)


def test_eil_counts_from_chance_not_from_zero() -> None:
    assert eil(np.array([0.57, 0.6])).layers == (1,)


@pytest.mark.parametrize("auroc", [[0.5, 0.5, 0.5, 0.5], [0.1, 0.4, 0.2, 0.3]])
def test_where_no_layer_is_above_chance_the_middle_one_is_chosen(auroc: list[float]) -> None:
    for rule in (eil, ensemble):
        assert rule(np.array(auroc)) == middle(np.array(auroc))


def test_last_and_middle_look_at_nothing_but_the_depth() -> None:
    rng = np.random.default_rng(0)
    for _ in range(5):
        auroc = rng.random(7)
        assert last(auroc).layers == (6,)
        assert middle(auroc).layers == (3,)


def test_the_ensemble_takes_the_layers_that_eil_admits() -> None:
    assert ensemble(np.array([0.5, 0.98, 0.7, 1.0])).layers == (1, 3)


@pytest.mark.parametrize("name", LAYER_RULES.names())
def test_a_rule_with_one_layer_to_choose_from_chooses_it(name: str) -> None:
    assert LAYER_RULES.get(name)(np.array([0.8])).layers == (0,)


def test_a_single_layer_keeps_its_scores() -> None:
    scores = np.random.default_rng(0).normal(size=(3, 8))
    np.testing.assert_array_equal(LayerChoice((1,)).apply(scores, scores[:, :2]), scores[1])


def test_the_ensemble_standardises_with_the_source() -> None:
    rng = np.random.default_rng(0)
    source, scores = rng.normal(size=(3, 50)), rng.normal(size=(3, 8))
    scale, shift = np.array([[1.0], [100.0], [0.01]]), np.array([[5.0], [-7.0], [0.0]])
    choice = LayerChoice((0, 1, 2))
    np.testing.assert_allclose(
        choice.apply(scores * scale + shift, source * scale + shift),
        choice.apply(scores, source),
    )
    standardised = choice.apply(source, source)
    assert standardised.mean() == pytest.approx(0)
    assert choice.apply(scores + 10, source) == pytest.approx(
        choice.apply(scores, source) + (10 / source.std(axis=1)).mean()
    )


def test_an_example_is_worth_the_same_whatever_stands_beside_it() -> None:
    rng = np.random.default_rng(0)
    source, scores = rng.normal(size=(3, 50)), rng.normal(size=(3, 8))
    for choice in (LayerChoice((0,)), LayerChoice((0, 2))):
        together = choice.apply(scores, source)
        alone = [choice.apply(scores[:, [i]], source)[0] for i in range(8)]
        np.testing.assert_allclose(together, alone)


def test_a_layer_that_says_the_same_of_everything_adds_nothing() -> None:
    scores = np.array([[2.0, 2.0, 2.0], [1.0, 2.0, 3.0]])
    values = LayerChoice((0, 1)).apply(scores, scores)
    assert np.isfinite(values).all()
    assert (np.diff(values) > 0).all()


def test_a_registered_rule_is_known_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LAYER_RULES, "_registered", {})

    @register_layer_rule
    def first(auroc: np.ndarray) -> LayerChoice:
        return LayerChoice((0,))

    assert LAYER_RULES.get("first")(np.array([0.5, 0.9])).layers == (0,)
    assert set(LAYER_RULES.names()) == {"eil", "ensemble", "first", "last", "middle"}
    with pytest.raises(ValueError, match="'last' is a built-in layer rule"):
        LAYER_RULES.register("last", first)


def test_an_unknown_rule_in_a_recipe_is_named_with_the_nearest() -> None:
    content = {"name": "x", "models": ["tiny-neox"], "tasks": ["fiction"], "probes": ["lr"]}
    with pytest.raises(ValueError, match="unknown layer rule 'lst'; did you mean 'last'"):
        validate_recipe({**content, "transfers": ["A->B"], "layer_rules": ["lst"]})


@pytest.mark.parametrize("name", ["each", "none", "oracle"])
def test_names_that_results_use_for_something_else_are_reserved(name: str) -> None:
    with pytest.raises(ValueError, match=f"layer rule '{name}': results use this name already"):
        LAYER_RULES.register(name, eil)


@pytest.mark.parametrize("layers", [(), (-1,), (0, -2)])
def test_a_choice_is_of_one_layer_or_more_from_the_first(layers: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="a rule chooses one layer or more, from 0"):
        LayerChoice(layers)
