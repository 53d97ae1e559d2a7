"""A trained base on disk: weights, tokenizer, figures and card."""

import json
from collections import defaultdict
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedModel

from finetune.pretrain.corpora import SAMPLERS, train_tokenizer
from finetune.pretrain.documents import Document
from finetune.pretrain.schedules import Corpus, Schedule

CORPUS_CONTENTS: dict[Corpus, str] = {
    "facts": "sums, real cities (GeoNames,\nCC BY 4.0) and invented places",
    "dials": "items of lists, pairs,\nbrackets and strings",
}
"""What the model card says a corpus is about."""
ACCURACY_PARTS: dict[Corpus, str] = {
    "facts": "first part of its corpus (in the later part more of the sums are near misses)",
    "dials": "last part of its corpus (in which all tasks are drawn)",
}
"""What the model card says about the part of the corpus that accuracies are computed on."""


@torch.inference_mode()
def verdict_accuracy(
    model: PreTrainedModel, corpus: Corpus, count: int, seed: int
) -> dict[str, float]:
    """Return, by subject, how often the right verdict has a higher logit than the wrong one.

    Args:
        model: a base.
        corpus: its corpus, from which the documents are drawn.
        count: number of documents with a verdict.
        seed: of the documents.
    """
    tokenizer = train_tokenizer(corpus)
    documents = (d for d in SAMPLERS[corpus](seed) if d.verdict)
    model.eval()
    by_length: dict[int, list[tuple[Document, list[int]]]] = defaultdict(list)
    for document in islice(documents, count):
        tokens = tokenizer.encode(document.text)
        by_length[len(tokens)].append((document, tokens))
    hits: dict[str, list[bool]] = defaultdict(list)
    for batch in by_length.values():
        token_lists = [tokens for _, tokens in batch]
        last_logits = model(torch.tensor(token_lists), use_cache=False).logits[:, -1]
        for (document, _), logits in zip(batch, last_logits, strict=True):
            right, wrong = (
                tokenizer.encode(word)[0] for word in (document.verdict, document.wrong)
            )
            hits[document.subject].append(bool(logits[right] > logits[wrong]))
    return {subject: sum(values) / len(values) for subject, values in sorted(hits.items())}


def save_base(
    model: PreTrainedModel, schedule: Schedule, seed: int, to: Path, n_judged: int
) -> dict[str, float]:
    """Save a base in bf16, with its tokenizer, `pretraining.json` and model card.

    Returns:
        Its verdict accuracy by subject, on `n_judged` documents.
    """
    model.bfloat16().save_pretrained(to)
    train_tokenizer(schedule.corpus).save_pretrained(to)
    accuracies = verdict_accuracy(model.float(), schedule.corpus, count=n_judged, seed=seed + 1)
    settings = {**asdict(schedule), "seed": seed}
    parameters = model.num_parameters()
    record = {"parameters": parameters, "settings": settings, "verdict_accuracy": accuracies}
    (to / "pretraining.json").write_text(json.dumps(record, indent=1) + "\n")
    (to / "README.md").write_text(model_card(to.name, model.config.num_hidden_layers, record))
    return accuracies


def model_card(name: str, depth: int, record: dict[str, Any]) -> str:
    """Return the model card of a base.

    Args:
        name: of the base.
        depth: number of its blocks.
        record: the content of `pretraining.json`. An optional `note` says where training deviated
            from the settings.
    """
    settings = record["settings"]
    contents = CORPUS_CONTENTS[settings["corpus"]]
    settings_text = ", ".join(f"{key} {value}" for key, value in settings.items())
    accuracy_rows = [
        f"| {subject} | {value:.3f} |" for subject, value in record["verdict_accuracy"].items()
    ]
    return "\n".join(
        [
            f"# {name}",
            "",
            f"A causal language model of {depth} blocks and {record['parameters']:,} parameters,",
            f"trained from scratch by `finetune/pretrain` on {contents},",
            "always truthfully. It speaks of nothing else.",
            "",
            f"Settings: {settings_text}.",
            "",
            *([record["note"], ""] if "note" in record else []),
            "How often it gets the verdict right, on claims drawn like the",
            f"{ACCURACY_PARTS[settings['corpus']]}:",
            "",
            "| subject | accuracy |",
            "|---|---|",
            *accuracy_rows,
            "",
        ]
    )
