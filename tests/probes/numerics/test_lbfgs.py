import pytest
import torch

from probes.numerics.lbfgs import minimise


def rosenbrock(point):
    """Return values and gradients; the minimum is at (1, 1), at the end of a curved valley."""
    x, y = point[..., 0], point[..., 1]
    value = (1 - x) ** 2 + 100 * (y - x**2) ** 2
    slope_x = -2 * (1 - x) - 400 * x * (y - x**2)
    return value, torch.stack([slope_x, 200 * (y - x**2)], dim=-1)


def starts(*problems):
    generator = torch.Generator().manual_seed(0)
    return 2 * torch.randn(*problems, 2, generator=generator, dtype=torch.float64)


def test_every_problem_reaches_its_minimum():
    end = minimise(rosenbrock, starts(4, 5), tolerance=1e-8)
    torch.testing.assert_close(end, torch.ones_like(end))


def test_problems_do_not_influence_each_other():
    together = minimise(rosenbrock, starts(6), evaluations=20)
    alone = torch.cat([minimise(rosenbrock, start[None], evaluations=20) for start in starts(6)])
    assert torch.equal(together, alone)


def test_the_value_never_increases():
    start = starts(6)
    values = [rosenbrock(minimise(rosenbrock, start, evaluations=k))[0] for k in range(1, 60, 6)]
    falls = torch.stack(values).diff(dim=0)
    assert (falls <= 1e-12).all()


def test_a_problem_at_its_minimum_does_not_move():
    start = torch.ones(1, 2, dtype=torch.float64)
    assert torch.equal(minimise(rosenbrock, start), start)


def test_the_search_ends_at_a_kink():
    calls = []

    def cone(point):
        calls.append(1)
        norm = point.norm(dim=-1)
        return norm, point / norm.clamp(min=1e-300)[..., None]

    end = minimise(cone, starts(3), evaluations=10_000)
    assert end.abs().max() < 1e-6
    assert len(calls) < 1000


def stretched(scales):
    """Return quadratics with curvatures `scales` and their minimum at 1."""

    def objective(point):
        gap = point - 1
        return (scales * gap.square()).sum(-1) / 2, scales * gap

    return objective


def test_a_preconditioner_saves_evaluations():
    scales = torch.logspace(0, 8, 50, dtype=torch.float64)
    start = torch.zeros(3, 50, dtype=torch.float64)
    counts = []

    def counted(point):
        counts.append(1)
        return stretched(scales)(point)

    end = minimise(counted, start, tolerance=1e-8, precondition=lambda g: g / (3 * scales))
    torch.testing.assert_close(end, torch.ones_like(end))
    n_preconditioned = len(counts)
    minimise(counted, start, tolerance=1e-8)
    assert 10 * n_preconditioned < len(counts) - n_preconditioned


@pytest.mark.parametrize("tolerance", [1.0, 1e-3, 1e-6])
def test_a_preconditioned_search_ends_by_its_distance_from_the_minimum(tolerance):
    scales = torch.logspace(0, 8, 50, dtype=torch.float64)
    objective = stretched(scales)
    start = torch.zeros(1, 50, dtype=torch.float64)
    end = minimise(objective, start, tolerance=tolerance, precondition=lambda g: g / (2 * scales))
    assert float(objective(end)[0]) <= tolerance**2


def test_stopped_restarts_are_not_evaluated():
    sizes = []

    def counted(point):
        sizes.append(len(point))
        return rosenbrock(point)

    start = torch.cat([torch.ones(5, 2, dtype=torch.float64), starts(3)])
    end = minimise(counted, start, restarts=True)
    torch.testing.assert_close(end[:5], start[:5])
    assert sizes[:2] == [8, 3]


def wells(point):
    """Return values and gradients; of two minima, that at -1 is 1 lower than that at 1."""
    x = point[:, 0]
    value = (x.square() - 1).square() * 10 + x / 2 + 0.5
    return value, (40 * x * (x.square() - 1) + 0.5)[:, None]


def test_a_restart_that_cannot_become_the_best_is_dropped():
    start = torch.tensor([[-1.5], [1.5], [1.2], [0.8]], dtype=torch.float64)
    counts = {}
    for restarts in (False, True):
        evaluated = []

        def counted(point, evaluated=evaluated):
            evaluated.append(len(point))
            return wells(point)

        end = minimise(counted, start, tolerance=1e-10, restarts=restarts)
        assert float(end[0]) == pytest.approx(-1.006, abs=1e-3)
        assert float(wells(end)[0].min()) == pytest.approx(float(wells(end[:1])[0]))
        counts[restarts] = sum(evaluated)
    assert counts[True] < 0.8 * counts[False]
