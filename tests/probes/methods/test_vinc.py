import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from probes import get_probe
from probes.checks.planted import plant_truth
from probes.methods.vinc import group_by_question
from probes.numerics.erasure import erase_groups, erased_groups

D = 12
TEMPLATES = 3


def rendered(seed, questions=80):
    """States, labels, template and question: every question in three templates or two.

    Each rendering moves nine features by an amount of its own, opposite ways for the two
    answers, which is what the truth does too, only the same way in all renderings.
    """
    generator = torch.Generator().manual_seed(seed)
    data = plant_truth("pair", n=questions, d=D, seed=seed, gap=1.5)
    kept = torch.arange(questions * TEMPLATES) % 7 != 0
    question = torch.arange(questions).repeat_interleave(TEMPLATES)[kept]
    template = torch.arange(TEMPLATES).repeat(questions)[kept]
    moved = 3 * torch.randn(len(question), 1, generator=generator)
    noise = torch.randn(len(question), 2, D, generator=generator) / 2
    noise[:, :, :9] += torch.stack([-moved, moved], dim=1)
    return data.x[question] + noise, data.y[question], template, question


TRAIN, TEST = rendered(0), rendered(1)


def fit(name, data=TRAIN, **params):
    x, y, template, question = data
    return get_probe(name, **params).fit(x, y, template=template, question=question)


def auroc(probe):
    return roc_auc_score(TEST[1], probe.score(TEST[0]))


def reference_terms(states, y, question, ddof=1):
    """Return the matrices of the post, from erased states, question by question."""
    by_question = [states[:, question == q] for q in np.unique(question)]
    false, true = np.stack([renderings.mean(1) for renderings in by_question], axis=1)
    both = np.cov(np.concatenate([true, false], axis=1).T, ddof=ddof)
    variance = both[:D, :D] + both[D:, D:]
    covariance = both[:D, D:] + both[D:, :D]
    repeated = [renderings for renderings in by_question if renderings.shape[1] > 1]
    spread = np.mean([np.cov(f.T, ddof=ddof) + np.cov(t.T, ddof=ddof) for f, t in repeated], axis=0)
    right = np.concatenate([states[1, y], states[0, ~y]]).mean(0)
    wrong = np.concatenate([states[0, y], states[1, ~y]]).mean(0)
    return {
        "var_weight": variance,
        "inv_weight": -spread,
        "neg_cov_weight": -covariance,
        "sup_weight": np.cov(np.stack([right, wrong]).T),
    }


PARAMS = [
    ("vinc", {}),
    ("vinc", {"var_weight": 0.2, "inv_weight": 3.0, "neg_cov_weight": 0.5}),
    ("vinc", {"var_weight": 1.0, "inv_weight": 0.0, "neg_cov_weight": 0.0}),
    ("vinc", {"var_weight": 0.0, "inv_weight": 1.0, "neg_cov_weight": -1.0}),
    ("vinc", {"norm": "leace"}),
    ("vinc", {"norm": "leace-template", "divisor": "n"}),
    ("vinc-s", {"divisor": "n"}),
    ("vinc-s", {}),
    ("vinc-s", {"var_weight": 0.1, "inv_weight": 0.2, "neg_cov_weight": 0.3, "sup_weight": 4.0}),
]


@pytest.mark.parametrize(("name", "params"), PARAMS)
def test_it_equals_the_reference(name, params):
    x, y, template, question = TRAIN
    norm = params.get("norm", "leace-template-raw")
    states, linear, _, _ = erase_groups(x, erased_groups(norm, template, x, name), norm)
    ddof = 0 if params.get("divisor") == "n" else 1
    terms = reference_terms(states.numpy(), y.numpy(), question.numpy(), ddof)
    probe_weights = get_probe(name, **params).weights
    objective = sum(weight * terms[term] for term, weight in probe_weights.items())
    rows = states.numpy().reshape(-1, D)
    _, sizes, span = np.linalg.svd(rows - rows.mean(0))
    span = span[sizes > 1e-6 * sizes[0]]
    expected = np.linalg.eigh(span @ objective @ span.T)[1][:, -1] @ span @ linear.numpy()
    weight = fit(name, **params).weight.numpy()
    cosine = weight[1] @ expected / np.linalg.norm(weight[1]) / np.linalg.norm(expected)
    assert abs(cosine) == pytest.approx(1, abs=1e-9)
    np.testing.assert_array_equal(weight[0], -weight[1])


def test_two_questions_in_two_templates_by_hand():
    # Question 0 is at 1 and 3 in its templates, question 1 at -4 and 0; the false answer is at
    # minus these values. Each answer's covariance within a question is ((1 + 1) + (4 + 4)) / 2 = 5
    # on average, divided by v - 1 = 1, and half of that divided by v = 2. Centroids are 2 and -2.
    states = torch.tensor([[-1.0, -3.0, 4.0, 0.0], [1.0, 3.0, -4.0, 0.0]], dtype=torch.float64)
    question = torch.tensor([0, 0, 1, 1])
    for correction, within in ((1, 10.0), (0, 5.0)):
        means, deviations = group_by_question(states[..., None], question, correction)
        assert means.tolist() == [[[-2.0], [2.0]], [[2.0], [-2.0]]]
        assert float(deviations.mT @ deviations) == pytest.approx(within)
    y = torch.tensor([True, True, False, False])
    for divisor, n in (("n-1", 1), ("n", 2)):
        # variance 2 * 8 / n, covariance of the answers 2 * -8 / n, right minus wrong 4
        alone = {"var_weight": 0, "inv_weight": 0, "neg_cov_weight": 0, "sup_weight": 0}
        for term, expected in (
            ("var_weight", 16 / n),
            ("inv_weight", -10 / n),
            ("neg_cov_weight", 16 / n),
            ("sup_weight", 4.0**2 / 2),
        ):
            probe = get_probe("vinc-s", divisor=divisor, **(alone | {term: 1}))
            objective = probe._objective(states[..., None], y, question)
            assert float(objective) == pytest.approx(expected)


def test_invariance_ignores_what_changes_with_the_template():
    for norm, weight in [("leace-template", 1.0), ("leace-template-raw", 10.0)]:
        assert auroc(fit("vinc", norm=norm, inv_weight=0.0)) < 0.7
        assert auroc(fit("vinc", norm=norm, inv_weight=weight)) > 0.85


def test_an_erased_direction_is_never_chosen():
    assert auroc(fit("vinc", inv_weight=1000.0)) > 0.6
    wide = plant_truth("pair", n=60, d=200, seed=0)
    probe = get_probe("vinc", inv_weight=1000.0)
    probe.fit(wide.x, wide.y, question=torch.arange(60) // 2)
    assert probe.score(wide.x).std() > 0.1


def test_it_is_crc_if_no_question_occurs_twice():
    x, y, template, _ = TRAIN
    crc = get_probe("crc", norm="leace-template-raw").fit(x, y, template=template).score(x)
    for question in (None, torch.arange(len(y))):
        columns = {"template": template} | ({} if question is None else {"question": question})
        torch.testing.assert_close(get_probe("vinc").fit(x, y, **columns).score(x), crc)


def test_supervision_alone_is_the_difference_of_the_means():
    no_variance = {"var_weight": 0.0, "inv_weight": 0.0, "neg_cov_weight": 0.0}
    assert auroc(fit("vinc-s", norm="leace-template", **no_variance)) > 0.9
    # The erased direction of the answers aside, this is the difference of the means of the states.
    x, y, _, _ = TRAIN
    weight = fit("vinc-s", norm="leace", **no_variance).weight
    erased = erase_groups(x, erased_groups("leace", None, x, "vinc-s"), "leace")
    right = torch.where(y[:, None], erased.states[1], erased.states[0]).mean(0)
    wrong = torch.where(y[:, None], erased.states[0], erased.states[1]).mean(0)
    expected = (right - wrong) @ erased.linear
    cosine = torch.nn.functional.cosine_similarity(weight[1], expected, dim=0)
    assert cosine == pytest.approx(1, abs=1e-9)


def test_labels_orient_the_axis():
    x, y, template, question = TRAIN
    for name in ("vinc", "vinc-s"):
        right, wrong = fit(name), fit(name, (x, ~y, template, question))
        torch.testing.assert_close(wrong.score(x), -right.score(x))


@pytest.mark.parametrize("name", ["vinc", "vinc-s"])
def test_a_layer_whose_states_are_all_equal_scores_nothing(name):
    torch.manual_seed(0)
    x, y = torch.randn(2, 40, 2, 6), torch.arange(40) % 2 == 0
    x[0] = 0
    scores = get_probe(name).fit(x, y).score(x)
    assert torch.isfinite(scores).all()
    assert scores[0].std() == 0
    assert scores[1].std() > 0


def test_one_question_is_an_error():
    x, y, _, question = TRAIN
    with pytest.raises(ValueError, match="one question; probe 'vinc' needs two"):
        get_probe("vinc").fit(x, y, question=torch.zeros_like(question))


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"inv_weight": -1.0}, r"inv_weight must be 0 or more, not -1\.0"),
        ({"var_weight": float("nan")}, "var_weight must be a number, not nan"),
        (
            {"var_weight": 0, "inv_weight": 0, "neg_cov_weight": 0},
            "var_weight, inv_weight, neg_cov_weight are all 0",
        ),
        ({"neg_cov_weight": float("inf")}, "neg_cov_weight must be a number, not inf"),
        ({"divisor": "v"}, "divisor must be one of n-1, n, not 'v'"),
        ({"norm": "burns"}, "norm must be one of leace, leace-template-raw, leace-template, not"),
    ],
)
def test_invalid_weights_are_an_error(params, message):
    with pytest.raises(ValueError, match=message):
        get_probe("vinc", **params)
