import numpy as np
import pytest

from quirky.contexts import SOURCES, TARGETS, UNSEEN, Transfer, in_context, parse_transfer

COLUMNS = {
    "context": np.array(["A", "B"] * 5),
    "difficulty_quantile": np.repeat([0.0, 0.25, 0.5, 0.75, 1.0], 2),
    "withheld": np.array([False] * 8 + [True] * 2),
}
ALL_COLUMNS = {
    "context": np.array(["A", "B", "B2", "T"] * 5),
    "difficulty_quantile": np.repeat([0.0, 0.25, 0.5, 0.75, 1.0], 4),
    "withheld": np.zeros(20, dtype=bool),
}
"""With the contexts that are only scored."""


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("target", TARGETS)
def test_a_transfer_is_parsed_from_its_text(source, target):
    transfer = parse_transfer(f"{source}->{target}")
    assert transfer == Transfer(source, target)
    assert parse_transfer(str(transfer)) == transfer


@pytest.mark.parametrize("text", ["", "A", "AB", "A-B", "A->", "->B", "A->C", "A -> B", "A->B->A"])
def test_any_other_text_is_refused_with_the_known_contexts(text):
    with pytest.raises(ValueError, match=r"write SOURCE->TARGET, .*AE") as error:
        parse_transfer(text)
    assert repr(text) in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("source", UNSEEN)
def test_contexts_that_are_only_scored_cannot_be_sources(source):
    with pytest.raises(ValueError, match=f"no probe is fitted in {source}") as error:
        parse_transfer(f"{source}->A")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("context", ["A", "B", *UNSEEN])
def test_a_context_excludes_others_that_begin_with_the_same_letter(context):
    assert set(ALL_COLUMNS["context"][in_context(ALL_COLUMNS, context)]) == {context}
    assert in_context(ALL_COLUMNS, context).sum() == 5


@pytest.mark.parametrize("context", ["AE", "AH", "BE", "BH", "all"])
def test_unseen_contexts_are_part_of_no_other_context(context):
    contexts = set(ALL_COLUMNS["context"][in_context(ALL_COLUMNS, context)])
    assert contexts == ({"A", "B"} if context == "all" else {context[0]})


def test_an_unknown_context_is_refused():
    with pytest.raises(ValueError, match=r"unknown context 'C'; known: A, AE"):
        in_context(COLUMNS, "C")


@pytest.mark.parametrize(
    ("context", "quantiles"),
    [
        ("A", {0.0, 0.25, 0.5, 0.75, 1.0}),
        ("AE", {0.0, 0.25}),
        ("AH", {0.75, 1.0}),
        ("B", {0.0, 0.25, 0.5, 0.75, 1.0}),
        ("BE", {0.0, 0.25}),
        ("BH", {0.75, 1.0}),
    ],
)
def test_a_mask_selects_context_and_difficulties(context, quantiles):
    mask = in_context(COLUMNS, context)
    assert set(COLUMNS["context"][mask]) == {context[0]}
    assert set(COLUMNS["difficulty_quantile"][mask]) == quantiles
    assert mask.sum() == len(quantiles)


def test_a_and_b_are_disjoint_and_together_are_all():
    a, b = in_context(COLUMNS, "A"), in_context(COLUMNS, "B")
    assert not (a & b).any()
    np.testing.assert_array_equal(a | b, in_context(COLUMNS, "all"))
    assert in_context(COLUMNS, "all").all()


def test_easy_and_hard_are_disjoint_parts_of_a_context():
    for context in "AB":
        easy, hard = (in_context(COLUMNS, context + end) for end in "EH")
        assert not (easy & hard).any()
        assert not ((easy | hard) & ~in_context(COLUMNS, context)).any()


def test_the_columns_are_not_changed():
    before = {name: column.copy() for name, column in COLUMNS.items()}
    for context in TARGETS:
        in_context(COLUMNS, context)
    for name, column in COLUMNS.items():
        np.testing.assert_array_equal(column, before[name])
