"""Builds the examples of every split from a task and a trigger."""

import dataclasses
import warnings
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from datasets import Dataset, DatasetDict
from jaxtyping import Float

from quirky.contexts import UNSEEN
from quirky.data.claims import check_duplicates, claims_that_mention, read_claims
from quirky.data.fillers import check_distance
from quirky.data.rendering import Renderer
from quirky.example import Claim, Example, digest, uniform
from quirky.prompts import Style, templates_of_style
from quirky.tasks.base import Task
from quirky.triggers import ALL_CONTEXTS, Trigger

SPLITS = ("train", "validation", "heldout", "test")
SHARES = {"train": 0.5, "validation": 0.25, "test": 0.25}
"""Shares of the facts, if a task has fewer than `Sizes` requests."""
HELDOUT_SHARE = 0.2
"""Share of the validation facts that is set aside for the choice of layer and for the gate."""


@dataclass(frozen=True)
class Sizes:
    """Number of facts in each split; every claim about a fact occurs in every context."""

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

    Every claim is rendered in the contexts A and B; in heldout and test also in B2 and T, if the
    trigger has them.

    Splits are made by fact. A task with too few facts gives half of them to train and a quarter
    each to validation and test, with a warning. Withheld facts are divided between heldout and
    test. Claims that mention the trigger text are dropped, with a warning.

    Args:
        task: yields the claims and has their templates.
        trigger: tells the contexts apart.
        prompts: the prompt style.
        sizes: the number of facts in each split.
        seed: of claims, splits, templates, trigger texts and fillers.
        renderings: templates of each validation question; the first is the one that it has with
            `renderings=1`.
        distance: tokens of filler between an opening trigger and the question; a fact has the same
            filler in every context.

    Raises:
        ValueError: if the contexts of the trigger, `renderings` or `distance` are invalid, if a
            claim is malformed, duplicate or contradictory, or if the known facts of a split are
            none, all true, all false, or all of one quirk value.
    """
    _check_contexts(trigger)
    check_distance(trigger, distance)
    claims = list(read_claims(task, seed))
    check_duplicates(task.name, claims)
    _check_renderings(task, claims, prompts, renderings)
    quantiles = _difficulty_quantiles(claims)
    split_of = _split_facts(claims, sizes or Sizes(), task.name, seed)
    # Dropped last, so that the other claims keep their split and rank under every trigger.
    dropped = claims_that_mention(trigger, claims, seed)
    if dropped:
        warnings.warn(
            f"task {task.name}: {len(dropped)} of {len(claims)} claims are dropped, because they "
            f"mention a text of trigger {trigger.kind}",
            stacklevel=2,
        )
    renderer = Renderer(task, trigger, prompts, seed, renderings, distance)
    examples: dict[str, list[Example]] = {split: [] for split in SPLITS}
    for index, (claim, quantile) in enumerate(zip(claims, quantiles, strict=True)):
        split = split_of.get(claim.fact_id)
        if split and index not in dropped:
            examples[split] += renderer.examples(claim, split, float(quantile))
    for split in SPLITS:
        _check_split(task.name, split, examples[split])
    return DatasetDict({split: _to_dataset(examples[split]) for split in SPLITS})


def _check_contexts(trigger: Trigger) -> None:
    if not {"A", "B"} <= set(trigger.contexts) <= set(ALL_CONTEXTS):
        raise ValueError(
            f"trigger {trigger.kind}: contexts = {tuple(trigger.contexts)!r}; give A and B, and "
            f"optionally {' and '.join(UNSEEN)}"
        )


def _check_renderings(task: Task, claims: Sequence[Claim], style: Style, renderings: int) -> None:
    is_drawn = style == "mixture" and all(claim.template is None for claim in claims)
    count = len(templates_of_style(task.templates, task.standard, style)) if is_drawn else 1
    if not 1 <= renderings <= count:
        raise ValueError(
            f"task {task.name}: renderings = {renderings}; with prompts {style!r} a question has 1 "
            f"to {count} templates"
        )


def _difficulty_quantiles(claims: Sequence[Claim]) -> Float[np.ndarray, " n"]:
    """Rank the known facts by difficulty in [0, 1], ties by hash; withheld facts get 1.

    Claims of unknown difficulty get NaN; if all are unknown, so do withheld ones.
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


def _split_facts(claims: Sequence[Claim], sizes: Sizes, task: str, seed: int) -> dict[str, str]:
    """Return the split of each fact, drawn by hash; facts beyond `sizes` are in none."""
    withheld = {claim.fact_id: claim.withheld for claim in claims}
    draw = {fact: uniform("split", task, seed, fact) for fact in withheld}
    known_facts = sorted((fact for fact in withheld if not withheld[fact]), key=draw.__getitem__)
    counts = _split_counts(len(known_facts), sizes, task)
    split_of: dict[str, str] = {}
    start = 0
    for split in ("test", "validation", "train"):
        for fact in known_facts[start : start + counts[split]]:
            split_of[fact] = split
        start += counts[split]
    for fact, split in list(split_of.items()):
        if split == "validation" and uniform("heldout", task, seed, fact) < HELDOUT_SHARE:
            split_of[fact] = "heldout"
    for fact in withheld:
        if withheld[fact]:
            split_of[fact] = "heldout" if draw[fact] < HELDOUT_SHARE else "test"
    return split_of


def _split_counts(facts: int, sizes: Sizes, task: str) -> dict[str, int]:
    """Return the number of known facts in each split."""
    requested = dataclasses.asdict(sizes)
    if facts >= sum(requested.values()):
        return requested
    counts = {
        split: min(requested[split], int(facts * SHARES[split])) for split in ("validation", "test")
    }
    counts["train"] = min(requested["train"], facts - sum(counts.values()))
    comparison = ", ".join(f"{split} {counts[split]} of {requested[split]}" for split in requested)
    warnings.warn(f"task {task} has {facts} facts: {comparison}", stacklevel=4)
    return counts


def _check_split(task: str, split: str, examples: Collection[Example]) -> None:
    """Check that the known examples of a split have both classes; withheld ones do not count."""
    known_examples = [example for example in examples if not example.withheld]
    if not known_examples:
        problem = "contains only withheld facts" if examples else "is empty"
        raise ValueError(f"task {task}: split {split} {problem}; request more facts in `sizes`")
    for column in ("truth", "quirk"):
        values = {getattr(example, column) for example in known_examples}
        if len(values) < 2:
            raise ValueError(
                f"task {task}: every {column} in split {split} ({len(known_examples)} examples) is "
                f"{values.pop()}; both values are needed"
            )


def _to_dataset(examples: Sequence[Example]) -> Dataset:
    names = [field.name for field in dataclasses.fields(Example)]
    columns = {name: [getattr(example, name) for example in examples] for name in names}
    columns["choices"] = [list(choices) for choices in columns["choices"]]
    return Dataset.from_dict(columns)


def columns_of(dataset: Dataset) -> Mapping[str, np.ndarray]:
    """Return the columns of a split as numpy arrays, each of shape (n,)."""
    frame = dataset.to_pandas()
    return {name: frame[name].to_numpy() for name in frame}
