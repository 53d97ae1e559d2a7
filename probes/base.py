"""The probe contract: the class that every probe derives from, and the guards on its input."""

import functools
import inspect
from collections.abc import Callable
from typing import Any, ClassVar, Literal, Self, get_args

from jaxtyping import Bool, Float
from torch import Tensor

from probes.inputs import (
    MIN_EXAMPLES,
    SCORE_NEEDS,
    Reads,
    example_axis,
    validate_columns,
    validate_labels,
    validate_states,
)

Supervision = Literal["labels", "sign", "none"]


class Probe:
    """Learns from the hidden states of claims to score them; a higher score means truer.

    A method is a subclass that declares the class variables below and implements `fit` and
    `score`. Both are guarded. When they run, `x` is finite float32 of the right shape, `y` is
    boolean and holds both classes (unless `supervision` is "none"), and every further column has
    one row per example. At `score`, layers and features are those of the fit. Any other input is
    a ValueError that names the offending number.

    Statistics are those of the fitted data: the score of an example never depends on the examples
    that are scored with it. All randomness comes from `seed`.
    """

    name: ClassVar[str]
    """The name in recipes, results and the registry."""
    reads: ClassVar[Reads]
    """`prompt`: x is `(*layers, n, d)`. `pair`: `(*layers, n, 2, d)`, in the order false, true.
    `tokens`: `(*layers, n, t, d)`, with a mask."""
    supervision: ClassVar[Supervision]
    """How labels may be used. "labels": freely. "sign": only to orient and scale the axis.
    "none": not at all."""
    needs: ClassVar[tuple[str, ...]] = ()
    """Further columns, passed by keyword as integer codes: "template" and "mask" to `fit` and
    `score`, "polarity" and "question" to `fit`."""
    calibrated: ClassVar[bool] = False
    """Whether scores are log-odds."""
    batched: ClassVar[bool] = True
    """Whether fitting all layers in one call is faster than one call per layer."""
    exempt: ClassVar[dict[str, str]] = {}
    """Checks of `check_probe` that do not apply, each with the reason."""

    _fitted_shape: tuple[tuple[int, ...], int] | None = None

    def __init__(self, *, seed: int = 0, **hyperparameters: Any) -> None:
        self.seed = seed
        self.hyperparameters = hyperparameters

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for method, guard in (("fit", _guard_fit), ("score", _guard_score)):
            if method in vars(cls):
                setattr(cls, method, guard(vars(cls)[method]))

    @classmethod
    def hyperparameter_defaults(cls) -> dict[str, Any]:
        """Return the keyword arguments of the constructor and their defaults, with `seed`."""
        defaults: dict[str, Any] = {"seed": 0}
        for parameter in list(inspect.signature(cls.__init__).parameters.values())[1:]:
            if parameter.kind is not parameter.VAR_KEYWORD:
                defaults[parameter.name] = parameter.default
        return defaults

    def fit(self, x: Float[Tensor, "..."], y: Bool[Tensor, "n"], **needs: Tensor) -> Self:
        """Fit the probe to states `x` (see `reads`) and labels `y`, and return it.

        Raises:
            ValueError: if the input breaks the contract, or there are fewer than 4 examples.
        """
        raise NotImplementedError(f"{type(self).__name__} has no fit")

    def score(self, x: Float[Tensor, "..."], **needs: Tensor) -> Float[Tensor, "*layers n"]:
        """Return one score per layer and example; higher means truer.

        Raises:
            ValueError: if the probe is not fitted, or the states differ from those of the fit in
                layers or features.
        """
        raise NotImplementedError(f"{type(self).__name__} has no score")


def require_contract(cls: Any) -> None:
    """Check that `cls` is a probe class with valid class variables.

    Raises:
        ValueError: naming the class, the variable and the valid values.
    """
    if not (inspect.isclass(cls) and issubclass(cls, Probe)):
        raise ValueError(f"{cls!r} is not a probe class: derive it from probes.Probe")
    if not isinstance(getattr(cls, "name", None), str):
        raise ValueError(f"{cls.__name__} has no `name`: give it a class variable name = '...'")
    for variable, choices in (("reads", get_args(Reads)), ("supervision", get_args(Supervision))):
        value = getattr(cls, variable, None)
        if value not in choices:
            raise ValueError(f"{cls.__name__}.{variable} is {value!r}; known: {', '.join(choices)}")


def _guard_fit(fit: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(fit)
    def guarded(self: Probe, x: Any, y: Any, **needs: Any) -> Any:
        x = validate_states(x, self.reads)
        axis = example_axis(self.reads)
        n = x.shape[axis]
        if n < MIN_EXAMPLES:
            raise ValueError(f"too few examples: {n}; a fit takes at least {MIN_EXAMPLES}")
        y = validate_labels(y, n, x.device, both_classes=self.supervision != "none")
        needs = validate_columns(needs, self.needs, n, x.device, self.name)
        probe = fit(self, x, y, **needs)
        self._fitted_shape = (tuple(x.shape[:axis]), x.shape[-1])
        return probe

    return guarded


def _guard_score(score: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(score)
    def guarded(self: Probe, x: Any, **needs: Any) -> Any:
        if self._fitted_shape is None:
            raise ValueError(f"probe {self.name!r} is not fitted: call fit(x, y) before score(x)")
        x = validate_states(x, self.reads)
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
        columns = [column for column in self.needs if column in SCORE_NEEDS]
        needs = validate_columns(needs, columns, x.shape[axis], x.device, self.name)
        return score(self, x, **needs)

    return guarded
