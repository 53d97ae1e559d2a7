"""Attention-pooled linear probe (McKenzie et al. 2025, arXiv 2506.10805; EleutherAI 2025)."""

import math
from typing import Self

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import rms_norm, softplus

from probes.base import Probe
from probes.numerics.lbfgs import minimise
from probes.numerics.precision import ROUNDING
from probes.numerics.scaling import feature_scale, standardise
from probes.registry import register_probe

TOLERANCE = 1e-5
"""The search ends when the largest entry of the gradient is below this."""


@register_probe
class AttentionProbe(Probe):
    """Log-odds from an attention-weighted mean of the prompt's token states.

    For the states h_t of a prompt's tokens, the score is sum_t a_t (value . h_t) + bias with
    a = softmax_t(query . h_t + slope p_t), where p_t is minus the number of tokens from t to the
    prompt's last one. It learns from labels only: L-BFGS over all examples minimises mean binary
    cross-entropy + l2/2 (|query|^2 + |value|^2), each layer separately.

    First every state is divided by its root mean square, as a model's own norms do when they read
    it; then each feature is z-scored over all tokens of the fit. Without the first step, the few
    tokens whose states pretrained models make a hundred times as large would set the scale.

    One query and one value are the attention probe of arXiv 2506.10805 (without the division by
    the root of d, which a free query absorbs). The slope over positions is that of EleutherAI's
    attention probes (blog.eleuther.ai/attention-probes), here with one head. Both train with
    mini-batches. The search starts where all tokens have equal weight (query, slope and value 0),
    so it draws nothing at random, and flipped labels negate the scores. The loss is not convex in
    the query: the search ends in an optimum near mean pooling, or after `evaluations` evaluations.
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
        """Fit every layer. Without `mask` all tokens belong to the prompt.

        Raises:
            ValueError: if the mask leaves an example without tokens.
        """
        tokens = _Tokens(x, mask)
        optima = [self._optimum(tokens, layer, y) for layer in x.reshape(-1, *x.shape[-3:])]
        self._theta, self._mean, self._scale = (
            torch.stack(part) for part in zip(*optima, strict=True)
        )
        return self

    def score(
        self,
        x: Float[Tensor, "*layers n t d"],
        *,
        mask: Bool[Tensor, "n t"] | None = None,
        **needs: Tensor,
    ) -> Float[Tensor, "*layers n"]:
        """Return log-odds.

        Raises:
            ValueError: if the mask leaves an example without tokens.
        """
        tokens = _Tokens(x, mask)
        parameters = (part.to(x.device) for part in (self._theta, self._mean, self._scale))
        layers = x.reshape(-1, *x.shape[-3:])
        scores = [
            tokens.pool(standardise(tokens.states(layer), mean, scale), theta)[0]
            for layer, theta, mean, scale in zip(layers, *parameters, strict=True)
        ]
        return torch.stack(scores).float().reshape(x.shape[:-2])

    def _optimum(
        self, tokens: "_Tokens", layer: Float[Tensor, "n t d"], y: Bool[Tensor, "n"]
    ) -> tuple[Float[Tensor, "2d+2"], Float[Tensor, "d"], Float[Tensor, "d"]]:
        """Return value, query, slope and bias as one vector, and the features' mean and scale."""
        raw = tokens.states(layer)
        mean, scale = (moment[0] for moment in feature_scale(raw[None]))
        states = standardise(raw, mean, scale, torch.float32)
        truth, d = y.double(), states.shape[-1]

        def objective(theta: Tensor) -> tuple[Tensor, Tensor]:
            logits, weights, deviations = tokens.pool(states, theta[0])
            directions = theta[0, : 2 * d]
            loss = (softplus(logits) - truth * logits).mean()
            loss = loss + self.l2 / 2 * directions.square().sum()
            error = (logits.sigmoid() - truth) / len(y)
            d_value = (error[:, None] * weights)[tokens.mask]
            d_query = (error[:, None] * weights * deviations)[tokens.mask]
            d_products = torch.stack([d_value, d_query]).to(states.dtype)
            d_directions = (d_products @ states).double().flatten() + self.l2 * directions
            d_slope = (d_query * tokens.position[tokens.mask]).sum()
            gradient = torch.cat([d_directions, torch.stack([d_slope, error.sum()])])
            return loss[None], gradient[None]

        start = torch.zeros(1, 2 * d + 2, dtype=torch.float64, device=layer.device)
        start[0, -1] = torch.logit(truth.mean())
        theta = minimise(
            objective,
            start,
            evaluations=self.evaluations,
            tolerance=TOLERANCE,
            rounding=ROUNDING[states.dtype],
        )
        return theta[0], mean, scale


class _Tokens:
    """Which of the tokens (n, t) belong to a prompt, and minus their distance to its last one."""

    def __init__(self, x: Float[Tensor, "*layers n t d"], mask: Bool[Tensor, "n t"] | None) -> None:
        n, t = x.shape[-3:-1]
        mask = torch.ones(n, t, dtype=torch.bool, device=x.device) if mask is None else mask.bool()
        if mask.shape != (n, t):
            raise ValueError(f"'mask' has shape {tuple(mask.shape)}; these states need {(n, t)}")
        empty = (~mask.any(1)).nonzero()[:, 0]
        if len(empty):
            raise ValueError(f"'mask' leaves no token of example {int(empty[0])}")
        self.mask = mask
        tokens_to_end = mask.flip(1).long().cumsum(1).flip(1)
        self.position = -(tokens_to_end - 1).clamp(min=0).double()

    def states(self, layer: Float[Tensor, "n t d"]) -> Float[Tensor, "tokens d"]:
        """Return the states of the prompts' tokens, prompt by prompt, with unit mean square."""
        states = layer[self.mask]
        largest = states.abs().amax(-1, keepdim=True).clamp(min=torch.finfo(states.dtype).tiny)
        return rms_norm(states / largest, states.shape[-1:], eps=1e-12)

    def pool(
        self, states: Float[Tensor, "tokens d"], theta: Float[Tensor, "2d+2"]
    ) -> tuple[Float[Tensor, "n"], Float[Tensor, "n t"], Float[Tensor, "n t"]]:
        """Return log-odds, attention weights, and each token's value minus the pooled value."""
        d = states.shape[-1]
        products = states @ theta[: 2 * d].reshape(2, d).to(states.dtype).mT
        values, logits = (self._unflatten(part) for part in products.double().unbind(-1))
        logits = logits + theta[-2] * self.position
        weights = logits.masked_fill(~self.mask, -torch.inf).softmax(-1)
        pooled = (weights * values).sum(-1)
        return pooled + theta[-1], weights, values - pooled[:, None]

    def _unflatten(self, per_token: Float[Tensor, "tokens"]) -> Float[Tensor, "n t"]:
        result = per_token.new_zeros(self.mask.shape)
        result[self.mask] = per_token
        return result
