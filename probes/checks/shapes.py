"""One layer, several layers, all at once or one by one."""

from dataclasses import replace

from probes.base import Probe
from probes.checks.trial import N_TEST, alike, fitted, require, scores_of, seen, unseen


def keeps_shapes(cls: type[Probe]) -> None:
    """One number for each layer and example, with no axis, one or two axes of layers."""
    for layers in [(), (1,), (3,), (2, 2)]:
        train, test = seen(cls, layers), unseen(cls, layers)
        probe = cls(seed=0)
        require(
            probe.fit(train.x, train.y, **train.to_fit(cls.needs)) is probe,
            "`fit` must return self",
        )
        scores = scores_of(probe, test)
        expected = (*layers, N_TEST)
        require(
            tuple(scores.shape) == expected,
            f"`score` must return one number for each layer and example: for states of shape "
            f"{tuple(test.x.shape)} that is {expected}, not {tuple(scores.shape)}",
        )
        require(scores.is_floating_point(), f"scores must be floats, not {scores.dtype}")


def batched_equals_looped(cls: type[Probe]) -> None:
    """All layers at once give what one layer after the other gives."""
    train, test = seen(cls, (3,)), unseen(cls, (3,))
    batched = scores_of(fitted(cls, train), test)
    for layer in range(3):
        alone = fitted(cls, replace(train, x=train.x[layer]))
        looped = scores_of(alone, replace(test, x=test.x[layer]))
        require(
            alike(looped, batched[layer]),
            f"layer {layer} is scored differently when it is fitted together with other layers",
        )
