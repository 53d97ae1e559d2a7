"""The checks: every built-in probe passes, and each fault is reported by its check."""

import pytest
import torch
from sklearn.svm import LinearSVC

from probes import LinearProbe, Probe, check_probe, list_probes, sklearn_probe
from probes.checks import CHECKS, ProbeCheckError, probe_checks, run_checks
from probes.registry import probe_class

CASES = [
    pytest.param(
        check,
        id=f"{name}-{check_name}",
        marks=[pytest.mark.gpu] if check_name == "agrees_on_gpu" else [],
    )
    for name in list_probes()
    for check_name, check in probe_checks(probe_class(name))
]


@pytest.mark.parametrize("check", CASES)
def test_every_built_in_probe_passes_every_check(check):
    reason = check()
    if reason:
        pytest.skip(reason)


def test_a_scikit_learn_classifier_passes():
    check_probe(sklearn_probe("svm", LinearSVC, dual=False, max_iter=200))


class Centroid(Probe):
    """A healthy probe: labels choose the classes."""

    name = "centroid"
    reads = "prompt"
    supervision = "labels"

    def features(self, x, **needs):
        return x

    def fit(self, x, y, **needs):
        x = self.features(x, **needs)
        false, true = x[..., ~y, :].mean(-2), x[..., y, :].mean(-2)
        self.direction = (true - false)[..., None]
        self.midpoint = ((true + false) / 2)[..., None, :]
        return self

    def score(self, x, **needs):
        return ((self.features(x, **needs) - self.midpoint) @ self.direction)[..., 0]


class OnPair(Centroid):
    """Labels choose the classes of the difference of the answers."""

    reads = "pair"

    def features(self, x, **needs):
        return x[..., 1, :] - x[..., 0, :]


class OnTokens(Centroid):
    """Labels choose the classes of the mean of the tokens."""

    reads = "tokens"
    needs = ("mask",)

    def features(self, x, *, mask):
        return (x * mask[..., None]).sum(-2) / mask.sum(-1, keepdim=True)


@pytest.mark.parametrize("cls", [Centroid, OnPair, OnTokens])
def test_a_healthy_probe_passes(cls):
    check_probe(cls)


def verdicts(cls):
    return {outcome.check: outcome.verdict for outcome in run_checks(cls)}


def test_every_check_has_an_outcome_in_order():
    assert list(verdicts(Centroid)) == list(CHECKS)


def test_a_check_that_does_not_apply_gives_the_reason():
    outcomes = {outcome.check: outcome for outcome in run_checks(Centroid)}
    assert outcomes["mirrors_labels"].verdict == "exempt"
    assert outcomes["mirrors_labels"].message == "it is not a LinearProbe"


def test_a_check_that_the_class_is_exempt_from_is_not_run():
    class Declared(Centroid):
        """Declares an exemption."""

        exempt = {"forgets_earlier_fits": "it learns for life"}  # noqa: RUF012

    assert "forgets_earlier_fits" not in dict(probe_checks(Declared))
    outcomes = {outcome.check: outcome for outcome in run_checks(Declared)}
    assert outcomes["forgets_earlier_fits"].message == "it learns for life"


def failures(cls):
    with pytest.raises(ProbeCheckError) as failure:
        check_probe(cls)
    return str(failure.value)


def test_all_failures_are_reported_at_once():
    class Broken(Centroid):
        """Two faults."""

        def fit(self, x, y, **needs):
            super().fit(x, y)
            x += 1

        def score(self, x, **needs):
            return super().score(x).round()

    report = failures(Broken)
    assert "leaves_its_input: `fit` changes its input" in report
    assert "keeps_shapes: `fit` must return self" in report


def changed(**variables):
    return type("Changed", (Centroid,), {"__doc__": "Breaks the contract.", **variables})


@pytest.mark.parametrize(
    ("cls", "message"),
    [
        (dict, "dict'> is not a probe class: derive it from probes.Probe"),
        (changed(reads="minds"), "reads is 'minds'; known: prompt, pair, tokens"),
        (changed(exempt={"passes_exams": "hard"}), "names 'passes_exams', which is not a check"),
        (changed(exempt={"keeps_shapes": " "}), "gives no reason for 'keeps_shapes'"),
        (changed(exempt={"declares_the_contract": "no"}), "no probe is exempt from"),
        (changed(__init__=lambda self, depth: None), "it raised TypeError"),
    ],
)
def test_no_further_check_is_run_without_valid_class_variables(cls, message):
    report = failures(cls)
    assert report.splitlines()[1].startswith("declares_the_contract: ")
    assert message in report
    assert len(report.splitlines()) == 2


class Wrong(Centroid):
    """The base of the faulty probes below."""


class Undocumented(Centroid):
    __doc__ = None


class RaisesItsOwn(Wrong):
    def score(self, x, **needs):
        raise KeyError("lost")


class ScoresAllAlike(Wrong):
    def score(self, x, **needs):
        return 0 * super().score(x)


class Overflows(Wrong):
    def score(self, x, **needs):
        return (super().score(x) / 1000).exp()


class ReadsOneLayer(Wrong):
    def fit(self, x, y, **needs):
        super().fit(x, y)
        self.direction = self.direction.reshape(-1, *self.direction.shape[-2:])[0]
        return self


class ScoresColumns(Wrong):
    def score(self, x, **needs):
        return super().score(x)[..., None]


class ReadsLies(Wrong):
    def score(self, x, **needs):
        return -super().score(x)


class KeepsUnsavedTensors(LinearProbe):
    """Keeps a part of its weights that is not saved."""

    name = "keeps-unsaved-tensors"
    reads = "prompt"
    supervision = "labels"

    def fit(self, x, y, **needs):
        rows = self.rows(x).double()
        self.unsaved = rows[:, y].mean(1) - rows[:, ~y].mean(1)
        midpoint = (rows[:, y].mean(1) + rows[:, ~y].mean(1)) / 2
        return self.set_direction(x, self.unsaved, -(self.unsaved * midpoint).sum(-1))

    def score(self, x, **needs):
        return super().score(x) * self.unsaved.norm()


class NeverMirrors(KeepsUnsavedTensors):
    """Has a constant offset."""

    def fit(self, x, y, **needs):
        super().fit(x, y)
        self.bias = self.bias + 100
        return self


@pytest.mark.parametrize(
    ("cls", "check", "message"),
    [
        (Undocumented, "is_documented", "give the class a docstring"),
        (RaisesItsOwn, "keeps_shapes", "it raised KeyError: 'lost'"),
        (ScoresColumns, "keeps_shapes", "that is (60,), not (60, 1)"),
        (ReadsOneLayer, "batched_equals_looped", "fitted together with other layers"),
        (ReadsLies, "finds_planted_tall", "it should be at least .95"),
        (ScoresAllAlike, "survives_odd_states", "all examples score alike with constant"),
        (Overflows, "survives_odd_states", "scores are not finite with states of size 1e6"),
        (NeverMirrors, "mirrors_labels", "must negate the scores"),
        (KeepsUnsavedTensors, "saves_and_loads", "it raised AttributeError"),
    ],
)
def test_a_fault_is_reported_by_its_check(cls, check, message):
    (line,) = [line for line in failures(cls).splitlines() if line.startswith(f"{check}: ")]
    assert message in line


def unguarded(method, body):
    """Return a probe class whose method is not guarded."""
    cls = type("Unguarded", (Wrong,), {"__doc__": "Checks for itself."})
    setattr(cls, method, body)
    return cls


def fit_anyway(self, x, y, **needs):
    self._fitted_shape = (tuple(x.shape[:-2]), x.shape[-1])
    self.direction = x[..., y, :].nan_to_num().mean(-2)[..., None]
    self.midpoint = 0
    return self


def fit_tersely(self, x, y, **needs):
    if not bool(torch.isfinite(x).all()):
        raise ValueError("bad states")
    return Wrong.fit(self, x, y, **needs)


@pytest.mark.parametrize(
    ("fit", "message"),
    [
        (fit_anyway, "NaN at `fit` must raise ValueError"),
        (fit_tersely, "must name the number 17; it says 'bad states'"),
    ],
)
def test_invalid_input_must_be_an_error_that_names_the_number(fit, message):
    assert message in failures(unguarded("fit", fit))
