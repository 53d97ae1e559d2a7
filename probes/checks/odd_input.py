"""States that are odd but right, which a probe survives, and wrong ones, which it refuses."""

import functools
import re
from collections.abc import Callable
from dataclasses import replace

import torch

from probes.base import Probe
from probes.checks.planted import Planted
from probes.checks.trial import (
    N_TRAIN,
    D,
    ProbeCheckError,
    examples_axis,
    fitted,
    part,
    require,
    scores_of,
    seen,
    unseen,
)
from probes.inputs import MIN_EXAMPLES


def survives_odd_states(cls: type[Probe]) -> None:
    """Constant features, duplicate rows, huge and tiny scales: finite scores that differ."""
    for what, (train, test) in _odd_states(cls).items():
        scores = scores_of(fitted(cls, train), test)
        require(bool(torch.isfinite(scores).all()), f"scores are not finite with {what}")
        require(bool((scores != scores[0]).any()), f"all examples score alike with {what}")


def _odd_states(cls: type[Probe]) -> dict[str, tuple[Planted, Planted]]:
    """What is odd, with states to fit on and states to score."""
    train, test = seen(cls), unseen(cls)
    features = torch.arange(D)
    rows = torch.arange(N_TRAIN) // 4

    def both(change: Callable[[torch.Tensor], torch.Tensor]) -> tuple[Planted, Planted]:
        return replace(train, x=change(train.x)), replace(test, x=change(test.x))

    return {
        "constant features": both(lambda x: torch.where(features < 4, 7.0, x)),
        "duplicate rows": (part(train, rows, examples_axis(cls, train)), test),
        "states of size 1e6": both(lambda x: x * 1e6),
        "states of size 1e-6": both(lambda x: x * 1e-6),
        "features of very different sizes": both(lambda x: x * 10.0 ** (features % 7 - 3)),
        "states far from the origin": both(lambda x: x + 1e3),
    }


def refuses_bad_input(cls: type[Probe]) -> None:
    """Each is a ValueError with the figure that offends."""
    train, test = seen(cls), unseen(cls)
    probe = fitted(cls, train)
    for value, what in [(torch.nan, "NaN"), (torch.inf, "infinity")]:
        to_fit, to_score = _spoilt(train, value), _spoilt(test, value)
        _refuses(functools.partial(fitted, cls, to_fit), f"{what} at `fit`", 17)
        _refuses(functools.partial(scores_of, probe, to_score), f"{what} at `score`", 17)
    few = part(train, torch.arange(MIN_EXAMPLES - 1), examples_axis(cls, train))
    _refuses(lambda: fitted(cls, few), "too few examples", MIN_EXAMPLES - 1)
    _refuses(lambda: fitted(cls, replace(train, y=train.y[1:])), "labels missing", N_TRAIN - 1)
    if cls.supervision != "none":
        one_class = replace(train, y=torch.ones_like(train.y))
        _refuses(lambda: fitted(cls, one_class), "labels of one class", N_TRAIN)
    _refuses(lambda: scores_of(cls(seed=0), test), "`score` before `fit`")
    narrow = replace(test, x=test.x[..., :-1])
    _refuses(lambda: scores_of(probe, narrow), "another number of features at `score`", D, D - 1)
    deeper = unseen(cls, (3,))
    _refuses(lambda: scores_of(probe, deeper), "other layers at `score`", 3)


def _spoilt(data: Planted, value: float) -> Planted:
    """The data with 17 of its numbers replaced."""
    x = data.x.clone()
    x.view(-1)[5 : 5 + 17] = value
    return replace(data, x=x)


def _refuses(act: Callable[[], object], what: str, *figures: int) -> None:
    try:
        act()
    except ValueError as error:
        told = str(error)
    except Exception as error:
        raise ProbeCheckError(
            f"{what} must raise ValueError, not {type(error).__name__}"
        ) from error
    else:
        raise ProbeCheckError(f"{what} must raise ValueError")
    for figure in figures:
        require(
            re.search(rf"\b{figure}\b", told) is not None,
            f"{what}: the ValueError must name the figure {figure}; it says {told!r}",
        )
