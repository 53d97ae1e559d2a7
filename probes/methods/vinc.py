"""Variance, invariance, negative covariance (EleutherAI 2024, blog.eleuther.ai/vincs)."""

import math
from typing import Literal, Self

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from probes.inputs import require_choice
from probes.linear import LinearProbe
from probes.numerics.erasure import Erasure, erase_groups, erased_groups
from probes.numerics.orientation import orient_axes
from probes.registry import register_probe

Divisor = Literal["n-1", "n"]
"""What a sum over n points is divided by in a covariance."""


class QuadraticFormProbe(LinearProbe):
    """The base of VINC and VINC-S: the direction that maximises a weighted sum of quadratic forms.

    Each of `weights` is the weight of one form; see `_objective`.
    """

    reads = "pair"
    needs = ("template", "question")
    calibrated = True

    def __init__(self, *, seed: int, norm: Erasure, divisor: Divisor, **weights: float) -> None:
        require_choice("norm", norm, Erasure)
        require_choice("divisor", divisor, Divisor)
        for name, weight in weights.items():
            if not math.isfinite(weight):
                raise ValueError(f"{name} must be a number, not {weight!r}")
            if weight < 0 and name != "neg_cov_weight":
                raise ValueError(f"{name} must be 0 or more, not {weight!r}")
        if not any(weights.values()):
            raise ValueError(f"{', '.join(weights)} are all 0; at least one must not be")
        super().__init__(seed=seed, norm=norm, divisor=divisor, **weights)
        self.norm: Erasure = norm
        self.correction = 1 if divisor == "n-1" else 0
        self.weights = weights

    def fit(
        self,
        x: Float[Tensor, "*layers n 2 d"],
        y: Bool[Tensor, "n"],
        *,
        template: Int[Tensor, "n"] | None = None,
        question: Int[Tensor, "n"] | None = None,
        **needs: Tensor,
    ) -> Self:
        """Find the direction of each layer.

        Without `template` all pairs have the same template, and without `question` each pair is a
        question of its own.

        Raises:
            ValueError: if there are so many templates that erasing them leaves nothing, or if all
                pairs are of one question.
        """
        groups = erased_groups(self.norm, template, x, self.name)
        if question is None:
            question = torch.arange(len(y), device=x.device)
        if bool((question == question[0]).all()):
            raise ValueError(f"all pairs are of one question; probe {self.name!r} needs two")
        axes = []
        for layer in self.rows(x):
            erased = erase_groups(layer.unflatten(-1, (2, -1)), groups, self.norm)
            objective = self._objective(erased.states, y, question)
            direction = best_direction(objective, erased.states) @ erased.linear
            axes.append(torch.cat([-direction, direction]))
        return self.set_direction(x, *orient_axes(self.rows(x), torch.stack(axes), y))

    def _objective(
        self, states: Float[Tensor, "2 n d"], y: Bool[Tensor, "n"], question: Int[Tensor, "n"]
    ) -> Float[Tensor, "d d"]:
        """Return the matrix whose quadratic form is maximised."""
        means, deviations = group_by_question(states, question, self.correction)
        (false, true), n = means - means.mean(1, keepdim=True), means.shape[1] - self.correction
        variance = (true.mT @ true + false.mT @ false) / n
        covariance = (true.mT @ false + false.mT @ true) / n
        terms = {
            "var_weight": variance,
            "inv_weight": -deviations.mT @ deviations,
            "neg_cov_weight": -covariance,
            "sup_weight": between_class_covariance(states, y),
        }
        return sum((weight * terms[name] for name, weight in self.weights.items()), 0 * variance)


@register_probe
class Vinc(QuadraticFormProbe):
    """The direction along which questions differ, templates agree, and the answers disagree.

    Each question is rendered in several templates. With T and F the states at the true and at the
    false answer token, averaged over the templates of a question, the direction is the top
    eigenvector, in the space that the states span, of (equations 5 to 8 of the post)

        var_weight     (Cov(T) + Cov(F))
      - inv_weight     (covariances over the templates of a question, averaged over questions)
      - neg_cov_weight (Cov(T, F) + Cov(F, T)).

    The axis is found without labels. Labels then orient and scale it by a logistic regression on
    the projection, and have no other use.

    Invariance is undefined for a question that occurs once; the average omits such questions. If
    no question occurs twice, or `question` is not given, the term is 0, and with equal other
    weights the probe is `crc` of that norm. So it needs questions in several templates.

    The post sweeps the weights and recommends none; they are 1 here. First LEACE (arXiv 2306.03819)
    erases what `norm` says:

    - "leace-template-raw", the default, as in the post: the answer in each template is erased, and
      features are not scaled.
    - "leace": the answer is erased, whatever the template; features are not scaled.
    - "leace-template": features are divided by their spread within each answer and template, and
      the answer in each template is erased.

    `divisor` is that of all covariances: of v templates of a question, and of n questions. The post
    leaves it open. "n-1", the default, also divides by v - 1, as the code that the post links to
    (EleutherAI/elk-generalization, vincs.py); "n" also divides by v, as EleutherAI/elk and its
    successor EleutherAI/ccs do. With v = 2 the second halves the weight of invariance.

    The code differs from the post, and these parameters reach what it maximises, up to a factor:

    - elk and ccs: var_weight=0, inv_weight=.5, neg_cov_weight=.5, divisor="n", norm="leace".
    - elk-generalization adds the covariance of the answers, which the post subtracts, and has no
      variance: var_weight=0, inv_weight=1, neg_cov_weight=-1, and in `vinc-s` twice its weight of
      supervision. By default it erases nothing, which cannot be had here; its later option to erase
      answers and templates is norm="leace-template-raw".
    """

    name = "vinc"
    supervision = "sign"

    def __init__(
        self,
        *,
        seed: int = 0,
        var_weight: float = 1.0,
        inv_weight: float = 1.0,
        neg_cov_weight: float = 1.0,
        norm: Erasure = "leace-template-raw",
        divisor: Divisor = "n-1",
    ) -> None:
        super().__init__(
            seed=seed,
            norm=norm,
            divisor=divisor,
            var_weight=var_weight,
            inv_weight=inv_weight,
            neg_cov_weight=neg_cov_weight,
        )


@register_probe
class SupervisedVinc(QuadraticFormProbe):
    """VINC-S: `vinc` with a term that separates the means of right and wrong answers.

    The matrix of `vinc` gains sup_weight times the covariance of two points: the mean of the
    states that end on the right answer, and the mean of those that end on the wrong one (equation
    7 of the post). Labels define these two classes, and orient and scale the axis. With sup_weight
    alone the direction is the difference of those means. The post recommends no value of this
    weight either; it is 1 here. All other parameters are those of `vinc`.
    """

    name = "vinc-s"
    supervision = "labels"

    def __init__(
        self,
        *,
        seed: int = 0,
        var_weight: float = 1.0,
        inv_weight: float = 1.0,
        neg_cov_weight: float = 1.0,
        sup_weight: float = 1.0,
        norm: Erasure = "leace-template-raw",
        divisor: Divisor = "n-1",
    ) -> None:
        super().__init__(
            seed=seed,
            norm=norm,
            divisor=divisor,
            var_weight=var_weight,
            inv_weight=inv_weight,
            neg_cov_weight=neg_cov_weight,
            sup_weight=sup_weight,
        )


def best_direction(
    objective: Float[Tensor, "d d"], states: Float[Tensor, "2 n d"]
) -> Float[Tensor, "d"]:
    """Return the unit vector with the largest quadratic form in the span of the centred states.

    It is the zero vector if all states are equal. Outside the span, which erasure or a lack of
    examples may restrict, the form is 0. That would be the maximum where invariance outweighs the
    other terms.
    """
    rows = states.flatten(0, 1) - states.mean((0, 1))
    values, vectors = torch.linalg.eigh(rows.mT @ rows)
    span = vectors[:, values > 1e-12 * values[-1]]
    if not span.shape[1]:  # all states are equal: no direction is better than another
        return rows.new_zeros(rows.shape[1])
    return span @ torch.linalg.eigh(span.mT @ objective @ span).eigenvectors[:, -1]


def group_by_question(
    states: Float[Tensor, "2 n d"], question: Int[Tensor, "n"], correction: int
) -> tuple[Float[Tensor, "2 questions d"], Float[Tensor, "2n d"]]:
    """Return the mean of each question's states, and the scaled deviations from it.

    The Gram matrix of the scaled deviations is the covariance within a question, summed over both
    answers and averaged over the questions that occur more than once. That of a question's v states
    is divided by v - `correction`.
    """
    _, index, counts = torch.unique(question, return_inverse=True, return_counts=True)
    sums = states.new_zeros(2, len(counts), states.shape[-1]).index_add_(1, index, states)
    means = sums / counts[:, None]
    n_repeated = (counts > 1).sum().clamp(min=1)
    scale = ((counts[index] - correction).clamp(min=1) * n_repeated).to(states.dtype).rsqrt()
    return means, ((states - means[:, index]) * scale[:, None]).flatten(0, 1)


def between_class_covariance(
    states: Float[Tensor, "2 n d"], y: Bool[Tensor, "n"]
) -> Float[Tensor, "d d"]:
    """Return the covariance of two points: the mean states of the right and wrong answers."""
    right = torch.where(y[:, None], states[1], states[0])
    wrong = torch.where(y[:, None], states[0], states[1])
    difference = right.mean(0) - wrong.mean(0)
    return torch.outer(difference, difference) / 2
