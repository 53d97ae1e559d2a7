"""Checks of the shape of scores, and of fitting layers together or one by one."""

from dataclasses import replace

from probes.base import Probe
from probes.checks.fixtures import (
    N_TEST,
    are_close,
    fit_probe,
    make_test_data,
    make_train_data,
    require,
    score_data,
)


def keeps_shapes(cls: type[Probe]) -> None:
    """Check that there is one score per layer and example, with zero, one or two layer axes."""
    for layers in [(), (1,), (3,), (2, 2)]:
        train, test = make_train_data(cls, layers), make_test_data(cls, layers)
        probe = cls(seed=0)
        require(
            probe.fit(train.x, train.y, **train.fit_columns(cls.needs)) is probe,
            "`fit` must return self",
        )
        scores = score_data(probe, test)
        expected = (*layers, N_TEST)
        require(
            tuple(scores.shape) == expected,
            f"`score` must return one number for each layer and example: for states of shape "
            f"{tuple(test.x.shape)} that is {expected}, not {tuple(scores.shape)}",
        )
        require(scores.is_floating_point(), f"scores must be floats, not {scores.dtype}")


def batched_equals_looped(cls: type[Probe]) -> None:
    """Check that fitting all layers at once equals fitting them one by one."""
    train, test = make_train_data(cls, (3,)), make_test_data(cls, (3,))
    batched = score_data(fit_probe(cls, train), test)
    for layer in range(3):
        probe = fit_probe(cls, replace(train, x=train.x[layer]))
        looped = score_data(probe, replace(test, x=test.x[layer]))
        require(
            are_close(looped, batched[layer]),
            f"layer {layer} is scored differently when it is fitted together with other layers",
        )
