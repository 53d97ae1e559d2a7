"""Reading and checking the claims of a task; errors name the task and the claim."""

import re
from collections.abc import Iterator, Sequence

from quirky.example import Claim
from quirky.plugins import one_line
from quirky.tasks.base import Task
from quirky.text import short_repr
from quirky.triggers import Trigger

SAMPLED_FACTS = 512
"""Facts for which a trigger is rendered to collect its texts; more than any built-in pool has."""


def read_claims(task: Task, seed: int) -> Iterator[Claim]:
    """Yield the claims of a task, checking the type of each.

    Raises:
        ValueError: one line, if the task fails or yields nothing, or if a claim is malformed.
    """
    count = 0
    try:
        for claim in task.claims(seed):
            _check_types(task.name, claim)
            count += 1
            yield claim
    except (ValueError, RuntimeError, OSError):
        raise  # their messages are already written for the user
    except Exception as error:  # a plug-in's task may raise anything
        raise ValueError(f"task {task.name}: claims({seed}) fails: {one_line(error)}") from error
    if not count:
        raise ValueError(f"task {task.name}: claims({seed}) yields nothing")


def _check_types(task: str, claim: Claim) -> None:
    if not isinstance(claim, Claim):
        raise ValueError(f"task {task}: claims yields {short_repr(claim)}; yield Claim objects")
    for name, value in claim.fields.items():
        if not isinstance(value, str):
            raise ValueError(
                f"task {task}: a claim has the field {name} = {short_repr(value)}; give a string"
            )
    for name in ("truth", "quirk"):
        value = getattr(claim, name)
        if not isinstance(value, bool):
            raise ValueError(
                f"task {task}: the claim {short_repr(dict(claim.fields))} has "
                f"{name} = {short_repr(value)}; give True or False"
            )


def check_duplicates(task: str, claims: Sequence[Claim]) -> None:
    """Check that no claim occurs twice in the same template or with two different verdicts.

    Raises:
        ValueError: one line that names the first such claim.
    """
    verdicts: dict[tuple[object, ...], tuple[bool, bool]] = {}
    wordings: set[tuple[object, ...]] = set()
    for claim in claims:
        content = (*sorted(claim.fields.items()), claim.polarity)
        subject = f"task {task}: the claim {short_repr(dict(claim.fields))}"
        verdict = (claim.truth, claim.quirk)
        earlier = verdicts.setdefault(content, verdict)
        for name, first, second in zip(("truth", "quirk"), earlier, verdict, strict=True):
            if first != second:
                raise ValueError(
                    f"{subject} occurs with {name} = {first} and with {name} = {second}; remove one"
                )
        if (*content, claim.template) in wordings:
            raise ValueError(f"{subject} occurs twice; remove one")
        wordings.add((*content, claim.template))


def claims_that_mention(trigger: Trigger, claims: Sequence[Claim], seed: int) -> set[int]:
    """Return the indices of claims with a field that contains a trigger text as whole words.

    A text that the trigger has in every context, such as the speaker's name, is ignored: it does
    not tell contexts apart.
    """
    texts = _distinctive_texts(trigger, [claim.fact_id for claim in claims[:SAMPLED_FACTS]], seed)
    if not texts:
        return set()
    mention = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, sorted(texts)))})(?!\w)")
    return {
        index
        for index, claim in enumerate(claims)
        if any(mention.search(text) for text in claim.fields.values())
    }


def _distinctive_texts(trigger: Trigger, facts: Sequence[str], seed: int) -> set[str]:
    """Return the non-empty texts of a trigger that some context lacks."""
    texts: set[str] = set()
    for render in (trigger.opening, trigger.render):
        first, *others = (
            {render(context, fact, seed) for fact in facts} for context in trigger.contexts
        )
        texts |= first.union(*others) - first.intersection(*others)
    return texts - {""}
