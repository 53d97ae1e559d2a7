import torch
from sklearn.linear_model import LogisticRegression

from probes.numerics.orientation import orient_axes

GENERATOR = torch.Generator().manual_seed(0)
ROWS = torch.randn(2, 80, 5, generator=GENERATOR)
AXES = torch.randn(2, 5, generator=GENERATOR, dtype=torch.float64)
Y = ROWS[0] @ AXES[0].float() + 3 * torch.randn(80, generator=GENERATOR) > 0.5


def log_odds(rows, axes, y):
    weight, bias = orient_axes(rows, axes, y)
    return torch.einsum("lnk,lk->ln", rows.double(), weight) + bias[:, None]


def test_it_is_a_logistic_regression_on_the_projection():
    projections = (ROWS[0].double() @ AXES[0]).numpy()[:, None]
    projections = (projections - projections.mean()) / projections.std()
    reference = LogisticRegression(C=1 / (80 * 1e-3), tol=1e-10).fit(projections, Y.numpy())
    expected = torch.as_tensor(reference.decision_function(projections))
    torch.testing.assert_close(log_odds(ROWS, AXES, Y)[0], expected, rtol=1e-4, atol=1e-4)


def test_the_sign_and_length_of_an_axis_do_not_matter():
    expected = log_odds(ROWS, AXES, Y)
    torch.testing.assert_close(log_odds(ROWS, -1e-5 * AXES, Y), expected)


def test_a_zero_axis_gives_the_share_of_true_claims():
    scores = log_odds(ROWS, torch.zeros_like(AXES), Y)
    torch.testing.assert_close(scores.sigmoid(), Y.double().mean().expand(2, 80))
