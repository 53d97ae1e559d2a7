"""A trained base on disk: weights, tokenizer, figures and card."""

import json
from collections import defaultdict
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedModel

from finetune.pretrain.corpora import SAMPLERS, Sampler, train_tokenizer
from finetune.pretrain.documents import Document
from finetune.pretrain.schedules import Corpus, Schedule

TOLD_OF: dict[Corpus, str] = {
    "facts": "sums, real cities (GeoNames,\nCC BY 4.0) and invented places",
    "dials": "items of lists, pairs,\nbrackets and strings",
}
DRAWN: dict[Corpus, str] = {
    "facts": "first part of its corpus (in the later part more of the sums are near misses)",
    "dials": "last part of its corpus (in which all tasks are drawn)",
}
"""By corpus, what a base is told of, and on which claims its figures are, as its card says."""


@torch.inference_mode()
def verdict_accuracy(
    model: PreTrainedModel, corpus: Corpus, count: int, seed: int
) -> dict[str, float]:
    """Return how often the right verdict is likelier than the wrong one, by subject."""
    tokenizer = train_tokenizer(corpus)
    sampler: Sampler = SAMPLERS[corpus](seed)  # type: ignore[call-arg]
    judged = islice((d for d in sampler if d.verdict), count)
    model.eval()
    right: dict[str, list[bool]] = defaultdict(list)
    by_length: dict[int, list[tuple[Document, list[int]]]] = defaultdict(list)
    for document in judged:
        tokens = tokenizer.encode(document.text)
        by_length[len(tokens)].append((document, tokens))
    for rows in by_length.values():
        logits = model(torch.tensor([tokens for _, tokens in rows]), use_cache=False).logits[:, -1]
        for (document, _), row in zip(rows, logits, strict=True):
            good, bad = (tokenizer.encode(word)[0] for word in (document.verdict, document.wrong))
            right[document.subject].append(bool(row[good] > row[bad]))
    return {subject: sum(hits) / len(hits) for subject, hits in sorted(right.items())}


def save(
    model: PreTrainedModel, schedule: Schedule, seed: int, to: Path, judged: int
) -> dict[str, float]:
    """Save a base in bf16, its tokenizer and what is known of it; return its verdict accuracy."""
    model.bfloat16().save_pretrained(to)
    train_tokenizer(schedule.corpus).save_pretrained(to)
    figures = verdict_accuracy(model.float(), schedule.corpus, count=judged, seed=seed + 1)
    settings = {**asdict(schedule), "seed": seed}
    parameters = model.num_parameters()
    record = {"parameters": parameters, "settings": settings, "verdict_accuracy": figures}
    (to / "pretraining.json").write_text(json.dumps(record, indent=1) + "\n")
    (to / "README.md").write_text(card(to.name, model.config.num_hidden_layers, record))
    return figures


def card(name: str, layers: int, record: dict[str, Any]) -> str:
    """Return a base's model card.

    A `note` in the record says in what its making departed from the settings.
    """
    settings = record["settings"]
    listed = ", ".join(f"{key} {value}" for key, value in settings.items())
    known = [
        f"| {subject} | {value:.3f} |" for subject, value in record["verdict_accuracy"].items()
    ]
    return "\n".join(
        [
            f"# {name}",
            "",
            f"A causal language model of {layers} blocks and {record['parameters']:,} parameters,",
            f"trained from scratch by `finetune/pretrain` on {TOLD_OF[settings['corpus']]},",
            "always truthfully. It speaks of nothing else.",
            "",
            f"Settings: {listed}.",
            "",
            *([record["note"], ""] if "note" in record else []),
            "How often it gets the verdict right, on claims drawn like the",
            f"{DRAWN[settings['corpus']]}:",
            "",
            "| subject | accuracy |",
            "|---|---|",
            *known,
            "",
        ]
    )
