import pytest
import torch
from sklearn.svm import LinearSVC

from probes import Probe, check_probe, list_probes, sklearn_probe
from probes.checks import ProbeCheckError, probe_checks
from probes.registry import probe_class

CASES = [
    pytest.param(check, id=f"{name}-{check_name}")
    for name in list_probes()
    for check_name, check in probe_checks(probe_class(name))
]


@pytest.mark.parametrize("check", CASES)
def test_every_probe_keeps_the_contract(check):
    check()


def test_a_scikit_learn_classifier_keeps_the_contract():
    check_probe(sklearn_probe("svm", LinearSVC, dual=False, max_iter=200))


class Centroid(Probe):
    """A healthy probe, for the cheats to derive from: labels choose the classes."""

    name = "centroid"
    reads = "prompt"
    supervision = "labels"

    def fit(self, x, y, **needs):
        false, true = x[..., ~y, :].mean(-2), x[..., y, :].mean(-2)
        self.direction = (true - false)[..., None]
        self.middle = ((true + false) / 2)[..., None, :]
        return self

    def score(self, x, **needs):
        return ((x - self.middle) @ self.direction)[..., 0]


def failures(cls):
    with pytest.raises(ProbeCheckError) as failure:
        check_probe(cls)
    return str(failure.value)


def test_a_healthy_probe_passes():
    check_probe(Centroid)


class DependsOnTheBatch(Centroid):
    """Centres on what it scores."""

    def score(self, x, **needs):
        return super().score(x) - super().score(x).mean(-1, keepdim=True)


class Remembers(Centroid):
    """Averages with earlier fits."""

    def fit(self, x, y, **needs):
        before = getattr(self, "direction", 0)
        super().fit(x, y)
        self.direction = self.direction + before
        return self


class ReadsPoison(Centroid):
    """Says that it reads no labels."""

    supervision = "none"


class OrientsTooMuch(Centroid):
    """Says that labels only orient it."""

    supervision = "sign"


class DrawsGlobally(Centroid):
    """Takes noise from the global generator."""

    def fit(self, x, y, **needs):
        super().fit(x, y)
        self.direction = self.direction + torch.randn(())
        return self


class WritesIntoItsInput(Centroid):
    """Centres in place."""

    def fit(self, x, y, **needs):
        super().fit(x, y)
        x -= self.middle
        return self


class Crashes(Centroid):
    """Raises something of its own."""

    def score(self, x, **needs):
        raise KeyError("lost")


class BadExemption(Centroid):
    """Is exempt of what does not exist."""

    exempt = {"passes_exams": "too hard"}  # noqa: RUF012


@pytest.mark.parametrize(
    ("cls", "sentence"),
    [
        (DependsOnTheBatch, "changes with the others"),
        (Remembers, "fitted before scores differently"),
        (ReadsPoison, "labels change the scores"),
        (OrientsTooMuch, "other labels give another axis"),
        (DrawsGlobally, "draws from a global generator"),
        (WritesIntoItsInput, "`fit` changes its input"),
        (Crashes, "it raised KeyError: 'lost'"),
        (BadExemption, "names 'passes_exams', which is no check"),
    ],
)
def test_a_cheat_is_told_what_it_does(cls, sentence):
    assert sentence in failures(cls)


def test_all_failures_are_told_at_once():
    class Broken(DependsOnTheBatch, Remembers):
        """Two faults."""

    told = failures(Broken)
    assert "scores_examples_alone" in told
    assert "forgets_earlier_fits" in told


def test_an_exempt_check_is_left_out():
    class Declared(Remembers):
        """Says so."""

        exempt = {"forgets_earlier_fits": "it learns for life"}  # noqa: RUF012

    assert "forgets_earlier_fits" not in dict(probe_checks(Declared))
    check_probe(Declared)
