"""Variance, invariance, negative covariance (EleutherAI 2024, blog.eleuther.ai/vincs)."""

import math
from typing import Self

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from probes.linear import LinearProbe
from probes.numerics.erasure import answer_template_codes, erase_groups
from probes.numerics.orientation import orient_axes
from probes.registry import register_probe


class QuadraticFormProbe(LinearProbe):
    """The base of VINC and VINC-S: the direction that maximises a weighted sum of quadratic forms.

    Each keyword of the constructor is the weight of one form; see `_objective`.
    """

    reads = "pair"
    needs = ("template", "question")
    calibrated = True

    def __init__(self, *, seed: int, **weights: float) -> None:
        for name, weight in weights.items():
            if not (math.isfinite(weight) and weight >= 0):
                raise ValueError(f"{name} must be 0 or more, not {weight!r}")
        if not any(weights.values()):
            raise ValueError(f"{', '.join(weights)} are all 0; at least one must be positive")
        super().__init__(seed=seed, **weights)
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
        groups = answer_template_codes(template, x, self.name)
        if question is None:
            question = torch.arange(len(y), device=x.device)
        if bool((question == question[0]).all()):
            raise ValueError(f"all pairs are of one question; probe {self.name!r} needs two")
        axes = []
        for layer in self.rows(x):
            states, linear = erase_groups(layer.unflatten(-1, (2, -1)), groups)
            direction = best_direction(self._objective(states, y, question), states) @ linear
            axes.append(torch.cat([-direction, direction]))
        return self.set_direction(x, *orient_axes(self.rows(x), torch.stack(axes), y))

    def _objective(
        self, states: Float[Tensor, "2 n d"], y: Bool[Tensor, "n"], question: Int[Tensor, "n"]
    ) -> Float[Tensor, "d d"]:
        """Return the matrix whose quadratic form is maximised."""
        means, deviations = group_by_question(states, question)
        (false, true), n = means - means.mean(1, keepdim=True), means.shape[1]
        variance = (true.mT @ true + false.mT @ false) / (n - 1)
        covariance = (true.mT @ false + false.mT @ true) / (n - 1)
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
    eigenvector, in the space that the states span, of (equation 8 of the post)

        var_weight     (Cov(T) + Cov(F))
      - inv_weight     (covariances over the templates of a question, averaged over questions)
      - neg_cov_weight (Cov(T, F) + Cov(F, T)).

    The axis is found without labels. Labels then orient and scale it by a logistic regression on
    the projection, and have no other use.

    Invariance is undefined for a question that occurs once; the average omits such questions. If
    no question occurs twice, or `question` is not given, the term is 0, and with equal other
    weights the probe is `crc`. So it needs questions in several templates.

    First the states are scaled by their spread within each answer and template, and LEACE erases
    both; the post erases and does not scale. It does not specify the weights; they are 1 here.
    EleutherAI's code differs from the post: that of `elk`, later `ccs`, has variance 0, invariance
    1/2 and negative covariance 1/2, and that of `elk-generalization` adds the covariance of the
    answers, which the post subtracts.
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
    ) -> None:
        super().__init__(
            seed=seed,
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
    alone the direction is the difference of those means. The post does not specify this weight
    either; it is 1 here.
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
    ) -> None:
        super().__init__(
            seed=seed,
            var_weight=var_weight,
            inv_weight=inv_weight,
            neg_cov_weight=neg_cov_weight,
            sup_weight=sup_weight,
        )


def best_direction(
    objective: Float[Tensor, "d d"], states: Float[Tensor, "2 n d"]
) -> Float[Tensor, "d"]:
    """Return the unit vector with the largest quadratic form in the span of the centred states.

    Outside the span, which erasure or a lack of examples may restrict, the form is 0. That would
    be the maximum where invariance outweighs the other terms.
    """
    rows = states.flatten(0, 1) - states.mean((0, 1))
    values, vectors = torch.linalg.eigh(rows.mT @ rows)
    span = vectors[:, values > 1e-12 * values[-1]]
    return span @ torch.linalg.eigh(span.mT @ objective @ span).eigenvectors[:, -1]


def group_by_question(
    states: Float[Tensor, "2 n d"], question: Int[Tensor, "n"]
) -> tuple[Float[Tensor, "2 questions d"], Float[Tensor, "2n d"]]:
    """Return the mean of each question's states, and the scaled deviations from it.

    The Gram matrix of the scaled deviations is the covariance within a question, summed over both
    answers and averaged over the questions that occur more than once.
    """
    _, index, counts = torch.unique(question, return_inverse=True, return_counts=True)
    sums = states.new_zeros(2, len(counts), states.shape[-1]).index_add_(1, index, states)
    means = sums / counts[:, None]
    n_repeated = (counts > 1).sum().clamp(min=1)
    scale = ((counts[index] - 1).clamp(min=1) * n_repeated).to(states.dtype).rsqrt()
    return means, ((states - means[:, index]) * scale[:, None]).flatten(0, 1)


def between_class_covariance(
    states: Float[Tensor, "2 n d"], y: Bool[Tensor, "n"]
) -> Float[Tensor, "d d"]:
    """Return the covariance of two points: the mean states of the right and wrong answers."""
    right = torch.where(y[:, None], states[1], states[0])
    wrong = torch.where(y[:, None], states[0], states[1])
    difference = right.mean(0) - wrong.mean(0)
    return torch.outer(difference, difference) / 2
