import numpy as np
import pytest

from quirky.contexts import KNOWN, SOURCES, UNSEEN, Transfer, in_context, parse_transfer

COLUMNS = {
    "context": np.array(["A", "B"] * 5),
    "difficulty_quantile": np.repeat([0.0, 0.25, 0.5, 0.75, 1.0], 2),
    "withheld": np.array([False] * 8 + [True] * 2),
}
BESIDE = {
    "context": np.array(["A", "B", "B2", "T"] * 5),
    "difficulty_quantile": np.repeat([0.0, 0.25, 0.5, 0.75, 1.0], 4),
    "withheld": np.zeros(20, dtype=bool),
}
"""With the contexts in which nothing is fitted."""


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("target", KNOWN)
def test_a_transfer_is_what_its_text_says(source, target):
    transfer = parse_transfer(f"{source}->{target}")
    assert transfer == Transfer(source, target)
    assert parse_transfer(str(transfer)) == transfer


@pytest.mark.parametrize("text", ["", "A", "AB", "A-B", "A->", "->B", "A->C", "A -> B", "A->B->A"])
def test_anything_else_is_refused_with_what_is_known(text):
    with pytest.raises(ValueError, match=r"write SOURCE->TARGET, .*AE") as error:
        parse_transfer(text)
    assert repr(text) in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("source", UNSEEN)
def test_nothing_is_fitted_where_nothing_is_trained(source):
    with pytest.raises(ValueError, match=f"nothing is fitted in {source}") as error:
        parse_transfer(f"{source}->A")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("context", ["A", "B", *UNSEEN])
def test_a_context_is_not_another_that_begins_like_it(context):
    assert set(BESIDE["context"][in_context(BESIDE, context)]) == {context}
    assert in_context(BESIDE, context).sum() == 5


@pytest.mark.parametrize("context", ["AE", "AH", "BE", "BH", "all"])
def test_what_is_not_trained_on_is_part_of_no_other_context(context):
    inside = set(BESIDE["context"][in_context(BESIDE, context)])
    assert inside == ({"A", "B"} if context == "all" else {context[0]})


def test_an_unknown_context_is_refused():
    with pytest.raises(ValueError, match="context 'C'; known: A, B"):
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
def test_a_mask_holds_its_context_and_difficulties(context, quantiles):
    inside = in_context(COLUMNS, context)
    assert set(COLUMNS["context"][inside]) == {context[0]}
    assert set(COLUMNS["difficulty_quantile"][inside]) == quantiles
    assert inside.sum() == len(quantiles)


def test_all_is_everything_and_nothing_is_in_both_contexts():
    a, b = in_context(COLUMNS, "A"), in_context(COLUMNS, "B")
    assert not (a & b).any()
    np.testing.assert_array_equal(a | b, in_context(COLUMNS, "all"))
    assert in_context(COLUMNS, "all").all()


def test_easy_and_hard_do_not_meet():
    for context in "AB":
        easy, hard = (in_context(COLUMNS, context + end) for end in "EH")
        assert not (easy & hard).any()
        assert not ((easy | hard) & ~in_context(COLUMNS, context)).any()


def test_the_columns_stay_as_they_are():
    before = {name: column.copy() for name, column in COLUMNS.items()}
    for context in KNOWN:
        in_context(COLUMNS, context)
    for name, column in COLUMNS.items():
        np.testing.assert_array_equal(column, before[name])
