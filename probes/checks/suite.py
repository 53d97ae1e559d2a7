"""The list of all checks of a probe, and how they are run and reported."""

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from probes.base import Probe, require_contract
from probes.checks.fixtures import ProbeCheckError, require
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
from probes.inputs import NEEDS
from quirky.plugins import one_line

Check = Callable[[type[Probe]], str | None]
"""Raises ProbeCheckError if a probe fails; returns a reason if the check does not apply to it."""


@dataclass(frozen=True)
class Outcome:
    """The result of one check; `message` says why the probe fails it, or is exempt from it."""

    check: str
    verdict: Literal["pass", "fail", "exempt"]
    message: str = ""


def check_probe(cls: type[Probe]) -> None:
    """Run all checks that apply to a probe class, which takes seconds.

    Raises:
        ProbeCheckError: with one sentence for each check that fails.
    """
    failures = [outcome for outcome in run_checks(cls) if outcome.verdict == "fail"]
    if failures:
        name = getattr(cls, "__name__", repr(cls))
        count = f"{len(failures)} check{'s' * (len(failures) > 1)}"
        messages = "\n".join(f"{failure.check}: {failure.message}" for failure in failures)
        raise ProbeCheckError(f"{name} fails {count}\n{messages}")


def probe_checks(cls: type[Probe]) -> Iterator[tuple[str, Callable[[], str | None]]]:
    """Yield the checks of a probe class by name, for pytest's `parametrize`.

    Checks that the class is `exempt` from are left out. Each raises ProbeCheckError if the class
    fails it, or returns the reason if it does not apply.
    """
    for name, check in CHECKS.items():
        if name not in cls.exempt:
            yield name, functools.partial(check, cls)


def run_checks(cls: type[Probe]) -> Iterator[Outcome]:
    """Run every check, and yield each outcome as it is known.

    If the class variables are invalid, no further check is run.
    """
    declaration = _run_check(declares_the_contract, cls)
    yield declaration
    if declaration.verdict == "fail":
        return
    for name, check in CHECKS.items():
        if name in cls.exempt:
            yield Outcome(name, "exempt", cls.exempt[name])
        elif check is not declares_the_contract:
            yield _run_check(check, cls)


def _run_check(check: Check, cls: type[Probe]) -> Outcome:
    name = check.__name__
    try:
        reason = check(cls)
    except ProbeCheckError as failure:
        return Outcome(name, "fail", str(failure))
    except (Exception, SystemExit) as error:  # a probe may raise anything
        return Outcome(name, "fail", f"it raised {one_line(error)}")
    return Outcome(name, "exempt", reason) if reason else Outcome(name, "pass")


def declares_the_contract(cls: type[Probe]) -> None:
    """Check the class variables, the exemptions, and that the constructor needs only a seed."""
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
        require(name in CHECKS, f"`exempt` names {name!r}, which is not a check")
        require(name != "declares_the_contract", f"no probe is exempt from {name!r}")
        require(bool(reason.strip()), f"`exempt` gives no reason for {name!r}")
    require(cls(seed=3).seed == 3, "the constructor must hand `seed` to `super().__init__`")


def is_documented(cls: type[Probe]) -> None:
    """Check that the class has a docstring."""
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
