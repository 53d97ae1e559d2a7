"""Fits on residual states of a random GPT-NeoX, 24 layers of 4,000 x 1,024, against baselines.

`lr` and its baselines minimise the same regularised loss. Each baseline uses the loosest tolerance
with which it comes within a relative 1e-6 of the minimum, found on the middle layer, untimed. The
limit of a fit is that of its most expensive step, stated for each, plus one pass over the states.
"""

from collections.abc import Callable, Iterator, Sequence
from unittest.mock import patch

import numpy as np
import torch
from jaxtyping import Bool, Float
from numpy.typing import NDArray
from rich.console import Console
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from torch import Tensor
from torch.nn.functional import softplus

from benchmarks.speed.measure import Comparison, compare, limit
from benchmarks.speed.states import PlantedStates, planted_states
from probes import LinearProbe, get_probe
from probes.methods.ccs import ccs_loss, search_restarts
from probes.numerics.erasure import answer_template_codes, erase_groups
from probes.numerics.scaling import feature_scale, standardise

L2 = 5e-4
CLOSE = 3e-6
"""How far above the minimum a fit may end, relative to it. torch's L-BFGS in float32 ends 2e-6
above it at best."""

RESTARTS, DECAY = 10, 0.01
Solution = tuple[Float[Tensor, "d"], float]
"""Weight on standardised features, and bias."""


def comparisons() -> Iterator[Comparison]:
    """Yield `lr`, `lda` and mass-mean of 24 layers, and `ccs` of one."""
    states = planted_states()
    Console().print(f"AUROC of the teacher that drew the labels: {states.auroc:.3f}")
    yield from logistic(states.prompt, states.labels)
    yield from closed_forms(states.prompt, states.labels)
    yield from contrast_consistent(states)


def logistic(x: Float[Tensor, "layers n d"], y: Bool[Tensor, "n"]) -> Iterator[Comparison]:
    """Yield `lr` against scikit-learn's and torch's L-BFGS, layer by layer, at equal loss.

    Limit: half of the Gram matrix (it is symmetric) and its Cholesky factorisation.
    """
    layers, n, d = x.shape

    def ours() -> LinearProbe:
        return get_probe("lr", l2=L2).fit(x, y)  # type: ignore[return-value]

    probe = ours()
    scales = [feature_scale(layer[None])[1][0] for layer in x]
    minima = [
        penalised_loss(layer, y, (weight * scale, float(bias + weight @ layer.double().mean(0))))
        for layer, weight, bias, scale in zip(x, probe.weight, probe.bias, scales, strict=True)
    ]
    limit_s = limit(layers * (n * d**2 + d**3 / 3), x.nbytes)
    for name, fit, tolerances in (
        ("scikit-learn's LogisticRegression by layer", by_sklearn, SKLEARN_TOLERANCES),
        ("torch.optim.LBFGS by layer", by_torch, TORCH_TOLERANCES),
    ):
        tolerance = loosest_tolerance(fit, x[layers // 2], y, minima[layers // 2], tolerances)

        def theirs(fit: Fit = fit, tolerance: float = tolerance) -> list[Solution]:
            return [fit(layer, y, tolerance) for layer in x]

        baseline_losses = [
            penalised_loss(layer, y, solution) for layer, solution in zip(x, theirs(), strict=True)
        ]
        losses = float(np.mean(minima)), float(np.mean(baseline_losses))
        what = f"lr, {layers} layers"
        yield compare(what, name, ours, theirs, 3, warm_up=False, losses=losses, limit_s=limit_s)


def penalised_loss(x: Float[Tensor, "n d"], y: Bool[Tensor, "n"], solution: Solution) -> float:
    """Mean binary cross-entropy + L2 |w|^2 on standardised features, in float64."""
    weight, bias = solution
    mean, scale = (moment[0] for moment in feature_scale(x[None]))
    logits = standardise(x, mean, scale) @ weight.double() + bias
    loss = (softplus(logits) - y * logits).mean() + L2 * weight.double().square().sum()
    return float(loss)


Fit = Callable[[Float[Tensor, "n d"], Bool[Tensor, "n"], float], Solution]
SKLEARN_TOLERANCES = (1e-3, 3e-4, 1e-4, 3e-5, 1e-5, 1e-6)
TORCH_TOLERANCES = (1e-3, 3e-4, 1e-4, 3e-5, 1e-5)


def by_sklearn(x: Float[Tensor, "n d"], y: Bool[Tensor, "n"], tolerance: float) -> Solution:
    """Fit one layer as a user of scikit-learn does."""
    scaled = StandardScaler().fit_transform(x.numpy())
    model = LogisticRegression(C=1 / (2 * L2 * len(scaled)), tol=tolerance, max_iter=10_000)
    model.fit(scaled, y.numpy())
    return torch.from_numpy(model.coef_[0]), float(model.intercept_[0])


def by_torch(x: Float[Tensor, "n d"], y: Bool[Tensor, "n"], tolerance: float) -> Solution:
    """Fit one layer by autograd and torch's L-BFGS, from zero."""
    mean, scale = x.mean(0), x.std(0, correction=0)
    scaled, target = (x - mean) / scale, y.float()
    theta = torch.zeros(x.shape[1] + 1, requires_grad=True)

    def loss() -> Tensor:
        logits = scaled @ theta[:-1] + theta[-1]
        cross_entropy = torch.nn.functional.binary_cross_entropy_with_logits(logits, target)
        return cross_entropy + L2 * theta[:-1].square().sum()

    run_lbfgs(theta, loss, tolerance)
    solution = theta.detach()
    return solution[:-1], float(solution[-1])


def run_lbfgs(theta: Tensor, loss: Callable[[], Tensor], tolerance: float) -> None:
    """Minimise with torch's L-BFGS until the gradient is small."""
    optimiser = torch.optim.LBFGS(
        [theta],
        max_iter=1000,
        tolerance_grad=tolerance,
        tolerance_change=0,
        history_size=10,
        line_search_fn="strong_wolfe",
    )

    def closure() -> float:
        optimiser.zero_grad()
        value = loss()
        value.backward()
        return value  # type: ignore[return-value]

    optimiser.step(closure)


def loosest_tolerance(
    fit: Fit,
    x: Float[Tensor, "n d"],
    y: Bool[Tensor, "n"],
    minimum: float,
    tolerances: Sequence[float],
) -> float:
    """Return the loosest tolerance with which a fit comes close enough to the minimum.

    Raises:
        ValueError: if none does.
    """
    for tolerance in tolerances:
        if penalised_loss(x, y, fit(x, y, tolerance)) <= minimum * (1 + CLOSE):
            return tolerance
    raise ValueError(f"none of the tolerances {tolerances} ends within {CLOSE} of the minimum")


def closed_forms(x: Float[Tensor, "layers n d"], y: Bool[Tensor, "n"]) -> Iterator[Comparison]:
    """Yield `lda` and mass-mean against NumPy, layer by layer, both in float64.

    Limit: half of the covariance in float64 (it is symmetric) and its factorisation.
    """
    layers, n, d = x.shape
    arrays, labels = x.numpy(), y.numpy()
    limit_s = limit(layers * (n * d**2 + d**3 / 3), x.nbytes, torch.float64)

    def theirs(shrinkage: float) -> list[NDArray[np.float64]]:
        return [by_numpy(layer, labels, shrinkage) for layer in arrays]

    for what, name, params in (
        (f"lda, {layers} layers", "lda", {"shrinkage": 0.01}),
        (f"mass-mean, {layers} layers", "mean-diff", {"whiten": True}),
    ):
        shrinkage = params.get("shrinkage", 1e-3)
        yield compare(
            what,
            "NumPy's solve by layer",
            lambda name=name, params=params: get_probe(name, **params).fit(x, y),  # type: ignore[misc]
            lambda shrinkage=shrinkage: theirs(shrinkage),  # type: ignore[misc]
            repeats=3,
            warm_up=False,
            limit_s=limit_s,
        )


def by_numpy(x: NDArray[np.float32], y: NDArray[np.bool_], shrinkage: float) -> NDArray[np.float64]:
    """Return the discriminant of one layer: the shrunk within-class covariance, solved."""
    states = x.astype(np.float64)
    false, true = states[~y].mean(0), states[y].mean(0)
    within = states - np.where(y[:, None], true, false)
    covariance = within.T @ within / len(within)
    variance = np.diag(covariance).copy()
    covariance *= 1 - shrinkage
    covariance[np.diag_indices_from(covariance)] = variance
    return np.linalg.solve(covariance, true - false)


def contrast_consistent(states: PlantedStates) -> Iterator[Comparison]:
    """Yield the search of `ccs` in one layer against torch's L-BFGS, restart by restart.

    Both search the same erased states from the same starts until no entry of the gradient exceeds
    1e-5, and keep the best restart. Limit: the matrix products of our number of evaluations.
    """
    layer = states.pair[-1]
    groups = answer_template_codes(None, layer, "ccs")
    pairs = erase_groups(layer, groups, "leace-template").states.float()

    def ours() -> Tensor:
        return search_restarts(pairs, RESTARTS, DECAY, seed=0)

    def theirs() -> Tensor:
        return restart_by_restart(pairs)

    with patch("probes.methods.ccs.ccs_loss", wraps=ccs_loss) as counter:
        theta = ours()
    losses = unsupervised_loss(pairs, theta), unsupervised_loss(pairs, theirs())
    evaluations = sum(len(call.args[1]) for call in counter.call_args_list)
    flops = 4 * pairs.numel() * evaluations
    yield compare(
        f"ccs, {RESTARTS} restarts, 1 layer",
        "torch.optim.LBFGS by restart",
        ours,
        theirs,
        repeats=1,
        warm_up=False,
        losses=losses,
        limit_s=limit(flops, pairs.nbytes),
    )


def unsupervised_loss(pairs: Float[Tensor, "2 n d"], theta: Float[Tensor, "d+1"]) -> float:
    """Return what each restart minimises: the unsupervised loss plus the penalty."""
    loss = ccs_loss(pairs.double(), theta[None].double())[0]
    return float(loss + DECAY / 2 * theta.double().square().sum())


def restart_by_restart(pairs: Float[Tensor, "2 n d"]) -> Float[Tensor, "d+1"]:
    """Search one restart after the other by autograd and torch's L-BFGS."""
    generator = torch.Generator().manual_seed(0)
    starts = torch.randn(RESTARTS, pairs.shape[-1] + 1, generator=generator, dtype=torch.float64)
    false, true = pairs
    solutions = []
    for start in (starts / starts.norm(dim=-1, keepdim=True)).float():
        theta = start.clone().requires_grad_()

        def loss(theta: Tensor = theta) -> Tensor:
            p0 = (false @ theta[:-1] + theta[-1]).sigmoid()
            p1 = (true @ theta[:-1] + theta[-1]).sigmoid()
            both = (p0 + p1 - 1).square().mean() + torch.minimum(p0, p1).square().mean()
            return both + DECAY / 2 * theta.square().sum()

        run_lbfgs(theta, loss, 1e-5)
        solutions.append(theta.detach())
    return min(solutions, key=lambda theta: float(ccs_loss(pairs, theta[None].double())[0]))
