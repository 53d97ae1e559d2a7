"""Scikit-learn classifiers as probes."""

import sys
from collections.abc import Callable
from typing import Any, Self

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from probes.base import Probe


def sklearn_probe(name: str, Estimator: Callable[..., Any], **params: Any) -> type[Probe]:
    """Return a probe class that fits a scikit-learn classifier to each layer.

        register_probe(sklearn_probe("svm", LinearSVC))

    The score is `decision_function`, or the log-odds of `predict_proba` where the classifier has
    no `decision_function`. The class belongs to the module that calls this function.

    Args:
        name: the name of the probe.
        Estimator: the class of the classifier.
        **params: arguments of the classifier. Hyper-parameters of the probe override them, and
            `seed` is its `random_state` where it has one.

    Raises:
        ValueError: if `Estimator` has neither `decision_function` nor `predict_proba`.
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
            random_state = {"random_state": seed} if "random_state" in defaults else {}
            self._settings = defaults | random_state | hyperparameters

        @classmethod
        def hyperparameter_defaults(cls) -> dict[str, Any]:
            return {"seed": 0} | defaults

        def fit(self, x: Float[Tensor, "*layers n d"], y: Bool[Tensor, "n"], **_: Tensor) -> Self:
            self._classifiers = [
                Estimator(**self._settings).fit(layer.cpu().numpy(), y.cpu().numpy())
                for layer in x.reshape(-1, *x.shape[-2:])
            ]
            return self

        def score(self, x: Float[Tensor, "*layers n d"], **_: Tensor) -> Float[Tensor, "*layers n"]:
            layers = x.reshape(-1, *x.shape[-2:])
            scores = map(_score_states, self._classifiers, layers)
            return torch.stack(list(scores)).reshape(x.shape[:-1])

    SklearnProbe.name = name
    SklearnProbe.__name__ = SklearnProbe.__qualname__ = f"SklearnProbe[{name}]"
    SklearnProbe.__module__ = sys._getframe(1).f_globals.get("__name__", "__main__")
    SklearnProbe.__doc__ = f"scikit-learn's {getattr(Estimator, '__name__', Estimator)}."
    return SklearnProbe


def _score_states(classifier: Any, states: Float[Tensor, "n d"]) -> Float[Tensor, "n"]:
    rows = states.cpu().numpy()
    if hasattr(classifier, "decision_function"):
        scores = torch.as_tensor(classifier.decision_function(rows))
    else:
        scores = torch.as_tensor(classifier.predict_proba(rows)[:, 1]).double().logit(eps=1e-7)
    return scores.to(states.device, torch.float32)
