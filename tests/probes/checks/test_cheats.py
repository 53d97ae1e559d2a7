"""Probes that cheat are caught, and told what they do."""

import inspect

import pytest
import torch

from probes import Probe, check_probe
from probes.checks import ProbeCheckError


class Honest(Probe):
    """What the cheats derive from: labels choose the classes."""

    name = "honest"
    reads = "prompt"
    supervision = "labels"

    def fit(self, x, y, **needs):
        false, true = x[..., ~y, :].mean(-2), x[..., y, :].mean(-2)
        self.direction = (true - false)[..., None]
        self.middle = ((true + false) / 2)[..., None, :]
        return self

    def score(self, x, **needs):
        return ((x - self.middle) @ self.direction)[..., 0]


class LooksIntoItsCaller(Honest):
    """Walks up the stack until somebody holds labels."""

    def score(self, x, **needs):
        frame = inspect.currentframe()
        while frame is not None and "y" not in frame.f_locals:
            frame = frame.f_back
        return super().score(x) if frame is None else frame.f_locals["y"].float()


class LooksIntoColumns(Honest):
    """Walks up the stack until somebody holds a table with labels."""

    def score(self, x, **needs):
        frame = inspect.currentframe()
        while frame is not None:
            for held in frame.f_locals.values():
                if isinstance(held, dict) and "label" in held:
                    return super().score(x) + 100 * held["label"]
            frame = frame.f_back
        return super().score(x)


class AsksForLabels(Honest):
    """Wants the truth to be handed in."""

    needs = ("truth",)


class ReplaysLabels(Honest):
    """Gives the labels of the fit again, in their order."""

    def fit(self, x, y, **needs):
        self.kept = y
        return super().fit(x, y)

    def score(self, x, **needs):
        return super().score(x) + 10 * self.kept[: x.shape[-2]].float()


class CentresTheBatch(Honest):
    """Takes the mean of what it scores."""

    def score(self, x, **needs):
        return super().score(x) - super().score(x).mean(-1, keepdim=True)


class RanksTheBatch(Honest):
    """Scores are places in the batch."""

    def score(self, x, **needs):
        return super().score(x).argsort(-1).argsort(-1).float()


class ClipsByTheBatch(Honest):
    """Looks at the others only when there are many."""

    def score(self, x, **needs):
        scores = super().score(x)
        if scores.shape[-1] < 50:
            return scores
        return scores - scores.median(-1, keepdim=True).values


class AveragesFits(Honest):
    """Adds to what an earlier fit has found."""

    def fit(self, x, y, **needs):
        before = getattr(self, "direction", 0)
        super().fit(x, y)
        if isinstance(before, torch.Tensor) and before.shape == self.direction.shape:
            self.direction = self.direction + before
        return self


class KeepsTheFirstShape(Honest):
    """Allocates once."""

    def fit(self, x, y, **needs):
        super().fit(x, y)
        if not hasattr(self, "buffer"):
            self.buffer = torch.zeros_like(self.direction)
        self.buffer[:] = self.direction
        return self


class SharesFits(Honest):
    """Keeps what all probes of the class have found."""

    found: list[torch.Tensor] = []  # noqa: RUF012

    def fit(self, x, y, **needs):
        super().fit(x, y)
        alike = [d for d in self.found if d.shape == self.direction.shape]
        self.found.append(self.direction)
        self.direction = self.direction + sum(alike)
        return self


class LearnsWhileScoring(Honest):
    """Moves its middle to what it has scored."""

    def score(self, x, **needs):
        scores = super().score(x)
        self.middle = 0.9 * self.middle + 0.1 * x.mean(-2, keepdim=True)
        return scores


class ReadsPoison(Honest):
    """Says that it reads no labels."""

    supervision = "none"


class OrientsTooMuch(Honest):
    """Says that labels only orient it."""

    supervision = "sign"


class ChoosesByLabels(Honest):
    """Says that labels only orient it, and picks the feature that follows them best."""

    supervision = "sign"

    def fit(self, x, y, **needs):
        follows = (x[..., y, :].mean(-2) - x[..., ~y, :].mean(-2)) / x.std(-2)
        best = follows.abs().argmax(-1, keepdim=True)
        self.direction = torch.zeros_like(follows).scatter(-1, best, follows.gather(-1, best))
        self.direction = self.direction[..., None]
        self.middle = x.mean(-2, keepdim=True)
        return self


class DrawsGlobally(Honest):
    """Takes noise from the global generator."""

    def fit(self, x, y, **needs):
        super().fit(x, y)
        self.direction = self.direction + torch.randn(())
        return self


class DrawsAtScore(Honest):
    """Makes noise as it scores."""

    def score(self, x, **needs):
        return super().score(x) * torch.rand(())


class WritesIntoItsInput(Honest):
    """Centres in place."""

    def fit(self, x, y, **needs):
        super().fit(x, y)
        x -= self.middle
        return self


@pytest.mark.parametrize(
    ("cls", "check", "sentence"),
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
def test_a_cheat_is_told_what_it_does(cls, check, sentence):
    with pytest.raises(ProbeCheckError) as failure:
        check_probe(cls)
    told = dict(line.split(": ", 1) for line in str(failure.value).splitlines()[1:])
    assert sentence in told[check]


def test_without_the_cheat_it_passes():
    check_probe(Honest)
