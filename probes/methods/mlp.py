"""A perceptron with one hidden layer: what a reader finds that need not be linear."""

import math
from typing import Self

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, gelu

from probes.base import CHUNK, Probe
from probes.numerics.scaling import feature_scale

HELD = 5
"""One in so many examples of a class is held out of the training, to end it early."""

BATCH = 128

EPSILON = 1e-6
"""AdamW's: gradients that are zero up to float32 rounding, as the output bias's at the start,
must not become whole steps."""

Weights = list[Float[Tensor, "layers i o"]]
"""Into the hidden units (layers, d, hidden), their bias (layers, 1, hidden), out of them
(layers, hidden, 1), and the output's bias (layers, 1, 1)."""


class Perceptron(Probe):
    """Log-odds from one hidden layer of GELU units on standardised features.

    Labels are all it learns from. AdamW minimises the mean binary cross-entropy on four fifths
    of the examples of the fit, in batches of 128. The last fifth of the questions of each class,
    drawn by `seed`, is never trained on: after each epoch its loss is taken, training ends when
    that has not fallen for `patience` epochs, and the weights of the best epoch are kept, for every
    layer by itself. Nothing but the examples of the fit is looked at, so nothing of a target is.

    The output weights start at zero and the output's bias at the log-odds of the classes' sizes,
    so flipped labels negate the scores, as in a linear probe. It is the non-linear reader to
    compare with, and has no paper of its own.
    """

    name = "mlp"
    reads = "prompt"
    supervision = "labels"
    needs = ("question",)
    calibrated = True

    def __init__(
        self,
        *,
        seed: int = 0,
        hidden: int = 64,
        lr: float = 3e-3,
        weight_decay: float = 1e-2,
        epochs: int = 100,
        patience: int = 5,
    ) -> None:
        counts = {"hidden": hidden, "epochs": epochs, "patience": patience}
        for name, count in counts.items():
            if not (isinstance(count, int) and count >= 1):
                raise ValueError(f"{name} must be a whole number of at least 1, not {count!r}")
        if not (math.isfinite(lr) and lr > 0):
            raise ValueError(f"lr must be a positive number, not {lr!r}")
        if not (math.isfinite(weight_decay) and weight_decay >= 0):
            raise ValueError(f"weight_decay must be 0 or more, not {weight_decay!r}")
        super().__init__(seed=seed, lr=lr, weight_decay=weight_decay, **counts)
        self.hidden = hidden
        self.lr = lr
        self.weight_decay = weight_decay
        self.epochs = epochs
        self.patience = patience

    def fit(
        self,
        x: Float[Tensor, "*layers n d"],
        y: Bool[Tensor, "n"],
        *,
        question: Int[Tensor, "n"] | None = None,
        **needs: Tensor,
    ) -> Self:
        """Train all layers at once, from the same start and on the same batches.

        Examples of one `question` are held out together; without it each is of its own.
        """
        if question is None:
            question = torch.arange(len(y), device=x.device)
        rows = x.reshape(-1, *x.shape[-2:])
        trained = []
        for layers in rows.split(max(1, CHUNK // rows[0].numel())):
            centre, scale = feature_scale(layers)
            standards = centre[:, None], scale[:, None]
            weights = self._train(_standardised(layers, *standards), y, question)
            trained.append((*standards, *weights))
        self._fitted = [torch.cat(part) for part in zip(*trained, strict=True)]
        return self

    def score(self, x: Float[Tensor, "*layers n d"], **needs: Tensor) -> Float[Tensor, "*layers n"]:
        """Log-odds, computed one layer at a time."""
        rows = x.reshape(-1, 1, *x.shape[-2:])
        scores = []
        for states, *fitted in zip(rows, *self._fitted, strict=True):
            centre, scale, *weights = (part[None].to(x.device) for part in fitted)
            scores.append(_log_odds(_standardised(states, centre, scale), weights))
        return torch.cat(scores).reshape(x.shape[:-1])

    def _train(
        self, x: Float[Tensor, "layers n d"], y: Bool[Tensor, "n"], question: Int[Tensor, "n"]
    ) -> Weights:
        """The weights of each layer's best epoch."""
        generator = torch.Generator().manual_seed(self.seed)
        held = held_out(y, question, generator)
        x_held, y_held, x, y = x[:, held], y[held], x[:, ~held], y[~held]
        weights = self._start(x, y, generator)
        optimiser = self._optimiser(weights)
        best = [weight.detach().clone() for weight in weights]
        lowest = x.new_full((len(x),), torch.inf)
        waited = torch.zeros(len(x), dtype=torch.long, device=x.device)
        for _ in range(self.epochs):
            _epoch(optimiser, weights, x, y, generator)
            losses = _losses(x_held, y_held, weights).detach()
            better = (losses < lowest) & (waited < self.patience)
            lowest = torch.where(better, losses, lowest)
            waited = torch.where(better, 0, waited + 1)
            for kept, weight in zip(best, weights, strict=True):
                kept[better] = weight.detach()[better]
            if bool((waited >= self.patience).all()):
                break
        return best

    def _start(
        self, x: Float[Tensor, "layers n d"], y: Bool[Tensor, "n"], generator: torch.Generator
    ) -> Weights:
        """The same weights for every layer, ready to be trained."""
        layers, d = len(x), x.shape[-1]
        drawn = torch.randn(d, self.hidden, generator=generator) / math.sqrt(d)
        log_odds = y.float().mean().logit()
        start = [
            drawn.to(x.device).repeat(layers, 1, 1),
            x.new_zeros(layers, 1, self.hidden),
            x.new_zeros(layers, self.hidden, 1),
            log_odds.repeat(layers, 1, 1),
        ]
        return [weight.requires_grad_() for weight in start]

    def _optimiser(self, weights: Weights) -> torch.optim.Optimizer:
        decayed = {"params": weights[::2], "weight_decay": self.weight_decay}
        biases = {"params": weights[1::2], "weight_decay": 0.0}
        return torch.optim.AdamW([decayed, biases], lr=self.lr, eps=EPSILON)


def held_out(
    y: Bool[Tensor, "n"], question: Int[Tensor, "n"], generator: torch.Generator
) -> Bool[Tensor, "n"]:
    """A random fifth of each class's questions, at least one of a class that has two."""
    codes, of = torch.unique(question, return_inverse=True)
    order = torch.randperm(len(codes), generator=generator).to(y.device)
    held = torch.zeros(len(codes), dtype=torch.bool, device=y.device)
    for of_class in (y, ~y):
        has_class = torch.zeros_like(held).index_fill_(0, of[of_class], True)
        members = order[has_class[order]]
        held[members[: min(max(1, len(members) // HELD), len(members) - 1)]] = True
    return held[of]


def _epoch(
    optimiser: torch.optim.Optimizer,
    weights: Weights,
    x: Float[Tensor, "layers n d"],
    y: Bool[Tensor, "n"],
    generator: torch.Generator,
) -> None:
    for batch in torch.randperm(len(y), generator=generator).to(x.device).split(BATCH):
        optimiser.zero_grad()
        with torch.enable_grad():
            _losses(x[:, batch], y[batch], weights).sum().backward()
        optimiser.step()


def _losses(
    x: Float[Tensor, "layers n d"], y: Bool[Tensor, "n"], weights: Weights
) -> Float[Tensor, "layers"]:
    """Mean binary cross-entropy of every layer."""
    scores = _log_odds(x, weights)
    target = y.to(scores.dtype).expand_as(scores)
    return binary_cross_entropy_with_logits(scores, target, reduction="none").mean(-1)


def _log_odds(x: Float[Tensor, "layers n d"], weights: Weights) -> Float[Tensor, "layers n"]:
    into, bias, out, log_odds = weights
    return torch.baddbmm(log_odds, gelu(torch.baddbmm(bias, x, into)), out)[..., 0]


def _standardised(
    x: Float[Tensor, "layers n d"],
    centre: Float[Tensor, "layers 1 d"],
    scale: Float[Tensor, "layers 1 d"],
) -> Float[Tensor, "layers n d"]:
    return ((x.double() - centre) / scale).float()
