"""From a task and a trigger to the examples of every split."""

import dataclasses
import itertools
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from datasets import Dataset, DatasetDict
from jaxtyping import Float

from quirky.claims import check_asked_once, naming, read_claims
from quirky.contexts import UNSEEN
from quirky.example import Claim, Example, digest, uniform
from quirky.fillers import check_distance, contexts_at, filler
from quirky.prompts import Style, Template, choose_templates, styled
from quirky.tasks.base import Task
from quirky.triggers import ALL_CONTEXTS, Trigger

SPLITS = ("train", "validation", "heldout", "test")
SHARE = {"train": 0.5, "validation": 0.25, "test": 0.25}
"""Of the facts, where a task has fewer than are asked for."""
HELDOUT = 0.2
"""Of the validation facts: set aside for the choice of layer and for the gate."""


@dataclass(frozen=True)
class Sizes:
    """How many claims each split should hold; each is asked in every context."""

    train: int = 8000
    validation: int = 2000
    test: int = 1000


def build_dataset(
    task: Task,
    trigger: Trigger,
    *,
    prompts: Style = "mixture",
    sizes: Sizes | None = None,
    seed: int = 0,
    renderings: int = 1,
    distance: int = 0,
) -> DatasetDict:
    """Return the splits train, validation, heldout and test, with the columns of `Example`.

    Every claim is asked in the contexts A and B, in heldout and test in those that the trigger has
    beside them too. `distance` is how many tokens of filler stand between a trigger that is an
    opening and the question; the same filler for a fact in every context.

    In validation each question is put in so many templates as `renderings`; the first is the one
    that it has without.

    Splits are made by fact. A task with fewer facts than asked for gives half of them to train
    and a quarter each to validation and test. Withheld facts are divided between heldout and test.
    Claims in whose own words stands what the trigger says, such as a name, are left out.

    Raises:
        ValueError: if the known facts of a split are none, or all of one truth or quirk value, or
            if the prompt style has fewer templates than `renderings`, if the trigger has contexts
            that nobody knows, if the distance is none that it can have, or if a claim is wrongly
            made, stands there twice, or is both true and false.
    """
    _check_contexts(trigger)
    check_distance(trigger, distance)
    claims = list(read_claims(task, seed))
    check_asked_once(task.name, claims)
    _check_renderings(task, claims, prompts, renderings)
    quantiles = _quantiles(claims)
    split_of = _split_facts(claims, sizes or Sizes(), task.name, seed)
    rows: dict[str, list[Example]] = {split: [] for split in SPLITS}
    # Left out last, so that the other claims stay where they are, whatever the trigger.
    left_out = naming(trigger, claims, seed)
    if left_out:
        warnings.warn(
            f"task {task.name}: {len(left_out)} of {len(claims)} claims are left out; in their own "
            f"words stands what trigger {trigger.kind} says",
            stacklevel=2,
        )
    for place, (claim, quantile) in enumerate(zip(claims, quantiles, strict=True)):
        split = split_of.get(claim.fact_id)
        if split and place not in left_out:
            count = renderings if split == "validation" else 1
            asked = Asked(split, float(quantile), prompts, seed, count, distance)
            rows[split] += _ask(task, trigger, claim, asked)
    for split, examples in rows.items():
        _check(task.name, split, examples)
    return DatasetDict({split: _table(examples) for split, examples in rows.items()})


@dataclass(frozen=True)
class Asked:
    """How a claim is asked."""

    split: str
    quantile: float
    style: Style
    seed: int
    renderings: int
    distance: int


def render_prompt(
    template: Template,
    trigger: Trigger,
    claim: Claim,
    context: str,
    seed: int,
    distance: int = 0,
) -> str:
    """Return what is shown in a context: the trigger's opening, the filler, the worded claim."""
    opening, slot = (
        text(context, claim.fact_id, seed) for text in (trigger.opening, trigger.render)
    )
    between = filler(distance, claim.fact_id, seed)
    return " ".join(part for part in (opening, between, template.render(claim, slot)) if part)


def _ask(task: Task, trigger: Trigger, claim: Claim, asked: Asked) -> Iterable[Example]:
    style, seed = asked.style, asked.seed
    question_id = claim.question_id
    templates = styled(task.templates, task.standard, style)
    chosen = (
        choose_templates(len(templates), style, question_id, seed, asked.renderings)
        if claim.template is None
        else [claim.template]
    )
    for index, context in itertools.product(chosen, _contexts(trigger, asked)):
        template = templates[index]
        prompt = render_prompt(template, trigger, claim, context, seed, asked.distance)
        yield Example(
            id=digest(task.name, context, prompt, template.choices),
            split=asked.split,
            fact_id=claim.fact_id,
            question_id=question_id,
            context=context,
            prompt=prompt,
            choices=template.choices,
            truth=claim.truth,
            quirk=claim.quirk,
            label=claim.quirk if context in ("B", "B2") else claim.truth,
            difficulty=claim.difficulty,
            difficulty_quantile=asked.quantile,
            template=index,
            polarity=claim.polarity,
            withheld=claim.withheld,
            dial=claim.dial,
            distance=asked.distance,
        )


def _contexts(trigger: Trigger, asked: Asked) -> list[str]:
    """Return the contexts of a split, in one order for all triggers."""
    without = () if asked.split in ("heldout", "test") else UNSEEN
    known = contexts_at(trigger, asked.distance)
    return [c for c in ALL_CONTEXTS if c in known and c not in without]


def _check_contexts(trigger: Trigger) -> None:
    if not {"A", "B"} <= set(trigger.contexts) <= set(ALL_CONTEXTS):
        raise ValueError(
            f"trigger {trigger.kind}: contexts = {tuple(trigger.contexts)!r}; give A, B and, if it "
            f"has them, {' and '.join(UNSEEN)}"
        )


def _check_renderings(task: Task, claims: list[Claim], style: Style, renderings: int) -> None:
    free = style == "mixture" and all(claim.template is None for claim in claims)
    known = len(styled(task.templates, task.standard, style)) if free else 1
    if not 1 <= renderings <= known:
        raise ValueError(
            f"task {task.name}: renderings = {renderings}; with prompts {style!r} a question has 1 "
            f"to {known} templates"
        )


def _quantiles(claims: list[Claim]) -> Float[np.ndarray, " n"]:
    """Rank the difficulty of the known facts in [0, 1], ties by hash; withheld ones are hardest.

    A claim whose difficulty nobody knows has no rank; where that is so of all, none has.
    """
    rated = [i for i, claim in enumerate(claims) if not np.isnan(claim.difficulty)]
    order = sorted(
        (i for i in rated if not claims[i].withheld),
        key=lambda i: (claims[i].difficulty, digest("difficulty", claims[i].fact_id)),
    )
    quantiles = np.full(len(claims), np.nan)
    if rated:
        quantiles[[claim.withheld for claim in claims]] = 1
    quantiles[order] = np.linspace(0, 1, len(order))
    return quantiles


def _split_facts(claims: list[Claim], sizes: Sizes, name: str, seed: int) -> dict[str, str]:
    """Assign facts to splits by hash."""
    facts = {claim.fact_id: claim.withheld for claim in claims}
    key = {fact: uniform("split", name, seed, fact) for fact in facts}
    known = sorted((fact for fact, withheld in facts.items() if not withheld), key=key.__getitem__)
    counts = _counts(len(known), sizes, name)
    split_of: dict[str, str] = {}
    start = 0
    for split in ("test", "validation", "train"):
        for fact in known[start : start + counts[split]]:
            split_of[fact] = split
        start += counts[split]
    for fact, split in list(split_of.items()):
        if split == "validation" and uniform("heldout", name, seed, fact) < HELDOUT:
            split_of[fact] = "heldout"
    for fact in (fact for fact, withheld in facts.items() if withheld):
        split_of[fact] = "heldout" if key[fact] < HELDOUT else "test"
    return split_of


def _counts(known: int, sizes: Sizes, name: str) -> dict[str, int]:
    asked = dataclasses.asdict(sizes)
    if known >= sum(asked.values()):
        return asked
    counts = {
        split: min(asked[split], int(known * SHARE[split])) for split in ("validation", "test")
    }
    counts["train"] = min(asked["train"], known - sum(counts.values()))
    given = ", ".join(f"{split} {counts[split]} of {asked[split]}" for split in asked)
    warnings.warn(f"task {name} has {known} facts: {given}", stacklevel=4)
    return counts


def _check(task: str, split: str, examples: list[Example]) -> None:
    """Refuse a split whose known examples cannot be judged; withheld ones count in no figure."""
    known = [example for example in examples if not example.withheld]
    if not known:
        holds = "holds withheld facts only" if examples else "is empty"
        raise ValueError(f"task {task}: split {split} {holds}; ask for more facts in `sizes`")
    for column in ("truth", "quirk"):
        values = {getattr(example, column) for example in known}
        if len(values) < 2:
            raise ValueError(
                f"task {task}: every {column} in split {split} ({len(known)} examples) is "
                f"{values.pop()}; both values are needed"
            )


def _table(examples: list[Example]) -> Dataset:
    names = [field.name for field in dataclasses.fields(Example)]
    columns = {name: [getattr(example, name) for example in examples] for name in names}
    columns["choices"] = [list(choices) for choices in columns["choices"]]
    return Dataset.from_dict(columns)


def columns_of(dataset: Dataset) -> Mapping[str, np.ndarray]:
    """Return the columns of a split as numpy arrays, each of shape (n,)."""
    frame = dataset.to_pandas()
    return {name: frame[name].to_numpy() for name in frame}
