"""Attention-pooled linear probe (McKenzie et al. 2025, arXiv 2506.10805; EleutherAI 2025)."""

import math
from typing import Self

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import softplus

from probes.base import Probe
from probes.numerics.lbfgs import minimise
from probes.numerics.precision import ROUNDING
from probes.numerics.scaling import feature_scale, standardised

TOLERANCE = 1e-5
"""Of the largest entry of the gradient, where the search ends."""


class AttentionProbe(Probe):
    """Log-odds from a mean of the prompt's token states in which attention weighs the tokens.

    For the states h_t of a prompt's tokens, the score is sum_t a_t (value . h_t) + bias with
    a = softmax_t(query . h_t + slope p_t), where p_t is minus how many tokens t stands before
    the prompt's last one. Labels are all it learns from: it minimises mean binary cross-entropy +
    l2/2 (|query|^2 + |value|^2), by L-BFGS over all examples, each layer by itself.

    First every state is divided by its root mean square, as the norms of a model do where it is
    read, and then each feature is z-scored over all tokens of the fit. Without the first the few
    tokens to which pretrained models give states a hundred times as large would set the scale of
    all.

    One query and one value are the attention probe of arXiv 2506.10805 (without its division of
    the query's products by the root of d, which a free query makes good); the slope over positions
    is that of EleutherAI's attention probes (blog.eleuther.ai/attention-probes), here for one
    head. Both train with mini-batches. The search begins where all tokens weigh the same (query,
    slope and value 0), so it draws nothing, and flipped labels negate the scores. The loss is not
    convex in the query: the search leads to an optimum near mean pooling, or as far towards it as
    `evaluations` of the loss go.
    """

    name = "attention"
    reads = "tokens"
    supervision = "labels"
    needs = ("mask",)
    calibrated = True

    def __init__(self, *, seed: int = 0, l2: float = 1e-2, evaluations: int = 300) -> None:
        if not (math.isfinite(l2) and l2 > 0):
            raise ValueError(f"l2 must be a positive number, not {l2!r}")
        if not (isinstance(evaluations, int) and evaluations >= 1):
            raise ValueError(f"evaluations must be a whole number of at least 1: {evaluations!r}")
        super().__init__(seed=seed, l2=l2, evaluations=evaluations)
        self.l2 = l2
        self.evaluations = evaluations

    def fit(
        self,
        x: Float[Tensor, "*layers n t d"],
        y: Bool[Tensor, "n"],
        *,
        mask: Bool[Tensor, "n t"] | None = None,
        **needs: Tensor,
    ) -> Self:
        """Search every layer; without `mask` every token is the prompt's.

        Raises ValueError when the mask leaves an example without tokens.
        """
        tokens = _Tokens(x, mask)
        found = [self._optimum(tokens, layer, y) for layer in x.reshape(-1, *x.shape[-3:])]
        self._theta, self._mean, self._scale = (
            torch.stack(part) for part in zip(*found, strict=True)
        )
        return self

    def score(
        self,
        x: Float[Tensor, "*layers n t d"],
        *,
        mask: Bool[Tensor, "n t"] | None = None,
        **needs: Tensor,
    ) -> Float[Tensor, "*layers n"]:
        """Log-odds; ValueError when the mask leaves an example without tokens."""
        tokens = _Tokens(x, mask)
        fitted = (part.to(x.device) for part in (self._theta, self._mean, self._scale))
        scores = [
            tokens.pooled(standardised(tokens.of(layer), mean, scale), theta)[0]
            for layer, theta, mean, scale in zip(x.reshape(-1, *x.shape[-3:]), *fitted, strict=True)
        ]
        return torch.stack(scores).float().reshape(x.shape[:-2])

    def _optimum(
        self, tokens: "_Tokens", layer: Float[Tensor, "n t d"], y: Bool[Tensor, "n"]
    ) -> tuple[Float[Tensor, "2d+2"], Float[Tensor, "d"], Float[Tensor, "d"]]:
        """Value, query, slope and bias, in one vector, and the mean and scale of the features."""
        raw = tokens.of(layer)
        mean, scale = (moment[0] for moment in feature_scale(raw[None]))
        states = standardised(raw, mean, scale, torch.float32)
        truth, d = y.double(), states.shape[-1]

        def objective(theta: Tensor) -> tuple[Tensor, Tensor]:
            logits, weights, read = tokens.pooled(states, theta[0])
            penalised = theta[0, : 2 * d]
            loss = (softplus(logits) - truth * logits).mean()
            loss = loss + self.l2 / 2 * penalised.square().sum()
            error = (logits.sigmoid() - truth) / len(y)
            to_value = (error[:, None] * weights)[tokens.mask]
            to_query = (error[:, None] * weights * read)[tokens.mask]
            pulls = torch.stack([to_value, to_query]).to(states.dtype)
            slopes = (pulls @ states).double().flatten() + self.l2 * penalised
            last = torch.stack([(to_query * tokens.position[tokens.mask]).sum(), error.sum()])
            return loss[None], torch.cat([slopes, last])[None]

        start = torch.zeros(1, 2 * d + 2, dtype=torch.float64, device=layer.device)
        start[0, -1] = torch.logit(truth.mean())
        found = minimise(
            objective,
            start,
            evaluations=self.evaluations,
            tolerance=TOLERANCE,
            rounding=ROUNDING[states.dtype],
        )
        return found[0], mean, scale


class _Tokens:
    """Which of the tokens (n, t) are a prompt's, and how far each stands before the last."""

    def __init__(self, x: Float[Tensor, "*layers n t d"], mask: Bool[Tensor, "n t"] | None) -> None:
        n, t = x.shape[-3:-1]
        mask = torch.ones(n, t, dtype=torch.bool, device=x.device) if mask is None else mask.bool()
        if mask.shape != (n, t):
            raise ValueError(f"'mask' has shape {tuple(mask.shape)}; these states ask for {(n, t)}")
        empty = (~mask.any(1)).nonzero()[:, 0]
        if len(empty):
            raise ValueError(f"'mask' leaves no token of example {int(empty[0])}")
        self.mask = mask
        left = mask.flip(1).long().cumsum(1).flip(1)
        self.position = -(left - 1).clamp(min=0).double()

    def of(self, layer: Float[Tensor, "n t d"]) -> Float[Tensor, "tokens d"]:
        """The states of the tokens that are a prompt's, prompt after prompt, of one size."""
        states = layer[self.mask]
        largest = states.abs().amax(-1, keepdim=True).clamp(min=torch.finfo(states.dtype).tiny)
        return torch.nn.functional.rms_norm(states / largest, states.shape[-1:], eps=1e-12)

    def pooled(
        self, states: Float[Tensor, "tokens d"], theta: Float[Tensor, "2d+2"]
    ) -> tuple[Float[Tensor, "n"], Float[Tensor, "n t"], Float[Tensor, "n t"]]:
        """Log-odds, the tokens' weights, and how far what each says is from the pooled value."""
        d = states.shape[-1]
        said = states @ theta[: 2 * d].reshape(2, d).to(states.dtype).mT
        value, asked = (self._spread(part) for part in said.double().unbind(-1))
        asked = asked + theta[-2] * self.position
        weights = asked.masked_fill(~self.mask, -torch.inf).softmax(-1)
        pooled = (weights * value).sum(-1)
        return pooled + theta[-1], weights, value - pooled[:, None]

    def _spread(self, of_tokens: Float[Tensor, "tokens"]) -> Float[Tensor, "n t"]:
        spread = of_tokens.new_zeros(self.mask.shape)
        spread[self.mask] = of_tokens
        return spread
