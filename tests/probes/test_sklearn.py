"""Scikit-learn classifiers as probes."""

import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.svm import LinearSVC

from probes import sklearn_probe
from probes.checks.planted import plant_truth


def test_a_decision_function_is_the_score():
    data = plant_truth("prompt", n=40, d=5, layers=(2,), seed=0)
    probe = sklearn_probe("sk-lr", LogisticRegression, C=0.1)(seed=0).fit(data.x, data.y)
    classifier = LogisticRegression(C=0.1, random_state=0).fit(data.x[1].numpy(), data.y.numpy())
    expected = torch.as_tensor(classifier.decision_function(data.x[1].numpy())).float()
    torch.testing.assert_close(probe.score(data.x)[1], expected)


def test_without_a_decision_function_the_score_is_log_odds():
    data = plant_truth("prompt", n=40, d=5, seed=0, gap=0.3)
    probe = sklearn_probe("bayes", GaussianNB)(seed=0).fit(data.x, data.y)
    classifier = GaussianNB().fit(data.x.numpy(), data.y.numpy())
    expected = torch.as_tensor(classifier.predict_proba(data.x.numpy())[:, 1])
    torch.testing.assert_close(probe.score(data.x).sigmoid(), expected.float(), check_dtype=False)


def test_hyperparameters_override_the_parameters_of_the_class():
    cls = sklearn_probe("svm", LinearSVC, C=0.1)
    assert cls.hyperparameter_defaults()["C"] == 0.1
    data = plant_truth("prompt", n=40, d=5, seed=0, gap=0.3)
    weak, strong = (cls(C=c).fit(data.x, data.y).score(data.x) for c in (1e-4, 1.0))
    assert weak.std() < strong.std()


def test_a_class_that_is_no_classifier_is_an_error():
    with pytest.raises(ValueError, match="neither decision_function nor predict_proba"):
        sklearn_probe("list", list)
