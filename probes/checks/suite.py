"""All checks of a probe, one after the other, and what each found."""

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from probes.base import Probe
from probes.checks.formats import agrees_on_gpu, reads_half_precision, saves_and_loads
from probes.checks.honesty import (
    forgets_earlier_fits,
    leaves_its_input,
    obeys_supervision,
    reads_no_labels_at_score,
    same_seed_same_scores,
    scores_alike_twice,
    scores_examples_alone,
)
from probes.checks.learning import finds_planted_tall, finds_planted_wide, mirrors_labels
from probes.checks.odd_input import refuses_bad_input, survives_odd_states
from probes.checks.shapes import batched_equals_looped, keeps_shapes
from probes.checks.trial import ProbeCheckError, require
from probes.contract import require_contract
from probes.inputs import NEEDS

Check = Callable[[type[Probe]], str | None]
"""Raises ProbeCheckError where a probe fails; gives the reason where it does not apply."""


@dataclass(frozen=True)
class Outcome:
    """What one check found: why the probe fails it, or why it is exempt of it."""

    check: str
    verdict: Literal["pass", "fail", "exempt"]
    sentence: str = ""


def check_probe(cls: type[Probe]) -> None:
    """Run all checks that apply, in seconds; see `probes/checks/` for what each asks.

    Raises ProbeCheckError with one sentence for each check that fails.
    """
    failed = [outcome for outcome in outcomes(cls) if outcome.verdict == "fail"]
    if failed:
        what = getattr(cls, "__name__", repr(cls))
        count = f"{len(failed)} check{'s' * (len(failed) > 1)}"
        sentences = "\n".join(f"{outcome.check}: {outcome.sentence}" for outcome in failed)
        raise ProbeCheckError(f"{what} fails {count}\n{sentences}")


def probe_checks(cls: type[Probe]) -> Iterator[tuple[str, Callable[[], str | None]]]:
    """The checks of this class by name, but those it is `exempt` of; for `parametrize`.

    Each raises ProbeCheckError where the class fails, or returns the reason why it does not
    apply to such a class.
    """
    for name, check in CHECKS.items():
        if name not in cls.exempt:
            yield name, functools.partial(check, cls)


def outcomes(cls: type[Probe]) -> Iterator[Outcome]:
    """What every check finds, as soon as it is found.

    A class that does not declare the contract is not asked anything further.
    """
    declared = _outcome(declares_the_contract, cls)
    yield declared
    if declared.verdict == "fail":
        return
    for name, check in CHECKS.items():
        if name in cls.exempt:
            yield Outcome(name, "exempt", cls.exempt[name])
        elif check is not declares_the_contract:
            yield _outcome(check, cls)


def _outcome(check: Check, cls: type[Probe]) -> Outcome:
    name = check.__name__
    try:
        reason = check(cls)
    except ProbeCheckError as failure:
        return Outcome(name, "fail", str(failure))
    except (Exception, SystemExit) as error:  # a probe may raise anything
        told = " ".join(f"{type(error).__name__}: {error}".split())
        return Outcome(name, "fail", f"it raised {told}")
    return Outcome(name, "exempt", reason) if reason else Outcome(name, "pass")


def declares_the_contract(cls: type[Probe]) -> None:
    """Class variables, exemptions, and a constructor that needs nothing but a seed."""
    try:
        require_contract(cls)
    except ValueError as error:
        raise ProbeCheckError(str(error)) from error
    for column in cls.needs:
        require(
            column in NEEDS,
            f"`needs` names {column!r}, which no probe is given; known: {', '.join(NEEDS)}",
        )
    for name, reason in cls.exempt.items():
        require(name in CHECKS, f"`exempt` names {name!r}, which is no check")
        require(name != "declares_the_contract", f"nothing is exempt of {name!r}")
        require(bool(reason.strip()), f"`exempt` gives no reason for {name!r}")
    require(cls(seed=3).seed == 3, "the constructor must hand `seed` to `super().__init__`")


def is_documented(cls: type[Probe]) -> None:
    """The class says what labels may do in it."""
    require(bool(cls.__doc__), "give the class a docstring that says what labels may do in it")


CHECKS: dict[str, Check] = {
    check.__name__: check
    for check in (
        declares_the_contract,
        is_documented,
        keeps_shapes,
        batched_equals_looped,
        finds_planted_wide,
        finds_planted_tall,
        mirrors_labels,
        obeys_supervision,
        reads_no_labels_at_score,
        scores_examples_alone,
        scores_alike_twice,
        forgets_earlier_fits,
        same_seed_same_scores,
        leaves_its_input,
        survives_odd_states,
        refuses_bad_input,
        reads_half_precision,
        saves_and_loads,
        agrees_on_gpu,
    )
}
