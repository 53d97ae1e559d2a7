"""A perceptron with one hidden layer, as a non-linear comparison."""

import math
from typing import Self

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, gelu

from probes.base import Probe
from probes.numerics.precision import layer_chunks
from probes.numerics.scaling import feature_scale
from probes.registry import register_probe

EARLY_STOPPING_PARTS = 5
"""One in this many questions of each class is reserved for early stopping."""

BATCH = 128

EPSILON = 1e-6
"""AdamW's epsilon: gradients that are zero up to float32 rounding, such as the output bias's at
the start, must not become full steps."""

Weights = list[Float[Tensor, "layers i o"]]
"""The weights into the hidden units (layers, d, hidden), their bias (layers, 1, hidden), the
weights out of them (layers, hidden, 1), and the output's bias (layers, 1, 1)."""


@register_probe
class MultilayerPerceptron(Probe):
    """Log-odds from one hidden layer of GELU units on standardised features.

    It learns from labels only. AdamW minimises the mean binary cross-entropy on four fifths of the
    questions of each class, in batches of 128. The last fifth, drawn by `seed`, is for early
    stopping: each layer's training ends when its loss there has not fallen for `patience` epochs,
    and the weights of its best epoch are used. Only examples of the fit are used, none of a target.

    The output weights start at zero and the output bias at the log-odds of the class sizes, so
    flipped labels negate the scores, as in a linear probe. It is a non-linear baseline and comes
    from no paper.
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

        Examples of one `question` are on the same side of the early-stopping split; without it,
        each example is a question of its own.
        """
        if question is None:
            question = torch.arange(len(y), device=x.device)
        chunk_parameters = []
        for layers in layer_chunks(x.reshape(-1, *x.shape[-2:])):
            mean, scale = (moment[:, None] for moment in feature_scale(layers))
            weights = self._train(_standardise(layers, mean, scale), y, question)
            chunk_parameters.append((mean, scale, *weights))
        self._parameters = [torch.cat(part) for part in zip(*chunk_parameters, strict=True)]
        return self

    def score(self, x: Float[Tensor, "*layers n d"], **needs: Tensor) -> Float[Tensor, "*layers n"]:
        """Return log-odds, computed one layer at a time."""
        rows = x.reshape(-1, 1, *x.shape[-2:])
        scores = []
        for states, *parameters in zip(rows, *self._parameters, strict=True):
            mean, scale, *weights = (part[None].to(x.device) for part in parameters)
            scores.append(_log_odds(_standardise(states, mean, scale), weights))
        return torch.cat(scores).reshape(x.shape[:-1])

    def _train(
        self, x: Float[Tensor, "layers n d"], y: Bool[Tensor, "n"], question: Int[Tensor, "n"]
    ) -> Weights:
        """Return the weights of each layer's best epoch."""
        generator = torch.Generator().manual_seed(self.seed)
        reserved = early_stopping_examples(y, question, generator)
        x_stop, y_stop, x, y = x[:, reserved], y[reserved], x[:, ~reserved], y[~reserved]
        weights = self._initial_weights(x, y, generator)
        optimiser = self._optimiser(weights)
        best = [weight.detach().clone() for weight in weights]
        lowest = x.new_full((len(x),), torch.inf)
        epochs_without_gain = torch.zeros(len(x), dtype=torch.long, device=x.device)
        for _ in range(self.epochs):
            _train_epoch(optimiser, weights, x, y, generator)
            losses = _losses(x_stop, y_stop, weights).detach()
            is_better = (losses < lowest) & (epochs_without_gain < self.patience)
            lowest = torch.where(is_better, losses, lowest)
            epochs_without_gain = torch.where(is_better, 0, epochs_without_gain + 1)
            for best_weight, weight in zip(best, weights, strict=True):
                best_weight[is_better] = weight.detach()[is_better]
            if bool((epochs_without_gain >= self.patience).all()):
                break
        return best

    def _initial_weights(
        self, x: Float[Tensor, "layers n d"], y: Bool[Tensor, "n"], generator: torch.Generator
    ) -> Weights:
        """Return trainable weights, the same for every layer."""
        layers, d = len(x), x.shape[-1]
        normal = torch.randn(d, self.hidden, generator=generator) / math.sqrt(d)
        log_odds = y.float().mean().logit()
        weights = [
            normal.to(x.device).repeat(layers, 1, 1),
            x.new_zeros(layers, 1, self.hidden),
            x.new_zeros(layers, self.hidden, 1),
            log_odds.repeat(layers, 1, 1),
        ]
        return [weight.requires_grad_() for weight in weights]

    def _optimiser(self, weights: Weights) -> torch.optim.Optimizer:
        matrices = {"params": weights[::2], "weight_decay": self.weight_decay}
        biases = {"params": weights[1::2], "weight_decay": 0.0}
        return torch.optim.AdamW([matrices, biases], lr=self.lr, eps=EPSILON)


def early_stopping_examples(
    y: Bool[Tensor, "n"], question: Int[Tensor, "n"], generator: torch.Generator
) -> Bool[Tensor, "n"]:
    """Return which examples are reserved: a random fifth of each class's questions.

    A class with at least two questions has at least one reserved.
    """
    codes, index = torch.unique(question, return_inverse=True)
    order = torch.randperm(len(codes), generator=generator).to(y.device)
    is_reserved = torch.zeros(len(codes), dtype=torch.bool, device=y.device)
    for is_member in (y, ~y):
        has_class = torch.zeros_like(is_reserved).index_fill_(0, index[is_member], True)
        members = order[has_class[order]]
        n_reserved = min(max(1, len(members) // EARLY_STOPPING_PARTS), len(members) - 1)
        is_reserved[members[:n_reserved]] = True
    return is_reserved[index]


def _train_epoch(
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
    """Return the mean binary cross-entropy of every layer."""
    scores = _log_odds(x, weights)
    target = y.to(scores.dtype).expand_as(scores)
    return binary_cross_entropy_with_logits(scores, target, reduction="none").mean(-1)


def _log_odds(x: Float[Tensor, "layers n d"], weights: Weights) -> Float[Tensor, "layers n"]:
    into, bias, out, output_bias = weights
    return torch.baddbmm(output_bias, gelu(torch.baddbmm(bias, x, into)), out)[..., 0]


def _standardise(
    x: Float[Tensor, "layers n d"],
    mean: Float[Tensor, "layers 1 d"],
    scale: Float[Tensor, "layers 1 d"],
) -> Float[Tensor, "layers n d"]:
    return ((x.double() - mean) / scale).float()
