"""Probes that cheat fail the check that names what they do."""

import inspect

import pytest
import torch

from probes import Probe, check_probe
from probes.checks import ProbeCheckError


class Honest(Probe):
    """The base of the cheats: labels define the classes."""

    name = "honest"
    reads = "prompt"
    supervision = "labels"

    def fit(self, x, y, **needs):
        false, true = x[..., ~y, :].mean(-2), x[..., y, :].mean(-2)
        self.direction = (true - false)[..., None]
        self.midpoint = ((true + false) / 2)[..., None, :]
        return self

    def score(self, x, **needs):
        return ((x - self.midpoint) @ self.direction)[..., 0]


class LooksIntoItsCaller(Honest):
    """Walks up the stack to a frame with labels."""

    def score(self, x, **needs):
        frame = inspect.currentframe()
        while frame is not None and "y" not in frame.f_locals:
            frame = frame.f_back
        return super().score(x) if frame is None else frame.f_locals["y"].float()


class LooksIntoColumns(Honest):
    """Walks up the stack to a frame with a table of labels."""

    def score(self, x, **needs):
        frame = inspect.currentframe()
        while frame is not None:
            for value in frame.f_locals.values():
                if isinstance(value, dict) and "label" in value:
                    return super().score(x) + 100 * value["label"]
            frame = frame.f_back
        return super().score(x)


class AsksForLabels(Honest):
    """Declares the truth as a column."""

    needs = ("truth",)


class ReplaysLabels(Honest):
    """Returns the labels of the fit, in their order."""

    def fit(self, x, y, **needs):
        self.labels = y
        return super().fit(x, y)

    def score(self, x, **needs):
        return super().score(x) + 10 * self.labels[: x.shape[-2]].float()


class CentresTheBatch(Honest):
    """Subtracts the mean of the scores."""

    def score(self, x, **needs):
        return super().score(x) - super().score(x).mean(-1, keepdim=True)


class RanksTheBatch(Honest):
    """Returns ranks within the batch."""

    def score(self, x, **needs):
        return super().score(x).argsort(-1).argsort(-1).float()


class ClipsByTheBatch(Honest):
    """Uses the other examples only if there are many."""

    def score(self, x, **needs):
        scores = super().score(x)
        if scores.shape[-1] < 50:
            return scores
        return scores - scores.median(-1, keepdim=True).values


class AveragesFits(Honest):
    """Adds the direction of an earlier fit."""

    def fit(self, x, y, **needs):
        previous = getattr(self, "direction", 0)
        super().fit(x, y)
        if isinstance(previous, torch.Tensor) and previous.shape == self.direction.shape:
            self.direction = self.direction + previous
        return self


class KeepsTheFirstShape(Honest):
    """Allocates a buffer at the first fit."""

    def fit(self, x, y, **needs):
        super().fit(x, y)
        if not hasattr(self, "buffer"):
            self.buffer = torch.zeros_like(self.direction)
        self.buffer[:] = self.direction
        return self


class SharesFits(Honest):
    """Adds the directions of all probes of the class."""

    directions: list[torch.Tensor] = []  # noqa: RUF012

    def fit(self, x, y, **needs):
        super().fit(x, y)
        same_shape = [d for d in self.directions if d.shape == self.direction.shape]
        self.directions.append(self.direction)
        self.direction = self.direction + sum(same_shape)
        return self


class LearnsWhileScoring(Honest):
    """Moves its midpoint towards the scored states."""

    def score(self, x, **needs):
        scores = super().score(x)
        self.midpoint = 0.9 * self.midpoint + 0.1 * x.mean(-2, keepdim=True)
        return scores


class ReadsPoison(Honest):
    """Declares that it reads no labels."""

    supervision = "none"


class OrientsTooMuch(Honest):
    """Declares that labels only orient it."""

    supervision = "sign"


class ChoosesByLabels(Honest):
    """Declares that labels only orient it, and picks the feature that correlates best with them."""

    supervision = "sign"

    def fit(self, x, y, **needs):
        effect = (x[..., y, :].mean(-2) - x[..., ~y, :].mean(-2)) / x.std(-2)
        best = effect.abs().argmax(-1, keepdim=True)
        self.direction = torch.zeros_like(effect).scatter(-1, best, effect.gather(-1, best))
        self.direction = self.direction[..., None]
        self.midpoint = x.mean(-2, keepdim=True)
        return self


class DrawsGlobally(Honest):
    """Draws noise from the global generator."""

    def fit(self, x, y, **needs):
        super().fit(x, y)
        self.direction = self.direction + torch.randn(())
        return self


class DrawsAtScore(Honest):
    """Draws noise in `score`."""

    def score(self, x, **needs):
        return super().score(x) * torch.rand(())


class WritesIntoItsInput(Honest):
    """Centres in place."""

    def fit(self, x, y, **needs):
        super().fit(x, y)
        x -= self.midpoint
        return self


@pytest.mark.parametrize(
    ("cls", "check", "message"),
    [
        (LooksIntoItsCaller, "reads_no_labels_at_score", "`score` reads labels"),
        (LooksIntoColumns, "reads_no_labels_at_score", "`score` reads labels"),
        (AsksForLabels, "declares_the_contract", "names 'truth', which no probe is given"),
        (ReplaysLabels, "scores_examples_alone", "changes with the others"),
        (CentresTheBatch, "scores_examples_alone", "changes with the others"),
        (RanksTheBatch, "scores_examples_alone", "changes with the others"),
        (ClipsByTheBatch, "scores_examples_alone", "changes with the others"),
        (AveragesFits, "forgets_earlier_fits", "a probe that was fitted before scores diff"),
        (KeepsTheFirstShape, "forgets_earlier_fits", "it raised RuntimeError"),
        (SharesFits, "forgets_earlier_fits", "keep nothing between fits"),
        (LearnsWhileScoring, "scores_alike_twice", "differently the second time"),
        (ReadsPoison, "obeys_supervision", "labels change the scores"),
        (OrientsTooMuch, "obeys_supervision", "labels give another axis"),
        (ChoosesByLabels, "obeys_supervision", "labels give another axis"),
        (DrawsGlobally, "same_seed_same_scores", "draws from a global generator"),
        (DrawsAtScore, "scores_alike_twice", "differently the second time"),
        (WritesIntoItsInput, "leaves_its_input", "`fit` changes its input"),
    ],
)
def test_a_cheat_fails_its_check(cls, check, message):
    with pytest.raises(ProbeCheckError) as failure:
        check_probe(cls)
    messages = dict(line.split(": ", 1) for line in str(failure.value).splitlines()[1:])
    assert message in messages[check]


def test_an_honest_probe_passes():
    check_probe(Honest)
