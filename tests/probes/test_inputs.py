"""Validation of states, labels and columns."""

import numpy as np
import pytest
import torch

from probes.inputs import validate_columns, validate_labels, validate_states

CPU = torch.device("cpu")


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_states_of_any_precision_become_float32(dtype):
    assert validate_states(torch.ones(3, 2, dtype=dtype), "prompt").dtype == torch.float32


def test_float32_states_are_not_copied():
    x = torch.ones(3, 2)
    assert validate_states(x, "prompt").data_ptr() == x.data_ptr()


def test_arrays_are_converted():
    assert validate_states(np.ones((3, 2)), "prompt").shape == (3, 2)


@pytest.mark.parametrize(
    ("reads", "shape"),
    [("prompt", (2,)), ("pair", (5, 2)), ("pair", (5, 3, 2)), ("tokens", (5, 2))],
)
def test_a_shape_that_the_probe_cannot_read_is_an_error(reads, shape):
    with pytest.raises(ValueError, match=rf"shape \({shape[0]},.*{reads}"):
        validate_states(torch.zeros(shape), reads)


def test_values_that_are_not_finite_are_counted_and_located():
    x = torch.zeros(2, 3, 4)
    x[1, 2, 3] = torch.nan
    x[1, 0, 1] = torch.inf
    with pytest.raises(ValueError, match=r"1 NaN and 1 infinite.*\(1, 0, 1\)"):
        validate_states(x, "prompt")


def test_labels_of_zero_and_one_are_booleans():
    labels = validate_labels([0, 1, 1], 3, CPU, both_classes=True)
    assert labels.tolist() == [False, True, True]


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([True, True, True], "one class: 3 true, 0 false"),
        ([0, 0, 0], "one class: 0 true, 3 false"),
        ([0, 1, 2], "found 2"),
        ([True, False], r"\(2,\) for 3 examples"),
    ],
)
def test_invalid_labels_are_an_error(labels, message):
    with pytest.raises(ValueError, match=message):
        validate_labels(torch.tensor(labels), 3, CPU, both_classes=True)


def test_one_class_is_allowed_for_a_probe_without_labels():
    assert validate_labels(torch.ones(3), 3, CPU, both_classes=False).all()


@pytest.mark.parametrize(
    ("column", "codes", "message"),
    [
        ("polarity", [0, 1, 0], "'polarity' here; it takes template"),
        ("template", [0, 1], r"\(2,\) for 3 examples"),
        ("template", [0.0, 1.0, 0.5], "integer codes"),
    ],
)
def test_invalid_columns_are_an_error(column, codes, message):
    with pytest.raises(ValueError, match=message):
        validate_columns({column: torch.tensor(codes)}, ("template",), 3, CPU, "ccs")
