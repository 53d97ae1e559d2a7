"""The probe contract, linear probes, and scikit-learn classifiers as probes."""

import functools
import inspect
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, Literal, Self, TypeVar

import torch
from jaxtyping import Bool, Float
from safetensors.torch import load_file, save_file
from torch import Tensor

from probes.inputs import (
    MIN_EXAMPLES,
    SCORE_NEEDS,
    Reads,
    checked_labels,
    checked_needs,
    checked_states,
    example_axis,
)


class Probe:
    """Learns from the hidden states of claims to score them: higher = truer.

    A method is a subclass that declares the class variables below and writes `fit` and
    `score`. Both are guarded: when they run, `x` is finite float32 of the right shape, `y`
    is boolean and holds both classes (unless `supervision` is "none"), further columns are
    as long as the examples, and at `score` the layers and features are those of the fit;
    anything else is a ValueError that names the figure.

    All statistics are those of the fitted data: the score of an example never depends on
    the other examples that are scored with it. Randomness comes from `seed` alone.
    """

    name: ClassVar[str]
    reads: ClassVar[Reads]
    """"prompt": x is (*layers, n, d). "pair": (*layers, n, 2, d), in the order false, true.
    "tokens": (*layers, n, t, d), with a mask."""
    supervision: ClassVar[Literal["labels", "sign", "none"]]
    """What labels may do. "sign": only orient and scale the axis. "none": nothing."""
    needs: ClassVar[tuple[str, ...]] = ()
    """Further columns, given by keyword as integer codes: "template" and "mask" to `fit` and
    `score`, "polarity" and "question" to `fit`."""
    calibrated: ClassVar[bool] = False
    """True: scores are log-odds."""
    batched: ClassVar[bool] = True
    """False: it gains nothing from being given all layers at once."""
    exempt: ClassVar[dict[str, str]] = {}
    """Checks of `check_probe` that do not apply, each with the reason."""

    _fitted_shape: tuple[tuple[int, ...], int] | None = None

    def __init__(self, *, seed: int = 0, **hyperparameters: Any) -> None:
        self.seed = seed
        self.hyperparameters = hyperparameters

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for method, guard in (("fit", _guarded_fit), ("score", _guarded_score)):
            if method in vars(cls):
                setattr(cls, method, guard(vars(cls)[method]))

    @classmethod
    def known_hyperparameters(cls) -> dict[str, Any]:
        """The keyword arguments of the constructor and their defaults, `seed` included."""
        known: dict[str, Any] = {"seed": 0}
        for parameter in list(inspect.signature(cls.__init__).parameters.values())[1:]:
            if parameter.kind is not parameter.VAR_KEYWORD:
                known[parameter.name] = parameter.default
        return known

    def fit(self, x: Float[Tensor, "..."], y: Bool[Tensor, "n"], **needs: Tensor) -> Self:
        """Learn from states `x` (see `reads`) and labels `y`; returns the probe itself."""
        raise NotImplementedError(f"{type(self).__name__} has no fit")

    def score(self, x: Float[Tensor, "..."], **needs: Tensor) -> Float[Tensor, "*layers n"]:
        """One score for each layer and example; higher = truer."""
        raise NotImplementedError(f"{type(self).__name__} has no score")


def _guarded_fit(fit: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(fit)
    def guarded(self: Probe, x: Any, y: Any, **needs: Any) -> Any:
        x = checked_states(x, self.reads)
        axis = example_axis(self.reads)
        n = x.shape[axis]
        if n < MIN_EXAMPLES:
            raise ValueError(f"too few examples: {n}; a fit takes at least {MIN_EXAMPLES}")
        y = checked_labels(y, n, x.device, both=self.supervision != "none")
        needs = checked_needs(needs, self.needs, n, x.device, self.name)
        fitted = fit(self, x, y, **needs)
        self._fitted_shape = (tuple(x.shape[:axis]), x.shape[-1])
        return fitted

    return guarded


def _guarded_score(score: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(score)
    def guarded(self: Probe, x: Any, **needs: Any) -> Any:
        if self._fitted_shape is None:
            raise ValueError(f"probe {self.name!r} is not fitted: call fit(x, y) before score(x)")
        x = checked_states(x, self.reads)
        axis = example_axis(self.reads)
        layers, features = self._fitted_shape
        if x.shape[-1] != features:
            raise ValueError(
                f"probe {self.name!r} was fitted on {features} features; "
                f"these states have {x.shape[-1]}"
            )
        if tuple(x.shape[:axis]) != layers:
            raise ValueError(
                f"probe {self.name!r} was fitted on layers of shape {layers}; "
                f"these states have {tuple(x.shape[:axis])}"
            )
        declared = [column for column in self.needs if column in SCORE_NEEDS]
        return score(self, x, **checked_needs(needs, declared, x.shape[axis], x.device, self.name))

    return guarded


CHUNK = 2**25
"""Numbers in the float64 copy of states that a linear method holds at a time (256 MB)."""


class LinearProbe(Probe):
    """A probe whose score is an affine map of the raw states, one for each layer.

    `fit` leaves `weight` (*layers, d), or (*layers, 2, d) where it reads pairs, and `bias`
    (*layers), both float64 on the device of the states: where the mean of a feature is a
    thousand times its spread, float32 would lose the score.
    """

    weight: Float[Tensor, "..."]
    bias: Float[Tensor, "*layers"]
    kept: ClassVar[tuple[str, ...]] = ("weight", "bias")
    """The tensors that `save` writes and `load` sets."""

    def rows(self, x: Float[Tensor, "..."]) -> Float[Tensor, "layers n k"]:
        """The states with layers flattened and the two answers of a pair concatenated."""
        rows = x.flatten(-2) if self.reads == "pair" else x
        return rows.reshape(-1, *rows.shape[-2:])

    def chunks(self, x: Float[Tensor, "..."]) -> tuple[Float[Tensor, "layers n k"], ...]:
        """`rows(x)` in groups of layers that may be copied to float64 at a time."""
        rows = self.rows(x)
        return rows.split(max(1, CHUNK // rows[0].numel()))

    def set_direction(
        self,
        x: Float[Tensor, "..."],
        weight: Float[Tensor, "layers k"],
        bias: Float[Tensor, "layers"],
    ) -> Self:
        """Keep what was fitted on `rows(x)`, in the shape of `x`."""
        axis = example_axis(self.reads)
        layers = x.shape[:axis]
        self.weight = weight.reshape(*layers, *x.shape[axis + 1 :])
        self.bias = bias.reshape(layers)
        return self

    def score(self, x: Float[Tensor, "..."], **needs: Tensor) -> Float[Tensor, "*layers n"]:
        """The affine map, computed in float64 one layer at a time and returned in float32."""
        return self.affine(x, self.weight, self.bias)

    def affine(
        self, x: Float[Tensor, "..."], weight: Float[Tensor, "..."], bias: Float[Tensor, "*layers"]
    ) -> Float[Tensor, "*layers n"]:
        """The score of states by a map of the shapes of `weight` and `bias`."""
        rows = self.rows(x)
        weight = weight.to(x.device).reshape(len(rows), -1)
        bias = bias.to(x.device).reshape(len(rows))
        scores = torch.empty(rows.shape[:2], device=x.device)
        for layer, states in enumerate(rows):
            scores[layer] = states.double() @ weight[layer] + bias[layer]
        return scores.reshape(x.shape[: example_axis(self.reads) + 1])

    def save(self, folder: str | Path) -> None:
        """Write `probe.safetensors` and `probe.json` into `folder`, which is made if need be."""
        if self._fitted_shape is None:
            raise ValueError(f"probe {self.name!r} is not fitted: there is nothing to save")
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        tensors = {name: getattr(self, name).cpu().contiguous() for name in self.kept}
        save_file(tensors, _tensor_file(folder))
        manifest = {
            "format": 1,
            "probe": self.name,
            "seed": self.seed,
            "hyperparameters": self.hyperparameters,
        }
        _manifest_file(folder).write_text(json.dumps(manifest, indent=2) + "\n")

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """The probe that `save` wrote to `folder`, on the CPU.

        `LinearProbe.load` finds the method by the name that was saved; a subclass loads its
        own. Raises ValueError when the folder holds another probe or another format.
        """
        folder = Path(folder)
        manifest = json.loads(_manifest_file(folder).read_text())
        if manifest.get("format") != 1:
            raise ValueError(f"{folder} has probe format {manifest.get('format')!r}; known: 1")
        probe = _saved_class(cls, manifest["probe"])(
            seed=manifest["seed"], **manifest["hyperparameters"]
        )
        tensors = load_file(_tensor_file(folder))
        missing = [name for name in probe.kept if name not in tensors]
        if missing:
            raise ValueError(
                f"{folder} was saved by another version: it lacks {', '.join(missing)}"
            )
        for name in probe.kept:
            setattr(probe, name, tensors[name])
        probe._fitted_shape = (tuple(probe.bias.shape), probe.weight.shape[-1])
        return probe


AnyLinear = TypeVar("AnyLinear", bound=LinearProbe)


def _tensor_file(folder: Path) -> Path:
    return folder / "probe.safetensors"


def _manifest_file(folder: Path) -> Path:
    return folder / "probe.json"


def _saved_class(cls: type[AnyLinear], name: str) -> type[AnyLinear]:
    if "name" in vars(cls) and cls.name == name:
        return cls
    from probes.registry import probe_class  # the registry imports this module

    saved = probe_class(name)
    if not issubclass(saved, cls):
        raise ValueError(f"the folder holds probe {name!r}, which {cls.__name__} cannot load")
    return saved


def sklearn_probe(name: str, Estimator: Callable[..., Any], **params: Any) -> type[Probe]:
    """A probe class of a scikit-learn classifier, fitted to each layer by itself.

    `params` are the classifier's; the hyper-parameters of the probe override them, and
    `seed` is its `random_state` where it has one. The score is `decision_function`, or else
    the log-odds of `predict_proba`; ValueError when `Estimator` has neither. The class counts
    as one of the module that calls this.

        register_probe(sklearn_probe("svm", LinearSVC))
    """
    if not any(hasattr(Estimator, method) for method in ("decision_function", "predict_proba")):
        raise ValueError(f"{Estimator!r} has neither decision_function nor predict_proba")
    defaults = Estimator(**params).get_params(deep=False)

    class SklearnProbe(Probe):
        reads = "prompt"
        supervision = "labels"
        batched = False
        wraps = Estimator

        def __init__(self, *, seed: int = 0, **hyperparameters: Any) -> None:
            super().__init__(seed=seed, **hyperparameters)
            seeded = {"random_state": seed} if "random_state" in defaults else {}
            self._settings = defaults | seeded | hyperparameters

        @classmethod
        def known_hyperparameters(cls) -> dict[str, Any]:
            return {"seed": 0} | defaults

        def fit(self, x: Float[Tensor, "*layers n d"], y: Bool[Tensor, "n"], **_: Tensor) -> Self:
            self._fitted = [
                Estimator(**self._settings).fit(layer.cpu().numpy(), y.cpu().numpy())
                for layer in x.reshape(-1, *x.shape[-2:])
            ]
            return self

        def score(self, x: Float[Tensor, "*layers n d"], **_: Tensor) -> Float[Tensor, "*layers n"]:
            layers = x.reshape(-1, *x.shape[-2:])
            scores = [_log_odds(e, s) for e, s in zip(self._fitted, layers, strict=True)]
            return torch.stack(scores).reshape(x.shape[:-1])

    SklearnProbe.name = name
    SklearnProbe.__name__ = SklearnProbe.__qualname__ = f"SklearnProbe[{name}]"
    SklearnProbe.__module__ = sys._getframe(1).f_globals.get("__name__", "__main__")
    SklearnProbe.__doc__ = f"scikit-learn's {getattr(Estimator, '__name__', Estimator)}."
    return SklearnProbe


def _log_odds(classifier: Any, states: Float[Tensor, "n d"]) -> Float[Tensor, "n"]:
    rows = states.cpu().numpy()
    if hasattr(classifier, "decision_function"):
        scores = torch.as_tensor(classifier.decision_function(rows))
    else:
        scores = torch.as_tensor(classifier.predict_proba(rows)[:, 1]).double().logit(eps=1e-7)
    return scores.to(states.device, torch.float32)
