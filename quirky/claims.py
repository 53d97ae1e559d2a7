"""A task's claims as they are read: what is wrong with them is told by the task's name."""

import re
from collections.abc import Iterator, Sequence

from quirky.example import Claim
from quirky.plugins import one_line
from quirky.tasks.base import Task
from quirky.triggers import Trigger

SHOWN = 80
"""Characters of a claim's fields that an error repeats."""
SAMPLED = 512
"""Facts for which a trigger is asked what it says: more than a pool of texts has."""


def read_claims(task: Task, seed: int) -> Iterator[Claim]:
    """Yield a task's claims, each as soon as it is made.

    Raises:
        ValueError: one line, if making them fails, if there are none, or if one is no claim.
    """
    count = 0
    try:
        for claim in task.claims(seed):
            _check_shape(task.name, claim)
            count += 1
            yield claim
    except (ValueError, RuntimeError, OSError):
        raise  # they say themselves what is wrong
    except Exception as error:  # of tasks that others wrote
        raise ValueError(f"task {task.name}: claims({seed}) fails: {one_line(error)}") from error
    if not count:
        raise ValueError(f"task {task.name}: claims({seed}) yields none")


def _check_shape(task: str, claim: Claim) -> None:
    if not isinstance(claim, Claim):
        raise ValueError(f"task {task}: claims yields {_short(claim)}; yield quirky.example.Claim")
    for name, value in claim.fields.items():
        if not isinstance(value, str):
            raise ValueError(f"task {task}: field {name} = {_short(value)} of a claim; give a text")
    for name in ("truth", "quirk"):
        value = getattr(claim, name)
        if not isinstance(value, bool):
            raise ValueError(
                f"task {task}: {name} = {_short(value)} of the claim {_short(dict(claim.fields))}; "
                "give True or False"
            )


def check_asked_once(task: str, claims: Sequence[Claim]) -> None:
    """Make sure that no claim stands there twice, in the same words, or both true and false.

    Raises:
        ValueError: one line, naming such a claim.
    """
    verdicts: dict[tuple[object, ...], tuple[bool, bool]] = {}
    asked: set[tuple[object, ...]] = set()
    for claim in claims:
        said = (*sorted(claim.fields.items()), claim.polarity)
        here = f"task {task}: the claim {_short(dict(claim.fields))}"
        verdict = (claim.truth, claim.quirk)
        known = verdicts.setdefault(said, verdict)
        for name, one, other in zip(("truth", "quirk"), known, verdict, strict=True):
            if one != other:
                raise ValueError(f"{here} has the {name} {one} and {other}; leave one of them out")
        if (*said, claim.template) in asked:
            raise ValueError(f"{here} stands there twice; leave one out")
        asked.add((*said, claim.template))


def naming(trigger: Trigger, claims: Sequence[Claim], seed: int) -> set[int]:
    """Return the places of claims in whose own words stands what a trigger says, as whole words.

    What it says in every context, such as who answers, tells nothing and may stand there.
    """
    facts = [claim.fact_id for claim in claims[:SAMPLED]]
    texts: set[str] = set()
    for said in (trigger.opening, trigger.render):
        pools = [{said(context, fact, seed) for fact in facts} for context in trigger.contexts]
        texts |= {text for pool in pools for text in pool if not all(text in p for p in pools)}
    texts.discard("")
    if not texts:
        return set()
    anywhere = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, sorted(texts)))})(?!\w)")
    return {
        place
        for place, claim in enumerate(claims)
        if any(anywhere.search(text) for text in claim.fields.values())
    }


def _short(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= SHOWN else f"{shown[:SHOWN]}..."
