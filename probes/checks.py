"""What every probe must satisfy, each as a sentence that tells its author what is wrong."""

import functools
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from probes.base import LinearProbe, Probe
from probes.inputs import example_axis
from probes.planted import Planted, planted
from probes.registry import require_contract

Check = Callable[[type[Probe]], None]

TOLERANCE = 1e-3
"""The largest difference, relative to the spread of the scores, that passes for equality."""


class ProbeCheckError(AssertionError):
    """A probe breaks the contract; the message is for its author."""


def probe_checks(cls: type[Probe]) -> Iterator[tuple[str, Callable[[], None]]]:
    """The checks that apply to this class, by name; each raises ProbeCheckError where it fails.

    Those that the class is `exempt` of are left out.
    """
    for name, check in CHECKS.items():
        if name not in cls.exempt:
            yield name, functools.partial(check, cls)


def check_probe(cls: type[Probe]) -> None:
    """Run all checks that apply; raises ProbeCheckError with a sentence for each failure."""
    failures = []
    for name, check in probe_checks(cls):
        try:
            check()
        except ProbeCheckError as failure:
            failures.append(f"{name}: {failure}")
        except Exception as error:  # a probe may raise anything
            failures.append(f"{name}: it raised {type(error).__name__}: {error}")
    if failures:
        raise ProbeCheckError(
            f"{cls.__name__} fails {len(failures)} checks\n" + "\n".join(failures)
        )


def _require(holds: bool, sentence: str) -> None:
    if not holds:
        raise ProbeCheckError(sentence)


def _fit(cls: type[Probe], data: Planted) -> Probe:
    return cls(seed=0).fit(data.x, data.y, **data.to_fit(cls.needs))


def _scores(probe: Probe, data: Planted) -> Float[Tensor, "*layers n"]:
    return probe.score(data.x, **data.to_score(probe.needs))


def _train(cls: type[Probe], layers: tuple[int, ...] = (), seed: int = 1) -> Planted:
    return planted(cls.reads, n=120, d=12, layers=layers, seed=seed)


def _test(cls: type[Probe], layers: tuple[int, ...] = ()) -> Planted:
    return planted(cls.reads, n=60, d=12, layers=layers, seed=2)


def _alike(a: Tensor, b: Tensor) -> bool:
    """Equal up to a small part of their spread."""
    spread = float(a.double().std()) or 1.0
    return a.shape == b.shape and float((a.double() - b.double()).abs().max()) <= TOLERANCE * spread


def _part(data: Planted, examples: Tensor, reads_axis: int) -> Planted:
    columns = {name: column[examples] for name, column in data.columns.items()}
    return Planted(data.x.index_select(reads_axis, examples), data.y[examples], columns)


def declares_the_contract(cls: type[Probe]) -> None:
    """Class variables, documentation, defaults and exemptions."""
    try:
        require_contract(cls)
    except ValueError as error:
        raise ProbeCheckError(str(error)) from error
    _require(bool(cls.__doc__), "give the class a docstring that says what labels may do in it")
    strange = set(cls.needs) - {"template", "mask", "polarity", "question"}
    _require(not strange, f"`needs` names columns that do not exist: {sorted(strange)}")
    for name, reason in cls.exempt.items():
        _require(name in CHECKS, f"`exempt` names {name!r}, which is no check")
        _require(bool(reason.strip()), f"`exempt` gives no reason for {name!r}")
    cls(seed=0)


def keeps_shapes(cls: type[Probe]) -> None:
    """One layer, several layers."""
    for layers in [(), (1,), (3,)]:
        train, test = _train(cls, layers), _test(cls, layers)
        probe = cls(seed=0)
        fitted = probe.fit(train.x, train.y, **train.to_fit(cls.needs))
        _require(fitted is probe, "`fit` must return self")
        scores = _scores(probe, test)
        _require(
            tuple(scores.shape) == (*layers, 60),
            f"`score` must return one number for each layer and example: for states of shape "
            f"{tuple(test.x.shape)} that is {(*layers, 60)}, not {tuple(scores.shape)}",
        )
        _require(scores.is_floating_point(), f"scores must be floats, not {scores.dtype}")


def batched_equals_looped(cls: type[Probe]) -> None:
    """All layers at once give what one layer after the other gives."""
    train, test = _train(cls, (3,)), _test(cls, (3,))
    batched = _scores(_fit(cls, train), test)
    for layer in range(3):
        alone = _fit(cls, replace(train, x=train.x[layer]))
        looped = _scores(alone, replace(test, x=test.x[layer]))
        _require(
            _alike(batched[layer], looped),
            f"layer {layer} is scored differently when it is fitted together with other layers",
        )


def _auroc(scores: Float[Tensor, "n"], y: Bool[Tensor, "n"]) -> float:
    """The share of (true, false) pairs in which the true claim scores higher; ties are half."""
    return float((scores[y, None] - scores[~y]).sign().mean() + 1) / 2


def _finds(cls: type[Probe], train: Planted, test: Planted, where: str) -> None:
    auroc = _auroc(_scores(_fit(cls, train), test), test.y)
    _require(auroc >= 0.95, f"a planted direction is found with AUROC {auroc:.3f} {where}, not .95")


def finds_planted_wide(cls: type[Probe]) -> None:
    """More features than examples."""
    train = planted(cls.reads, n=60, d=100, seed=1)
    test = planted(cls.reads, n=200, d=100, seed=2)
    _finds(cls, train, test, "where d = 100, n = 60")


def finds_planted_tall(cls: type[Probe]) -> None:
    """More examples than features."""
    train = planted(cls.reads, n=300, d=10, seed=1)
    test = planted(cls.reads, n=200, d=10, seed=2)
    _finds(cls, train, test, "where d = 10, n = 300")


def scores_examples_alone(cls: type[Probe]) -> None:
    """The score of an example depends on no other."""
    test = _test(cls)
    probe = _fit(cls, _train(cls))
    together = _scores(probe, test)
    some = torch.tensor([7, 3, 41])
    apart = _scores(probe, _part(test, some, test.x.ndim + example_axis(cls.reads)))
    _require(
        _alike(together[some], apart),
        "the score of an example changes with the others that are scored with it; "
        "take every statistic from the fitted data",
    )


def leaves_its_input(cls: type[Probe]) -> None:
    """`fit` and `score` do not write into what they are given."""
    train, test = _train(cls), _test(cls)
    x, y, x_test = train.x.clone(), train.y.clone(), test.x.clone()
    _scores(_fit(cls, train), test)
    _require(torch.equal(train.x, x) and torch.equal(train.y, y), "`fit` changes its input")
    _require(torch.equal(test.x, x_test), "`score` changes its input")


def mirrors_labels(cls: type[Probe]) -> None:
    """Flipped labels flip the scores of a linear probe that learns from labels."""
    if cls.supervision == "none" or not issubclass(cls, LinearProbe):
        return
    train, test = _train(cls), _test(cls)
    flipped = replace(train, y=~train.y)
    _require(
        _alike(_scores(_fit(cls, train), test), -_scores(_fit(cls, flipped), test)),
        "flipping all labels must negate the scores",
    )


def obeys_supervision(cls: type[Probe]) -> None:
    """Labels do no more than `supervision` says."""
    if cls.supervision == "labels":
        return
    train, test = _train(cls), _test(cls)
    shuffled = replace(train, y=train.y.roll(1))
    honest, poisoned = (_scores(_fit(cls, data), test) for data in (train, shuffled))
    if cls.supervision == "none":
        _require(_alike(honest, poisoned), '`supervision` is "none", but labels change the scores')
    else:
        correlation = float(torch.corrcoef(torch.stack([honest, poisoned]).double())[0, 1])
        _require(
            abs(correlation) > 1 - TOLERANCE,
            '`supervision` is "sign", but other labels give another axis: scores correlate '
            f"{correlation:.3f}, not 1 or -1",
        )


def same_seed_same_scores(cls: type[Probe]) -> None:
    """Randomness comes from the seed, and global generators are neither read nor moved."""
    train, test = _train(cls), _test(cls)
    kept = torch.get_rng_state(), np.random.get_state(legacy=False)
    try:
        torch.manual_seed(1)
        np.random.seed(1)
        first = _scores(_fit(cls, train), test)
        torch.manual_seed(2)
        np.random.seed(2)
        before = _global_draws()
        second = _scores(_fit(cls, train), test)
        moved = before != _global_draws()
    finally:
        torch.set_rng_state(kept[0])
        np.random.set_state(kept[1])
    _require(not moved, "it draws from a global generator; make one of `self.seed`")
    _require(torch.equal(first, second), "two fits with one seed score differently")


def _global_draws() -> tuple[bytes, bytes, int]:
    """Where the global generators of torch and NumPy stand."""
    numpy_state = np.random.get_state(legacy=False)["state"]
    torch_state = torch.get_rng_state().numpy().tobytes()
    return torch_state, numpy_state["key"].tobytes(), numpy_state["pos"]


def forgets_earlier_fits(cls: type[Probe]) -> None:
    """A second fit is as good as a first."""
    other, train, test = _train(cls, seed=3), _train(cls), _test(cls)
    probe = _fit(cls, other)
    probe.fit(train.x, train.y, **train.to_fit(cls.needs))
    _require(
        torch.equal(_scores(probe, test), _scores(_fit(cls, train), test)),
        "a probe that was fitted before scores differently from a fresh one",
    )


def survives_odd_states(cls: type[Probe]) -> None:
    """Constant features, duplicate rows, huge and tiny scales."""
    train, test = _train(cls), _test(cls)
    features = torch.arange(train.x.shape[-1])
    rows = torch.arange(len(train.y)) // 4
    axis = example_axis(cls.reads) + train.x.ndim
    odd = {
        "constant features": [
            replace(d, x=torch.where(features < 4, 7.0, d.x)) for d in (train, test)
        ],
        "duplicate rows": [_part(train, rows, axis), test],
        "states of size 1e6": [replace(d, x=d.x * 1e6) for d in (train, test)],
        "states of size 1e-6": [replace(d, x=d.x * 1e-6) for d in (train, test)],
        "features of very different sizes": [
            replace(d, x=d.x * 10.0 ** (features % 7 - 3)) for d in (train, test)
        ],
        "states far from the origin": [replace(d, x=d.x + 1e3) for d in (train, test)],
    }
    for what, (odd_train, odd_test) in odd.items():
        scores = _scores(_fit(cls, odd_train), odd_test)
        _require(bool(torch.isfinite(scores).all()), f"scores are not finite with {what}")


def refuses_bad_input(cls: type[Probe]) -> None:
    """Each is a ValueError."""
    train, test = _train(cls), _test(cls)
    axis = example_axis(cls.reads) + train.x.ndim
    for value, what in [(torch.nan, "NaN"), (torch.inf, "infinity")]:
        broken = train.x.clone()
        broken.view(-1)[5] = value
        _refuses(functools.partial(_fit, cls, replace(train, x=broken)), f"states with {what}")
    _refuses(lambda: _fit(cls, _part(train, torch.arange(2), axis)), "a fit on 2 examples")
    _refuses(lambda: cls(seed=0).score(test.x, **test.to_score(cls.needs)), "`score` before `fit`")
    if cls.supervision != "none":
        one_class = replace(train, y=torch.ones_like(train.y))
        _refuses(lambda: _fit(cls, one_class), "labels of one class")
    probe = _fit(cls, train)
    narrow = replace(test, x=test.x[..., :-1])
    _refuses(lambda: _scores(probe, narrow), "states with another number of features at `score`")


def _refuses(act: Callable[[], object], what: str) -> None:
    try:
        act()
    except ValueError:
        return
    except Exception as error:
        raise ProbeCheckError(
            f"{what} must raise ValueError, not {type(error).__name__}"
        ) from error
    raise ProbeCheckError(f"{what} must raise ValueError")


def reads_half_precision(cls: type[Probe]) -> None:
    """bf16 states are scored as the same numbers in float32."""
    train, test = _train(cls), _test(cls)
    half = [replace(d, x=d.x.to(torch.bfloat16)) for d in (train, test)]
    full = [replace(d, x=d.x.float()) for d in half]
    scores = _scores(_fit(cls, half[0]), half[1])
    _require(
        scores.dtype in (torch.float32, torch.float64)
        and _alike(_scores(_fit(cls, full[0]), full[1]), scores.float()),
        "bf16 states are scored differently from the same numbers in float32",
    )


def saves_and_loads(cls: type[Probe]) -> None:
    """A linear probe comes back from its folder bit for bit."""
    if not issubclass(cls, LinearProbe):
        return
    test = _test(cls, (2,))
    probe = _fit(cls, _train(cls, (2,)))
    assert isinstance(probe, LinearProbe)
    with tempfile.TemporaryDirectory() as folder:
        probe.save(folder)
        loaded = cls.load(folder)
    _require(
        torch.equal(loaded.weight, probe.weight) and torch.equal(loaded.bias, probe.bias),
        "`weight` and `bias` change when they are saved and loaded",
    )
    _require(
        torch.equal(_scores(loaded, test), _scores(probe, test)),
        "a probe that was saved and loaded scores differently",
    )


def agrees_on_gpu(cls: type[Probe]) -> None:
    """States on a CUDA device, where there is one, are scored there, and as on the CPU."""
    if not torch.cuda.is_available():
        return
    train, test = _train(cls), _test(cls)
    here = _scores(_fit(cls, train), test)
    train, test = (replace(data, x=data.x.cuda()) for data in (train, test))
    there = _scores(_fit(cls, train), test)
    _require(there.is_cuda, "states on the GPU must be scored there")
    _require(_alike(here, there.cpu()), "CPU and GPU score differently")


CHECKS: dict[str, Check] = {
    check.__name__: check
    for check in (
        declares_the_contract,
        keeps_shapes,
        batched_equals_looped,
        finds_planted_wide,
        finds_planted_tall,
        scores_examples_alone,
        leaves_its_input,
        mirrors_labels,
        obeys_supervision,
        same_seed_same_scores,
        forgets_earlier_fits,
        survives_odd_states,
        refuses_bad_input,
        reads_half_precision,
        saves_and_loads,
        agrees_on_gpu,
    )
}
