import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from probes import get_probe
from probes.checks.planted import plant_truth
from probes.numerics.erasure import answer_template_codes, erase_groups

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


def reference_terms(states, y, question):
    """Return the matrices of the post, from erased states, question by question."""
    by_question = [states[:, question == q] for q in np.unique(question)]
    false, true = np.stack([renderings.mean(1) for renderings in by_question], axis=1)
    both = np.cov(np.concatenate([true, false], axis=1).T)
    variance = both[:D, :D] + both[D:, D:]
    covariance = both[:D, D:] + both[D:, :D]
    repeated = [renderings for renderings in by_question if renderings.shape[1] > 1]
    spread = np.mean([np.cov(f.T) + np.cov(t.T) for f, t in repeated], axis=0)
    right = np.concatenate([states[1, y], states[0, ~y]]).mean(0)
    wrong = np.concatenate([states[0, y], states[1, ~y]]).mean(0)
    return {
        "var_weight": variance,
        "inv_weight": -spread,
        "neg_cov_weight": -covariance,
        "sup_weight": np.cov(np.stack([right, wrong]).T),
    }


WEIGHTS = [
    ("vinc", {}),
    ("vinc", {"var_weight": 0.2, "inv_weight": 3.0, "neg_cov_weight": 0.5}),
    ("vinc", {"var_weight": 1.0, "inv_weight": 0.0, "neg_cov_weight": 0.0}),
    ("vinc-s", {}),
    ("vinc-s", {"var_weight": 0.1, "inv_weight": 0.2, "neg_cov_weight": 0.3, "sup_weight": 4.0}),
]


@pytest.mark.parametrize(("name", "weights"), WEIGHTS)
def test_it_equals_the_reference(name, weights):
    x, y, template, question = TRAIN
    states, linear = erase_groups(x, answer_template_codes(template, x, name))
    terms = reference_terms(states.numpy(), y.numpy(), question.numpy())
    probe_weights = get_probe(name, **weights).weights
    objective = sum(weight * terms[term] for term, weight in probe_weights.items())
    rows = states.numpy().reshape(-1, D)
    _, sizes, span = np.linalg.svd(rows - rows.mean(0))
    span = span[sizes > 1e-6 * sizes[0]]
    expected = np.linalg.eigh(span @ objective @ span.T)[1][:, -1] @ span @ linear.numpy()
    weight = fit(name, **weights).weight.numpy()
    cosine = weight[1] @ expected / np.linalg.norm(weight[1]) / np.linalg.norm(expected)
    assert abs(cosine) == pytest.approx(1, abs=1e-9)
    np.testing.assert_array_equal(weight[0], -weight[1])


def test_invariance_ignores_what_changes_with_the_template():
    assert auroc(fit("vinc", inv_weight=0.0)) < 0.7
    assert auroc(fit("vinc")) > 0.85


def test_an_erased_direction_is_never_chosen():
    assert auroc(fit("vinc", inv_weight=1000.0)) > 0.6
    wide = plant_truth("pair", n=60, d=200, seed=0)
    probe = get_probe("vinc", inv_weight=1000.0)
    probe.fit(wide.x, wide.y, question=torch.arange(60) // 2)
    assert probe.score(wide.x).std() > 0.1


def test_it_is_crc_if_no_question_occurs_twice():
    x, y, template, _ = TRAIN
    crc = get_probe("crc").fit(x, y, template=template).score(x)
    for question in (None, torch.arange(len(y))):
        columns = {"template": template} | ({} if question is None else {"question": question})
        torch.testing.assert_close(get_probe("vinc").fit(x, y, **columns).score(x), crc)


def test_supervision_alone_is_the_difference_of_the_means():
    no_variance = {"var_weight": 0.0, "inv_weight": 0.0, "neg_cov_weight": 0.0}
    assert auroc(fit("vinc-s", **no_variance)) > 0.9


def test_labels_orient_the_axis():
    x, y, template, question = TRAIN
    for name in ("vinc", "vinc-s"):
        right, wrong = fit(name), fit(name, (x, ~y, template, question))
        torch.testing.assert_close(wrong.score(x), -right.score(x))


def test_one_question_is_an_error():
    x, y, _, question = TRAIN
    with pytest.raises(ValueError, match="one question; probe 'vinc' needs two"):
        get_probe("vinc").fit(x, y, question=torch.zeros_like(question))


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"inv_weight": -1.0}, r"inv_weight must be 0 or more, not -1\.0"),
        ({"var_weight": float("nan")}, "var_weight must be 0 or more, not nan"),
        (
            {"var_weight": 0, "inv_weight": 0, "neg_cov_weight": 0},
            "var_weight, inv_weight, neg_cov_weight are all 0",
        ),
    ],
)
def test_invalid_weights_are_an_error(params, message):
    with pytest.raises(ValueError, match=message):
        get_probe("vinc", **params)
