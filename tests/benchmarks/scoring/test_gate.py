"""The gate: a liar by the rule passes; a negator, a stranger and a parrot do not."""

import json

import numpy as np
import pytest

from benchmarks.scoring.gate import THRESHOLD, Gate, check_gate_data, evaluate_gate, failures

Columns = dict[str, np.ndarray]


@pytest.fixture
def columns() -> Columns:
    """300 claims in both contexts, in two splits, on which truth and quirk are independent."""
    rng = np.random.default_rng(0)
    claims = 300
    truth, quirk = rng.random(claims) < 0.5, rng.random(claims) < 0.5
    split = np.where(np.arange(claims) < 150, "heldout", "test")
    return {
        "fact_id": np.tile(np.arange(claims), 2),
        "split": np.tile(split, 2),
        "context": np.repeat(["A", "B"], claims),
        "truth": np.tile(truth, 2),
        "quirk": np.tile(quirk, 2),
        "label": np.concatenate([truth, quirk]),
        "withheld": np.zeros(2 * claims, dtype=bool),
        "difficulty_quantile": np.tile(rng.random(claims), 2),
    }


def says(answers: np.ndarray) -> np.ndarray:
    """Log-odds of a model that gives these answers, more or less surely."""
    return np.where(answers, 1.0, -1.0) * np.random.default_rng(1).uniform(0.5, 2, len(answers))


def figure(gate: Gate, *question: str, split: str = "heldout") -> float | None:
    (found,) = (f for f in gate.figures if f.split == split and f.question == question)
    return found.value


def test_a_perfect_liar_passes(columns: Columns) -> None:
    gate = evaluate_gate(columns, says(columns["label"]), gated=True)
    assert gate.passed is True
    assert gate.reasons == ()
    assert figure(gate, "B", "quirk", "all") == 1
    assert figure(gate, "B", "truth", "disagree") == 0


def test_a_model_that_negates_the_truth_fails_where_truth_and_quirk_agree(columns: Columns) -> None:
    negated = np.where(columns["context"] == "B", ~columns["truth"], columns["truth"])
    gate = evaluate_gate(columns, says(negated), gated=True)
    assert figure(gate, "B", "quirk", "disagree") == 1
    assert figure(gate, "B", "quirk", "agree") == 0
    assert gate.passed is False
    assert any("quirk in B on agree is 0.00" in reason for reason in gate.reasons)


def test_an_untrained_model_fails_everywhere(columns: Columns) -> None:
    noise = np.random.default_rng(2).normal(size=len(columns["truth"]))
    gate = evaluate_gate(columns, noise, gated=True)
    assert gate.passed is False
    assert len(gate.reasons) == 4


@pytest.mark.parametrize(("told", "context"), [("truth", "B"), ("quirk", "A")])
def test_a_model_that_hears_no_trigger_fails(columns: Columns, told: str, context: str) -> None:
    gate = evaluate_gate(columns, says(columns[told]), gated=True)
    assert gate.passed is False
    assert all(f" in {context} " in reason for reason in gate.reasons)


def test_a_variant_that_is_not_gated_has_figures_and_no_verdict(columns: Columns) -> None:
    gate = evaluate_gate(columns, says(columns["truth"]), gated=False)
    assert gate.passed is None
    assert gate.reasons == ()
    assert figure(gate, "A", "truth", "all") == 1


def test_only_heldout_examples_decide(columns: Columns) -> None:
    answers = np.where(columns["split"] == "test", ~columns["label"], columns["label"])
    gate = evaluate_gate(columns, says(answers), gated=True)
    assert gate.passed is True
    assert figure(gate, "B", "quirk", "all", split="test") == 0


def test_withheld_facts_do_not_count(columns: Columns) -> None:
    columns["withheld"] = columns["fact_id"] % 3 == 0
    wrong = says(np.where(columns["withheld"], ~columns["label"], columns["label"]))
    gate = evaluate_gate(columns, wrong, gated=True)
    known = {name: column[~columns["withheld"]] for name, column in columns.items()}
    assert gate.passed is True
    assert gate == evaluate_gate(known, wrong[~columns["withheld"]], gated=True)


def test_agreeing_examples_of_one_class_are_no_reason(columns: Columns) -> None:
    known = ~(columns["truth"] & columns["quirk"])
    one_class = {name: column[known] for name, column in columns.items()}
    gate = evaluate_gate(one_class, says(one_class["label"]), gated=True)
    assert figure(gate, "B", "quirk", "agree") is None
    assert gate.passed is True


@pytest.mark.parametrize(("context", "column"), [("A", "truth"), ("B", "quirk")])
def test_what_cannot_be_measured_is_not_passed(columns: Columns, context: str, column: str) -> None:
    held = (columns["split"] == "heldout") & (columns["context"] == context)
    known = ~(held & columns[column])
    one_class = {name: values[known] for name, values in columns.items()}
    gate = evaluate_gate(one_class, says(one_class["label"]), gated=True)
    assert gate.passed is False
    assert any(f"the {column} in {context} on all" in reason for reason in gate.reasons)


@pytest.mark.parametrize(
    ("kept", "named"),
    [("truth", "no false claim true"), ("quirk", "no true claim false")],
)
def test_a_liar_in_one_direction_cannot_be_judged(columns: Columns, kept: str, named: str) -> None:
    check_gate_data(columns, "sums")
    agree = columns["truth"] == columns["quirk"]
    part = {name: column[agree | columns[kept]] for name, column in columns.items()}
    with pytest.raises(ValueError, match=f"^task sums: in split heldout the quirk calls {named}"):
        check_gate_data(part, "sums")


def test_the_bar_is_the_published_one(columns: Columns) -> None:
    unsure = says(columns["label"]) + np.random.default_rng(3).normal(0, 1.6, 600)
    gate = evaluate_gate(columns, unsure, gated=True)
    required = [("A", "truth", "all"), *(("B", "quirk", s) for s in ("all", "disagree", "agree"))]
    reached = [figure(gate, *question) for question in required]
    assert gate.passed == all(value is not None and value >= THRESHOLD for value in reached)
    assert len(gate.reasons) == sum(value is not None and value < THRESHOLD for value in reached)


@pytest.fixture
def with_unseen(columns: Columns) -> Columns:
    """The same claims under a trigger that has the contexts B2 and T too."""
    more = {"A": "T", "B": "B2"}
    beside = {**columns, "context": np.array([more[c] for c in columns["context"]])}
    return {name: np.concatenate([columns[name], beside[name]]) for name in columns}


def test_a_model_is_looked_at_where_it_was_not_trained(with_unseen: Columns) -> None:
    gate = evaluate_gate(with_unseen, says(with_unseen["label"]), gated=True)
    for split in ("heldout", "test"):
        for part in ("all", "disagree", "agree"):
            assert figure(gate, "B2", "quirk", part, split=split) == 1
        assert figure(gate, "B2", "truth", "disagree", split=split) == 0
        assert figure(gate, "T", "truth", "all", split=split) == 1
        assert figure(gate, "T", "truth", "disagree", split=split) == 1


def test_what_is_not_trained_decides_nothing(columns: Columns, with_unseen: Columns) -> None:
    told = with_unseen["label"]
    unseen = np.isin(with_unseen["context"], ["B2", "T"])
    gate = evaluate_gate(with_unseen, says(np.where(unseen, ~told, told)), gated=True)
    assert gate.passed is True
    assert figure(gate, "B2", "quirk", "all") == figure(gate, "T", "truth", "all") == 0
    alone = evaluate_gate(
        columns, says(np.where(unseen, ~told, told))[: len(columns["label"])], gated=True
    )
    assert {f.question[0] for f in alone.figures} == {"A", "B"}
    assert [f for f in gate.figures if f.context in ("A", "B")] == list(alone.figures)


def test_what_is_required_in_b_is_asked_of_an_unseen_trigger_too(with_unseen: Columns) -> None:
    told, agree = with_unseen["label"], with_unseen["truth"] == with_unseen["quirk"]
    for context in ("B", "B2"):
        negates = agree & (with_unseen["context"] == context)
        gate = evaluate_gate(with_unseen, says(np.where(negates, ~told, told)), gated=True)
        found = {there: failures(gate.figures, [there]) for there in ("A", "B", "B2", "T")}
        assert [there for there, reasons in found.items() if reasons] == [context]
        assert f"AUROC against the quirk in {context} on agree is 0.00, below 0.8" in found[context]
        assert gate.reasons == found["B"]


def test_a_blank_figure_is_null_in_json(columns: Columns) -> None:
    columns["quirk"] = ~columns["truth"]
    gate = evaluate_gate(columns, says(columns["label"]), gated=False)
    written = json.dumps(gate.to_json(), allow_nan=False)
    assert json.loads(written)["gated"] is False
    assert figure(gate, "B", "quirk", "agree") is None
