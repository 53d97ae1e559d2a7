"""Checks of unusual but valid states, which a probe must handle, and of invalid input."""

import functools
import re
from collections.abc import Callable
from dataclasses import replace

import torch

from probes.base import Probe
from probes.checks.fixtures import (
    N_TRAIN,
    D,
    ProbeCheckError,
    examples_axis,
    fit_probe,
    make_test_data,
    make_train_data,
    require,
    score_data,
    select_examples,
)
from probes.checks.planted import PlantedData
from probes.inputs import MIN_EXAMPLES


def survives_odd_states(cls: type[Probe]) -> None:
    """Check that scores of unusual states are finite and not all equal."""
    for condition, (train, test) in _odd_states(cls).items():
        scores = score_data(fit_probe(cls, train), test)
        require(bool(torch.isfinite(scores).all()), f"scores are not finite with {condition}")
        require(bool((scores != scores[0]).any()), f"all examples score alike with {condition}")


def _odd_states(cls: type[Probe]) -> dict[str, tuple[PlantedData, PlantedData]]:
    """Return states to fit on and states to score, by what is unusual about them."""
    train, test = make_train_data(cls), make_test_data(cls)
    features = torch.arange(D)
    rows = torch.arange(N_TRAIN) // 4

    def both(change: Callable[[torch.Tensor], torch.Tensor]) -> tuple[PlantedData, PlantedData]:
        return replace(train, x=change(train.x)), replace(test, x=change(test.x))

    return {
        "constant features": both(lambda x: torch.where(features < 4, 7.0, x)),
        "duplicate rows": (select_examples(train, rows, examples_axis(cls, train)), test),
        "states of size 1e6": both(lambda x: x * 1e6),
        "states of size 1e-6": both(lambda x: x * 1e-6),
        "features of very different sizes": both(lambda x: x * 10.0 ** (features % 7 - 3)),
        "states far from the origin": both(lambda x: x + 1e3),
    }


def refuses_bad_input(cls: type[Probe]) -> None:
    """Check that invalid input is a ValueError that names the offending number."""
    train, test = make_train_data(cls), make_test_data(cls)
    probe = fit_probe(cls, train)
    for value, name in [(torch.nan, "NaN"), (torch.inf, "infinity")]:
        bad_train, bad_test = _with_bad_values(train, value), _with_bad_values(test, value)
        _require_error(functools.partial(fit_probe, cls, bad_train), f"{name} at `fit`", 17)
        _require_error(functools.partial(score_data, probe, bad_test), f"{name} at `score`", 17)
    few = select_examples(train, torch.arange(MIN_EXAMPLES - 1), examples_axis(cls, train))
    _require_error(lambda: fit_probe(cls, few), "too few examples", MIN_EXAMPLES - 1)
    missing = replace(train, y=train.y[1:])
    _require_error(lambda: fit_probe(cls, missing), "labels missing", N_TRAIN - 1)
    if cls.supervision != "none":
        one_class = replace(train, y=torch.ones_like(train.y))
        _require_error(lambda: fit_probe(cls, one_class), "labels of one class", N_TRAIN)
    _require_error(lambda: score_data(cls(seed=0), test), "`score` before `fit`")
    narrow = replace(test, x=test.x[..., :-1])
    _require_error(
        lambda: score_data(probe, narrow), "another number of features at `score`", D, D - 1
    )
    deep = make_test_data(cls, (3,))
    _require_error(lambda: score_data(probe, deep), "other layers at `score`", 3)


def _with_bad_values(data: PlantedData, value: float) -> PlantedData:
    """Return the data with 17 of its numbers replaced by `value`."""
    x = data.x.clone()
    x.view(-1)[5 : 5 + 17] = value
    return replace(data, x=x)


def _require_error(call: Callable[[], object], condition: str, *numbers: int) -> None:
    try:
        call()
    except ValueError as error:
        message = str(error)
    except Exception as error:
        raise ProbeCheckError(
            f"{condition} must raise ValueError, not {type(error).__name__}"
        ) from error
    else:
        raise ProbeCheckError(f"{condition} must raise ValueError")
    for number in numbers:
        require(
            re.search(rf"\b{number}\b", message) is not None,
            f"{condition}: the ValueError must name the number {number}; it says {message!r}",
        )
