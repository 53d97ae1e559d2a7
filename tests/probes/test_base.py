"""The guards that every probe inherits."""

import pytest
import torch

from probes import Probe


class Echo(Probe):
    """Stores its arguments."""

    name = "echo"
    reads = "prompt"
    supervision = "labels"
    needs = ("template", "polarity")

    def fit(self, x, y, **needs):
        self.fit_input = x, y, needs
        return self

    def score(self, x, **needs):
        return x.sum(-1)


def test_fit_receives_validated_input():
    probe = Echo().fit(torch.ones(4, 2, dtype=torch.bfloat16), [0, 1, 1, 0], template=[0, 0, 1, 1])
    x, y, needs = probe.fit_input
    assert x.dtype == torch.float32
    assert y.dtype == torch.bool
    assert needs["template"].tolist() == [0, 0, 1, 1]


def test_score_does_not_receive_columns_of_the_fit():
    probe = Echo().fit(torch.ones(4, 2), [0, 1, 1, 0], polarity=[0, 0, 1, 1])
    with pytest.raises(ValueError, match="'polarity' here; it takes template"):
        probe.score(torch.ones(4, 2), polarity=[0, 0, 1, 1])


@pytest.mark.parametrize(
    ("shape", "message"),
    [((3, 4, 5), "on 2 features; these states have 5"), ((1, 4, 2), r"\(3,\).*have \(1,\)")],
)
def test_states_of_another_shape_than_the_fit_are_an_error(shape, message):
    probe = Echo().fit(torch.ones(3, 4, 2), [0, 1, 1, 0])
    with pytest.raises(ValueError, match=message):
        probe.score(torch.ones(shape))


def test_score_before_fit_is_an_error():
    with pytest.raises(ValueError, match="'echo' is not fitted"):
        Echo().score(torch.ones(4, 2))


def test_too_few_examples_are_an_error():
    with pytest.raises(ValueError, match="too few examples: 3"):
        Echo().fit(torch.ones(3, 2), [0, 1, 1])
