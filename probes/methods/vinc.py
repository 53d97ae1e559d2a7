"""Variance, invariance, negative covariance (EleutherAI 2024, blog.eleuther.ai/vincs)."""

import math
from typing import Self

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from probes.base import LinearProbe
from probes.numerics.erasure import answer_and_template, erased_pairs
from probes.numerics.orientation import oriented


class WeighedTerms(LinearProbe):
    """What VINC and its supervised form share: the best direction of a sum of quadratic terms."""

    reads = "pair"
    needs = ("template", "question")
    calibrated = True

    def __init__(self, *, seed: int, **weights: float) -> None:
        for name, weight in weights.items():
            if not (math.isfinite(weight) and weight >= 0):
                raise ValueError(f"{name} must be 0 or more, not {weight!r}")
        if not any(weights.values()):
            raise ValueError(f"{', '.join(weights)} are all 0; give one that is more")
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
        """Find the direction layer by layer.

        Without `template` all pairs are of one, without `question` each is of its own. Raises
        ValueError when there are so many templates that erasing them leaves nothing, and when
        all pairs are of one question.
        """
        groups = answer_and_template(template, x, self.name)
        if question is None:
            question = torch.arange(len(y), device=x.device)
        if bool((question == question[0]).all()):
            raise ValueError(f"all pairs are of one question; probe {self.name!r} needs two")
        axes = []
        for layer in self.rows(x):
            states, linear = erased_pairs(layer.unflatten(-1, (2, -1)), groups)
            direction = best_direction(self._objective(states, y, question), states) @ linear
            axes.append(torch.cat([-direction, direction]))
        return self.set_direction(x, *oriented(self.rows(x), torch.stack(axes), y))

    def _objective(
        self, states: Float[Tensor, "2 n d"], y: Bool[Tensor, "n"], question: Int[Tensor, "n"]
    ) -> Float[Tensor, "d d"]:
        """The weighed sum, whose quadratic form is to be as large as possible."""
        means, within = by_question(states, question)
        (false, true), n = means - means.mean(1, keepdim=True), means.shape[1]
        variance = (true.mT @ true + false.mT @ false) / (n - 1)
        covariance = (true.mT @ false + false.mT @ true) / (n - 1)
        terms = {
            "var_weight": variance,
            "inv_weight": -within.mT @ within,
            "neg_cov_weight": -covariance,
            "sup_weight": between_classes(states, y),
        }
        return sum((weight * terms[name] for name, weight in self.weights.items()), 0 * variance)


class Vinc(WeighedTerms):
    """The direction along which questions differ, templates agree, and the answers disagree.

    Each question is seen in several templates. With T and F the states at the true and at the
    false answer token, averaged over the templates of a question, the direction is the top
    eigenvector, in the space that the states span, of (equation 8 of the post)

        var_weight     (Cov(T) + Cov(F))
      - inv_weight     (covariances over the templates of a question, averaged over questions)
      - neg_cov_weight (Cov(T, F) + Cov(F, T)).

    Labels orient and scale the axis that was found without them (a logistic regression on that
    one feature), nothing else.

    Invariance is undefined for a question that occurs once; such questions are left out of its
    average, and where none occurs twice (or `question` is not given) the term is 0: what is left
    is `crc` where the other weights are equal. It needs questions that are asked in several
    templates.

    First the states are scaled by their spread within each answer and template, and LEACE erases
    which of these they belong to; the post erases and does not scale. It leaves the weights open;
    they are 1 here. EleutherAI's code differs from it: that of `elk`, later `ccs`, has variance 0,
    invariance 1/2 and negative covariance 1/2, and that of `elk-generalization` adds the
    covariance of the answers, where the post subtracts it.
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


class SupervisedVinc(WeighedTerms):
    """VINC-S: `vinc`, and a direction along which true and false statements have apart means.

    To the matrix of `vinc` is added sup_weight times the covariance of two points, the mean of
    the states that end on the right answer and that of those that end on the wrong one (equation
    7 of the post). Labels choose these two classes, and orient and scale the axis. With
    sup_weight alone it is the difference of those means. The post leaves this weight open too; it
    is 1 here.
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
    """The unit vector with the largest quadratic form among those along which states differ.

    Where they do not, because it was erased or because there are fewer states than features, the
    form is 0, which would win where invariance outweighs all else.
    """
    rows = states.flatten(0, 1) - states.mean((0, 1))
    values, vectors = torch.linalg.eigh(rows.mT @ rows)
    span = vectors[:, values > 1e-12 * values[-1]]
    return span @ torch.linalg.eigh(span.mT @ objective @ span).eigenvectors[:, -1]


def by_question(
    states: Float[Tensor, "2 n d"], question: Int[Tensor, "n"]
) -> tuple[Float[Tensor, "2 questions d"], Float[Tensor, "2n d"]]:
    """The mean of each question's states, and the deviations from it.

    The deviations are scaled so that their Gram matrix is the average, over the questions that
    occur more than once, of the covariances (both answers added) within a question.
    """
    _, of, counts = torch.unique(question, return_inverse=True, return_counts=True)
    sums = states.new_zeros(2, len(counts), states.shape[-1]).index_add_(1, of, states)
    means = sums / counts[:, None]
    repeated = (counts > 1).sum().clamp(min=1)
    scale = ((counts[of] - 1).clamp(min=1) * repeated).to(states.dtype).rsqrt()
    return means, ((states - means[:, of]) * scale[:, None]).flatten(0, 1)


def between_classes(states: Float[Tensor, "2 n d"], y: Bool[Tensor, "n"]) -> Float[Tensor, "d d"]:
    """The covariance of two points: the means of the states on the right and the wrong answer."""
    right = torch.where(y[:, None], states[1], states[0])
    wrong = torch.where(y[:, None], states[0], states[1])
    apart = right.mean(0) - wrong.mean(0)
    return torch.outer(apart, apart) / 2
