"""Training examples as tokens, and batches of one exact length."""

import itertools
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from datasets import Dataset
from torch import Tensor
from torch.utils.data import Sampler

from finetune.prompting.answers import PromptEncoder, answers_after, prompt_tokens

Row = dict[str, Any]
"""tokens of the prompt, the two answer tokens (false, true), and the label."""


def balanced(examples: Dataset, seed: int) -> Dataset:
    """Return as many examples of each label in each context as its rarer label has.

    Raises:
        ValueError: if a context has labels of one class only.
    """
    groups: dict[tuple[str, bool], list[int]] = defaultdict(list)
    for i, (context, label) in enumerate(zip(examples["context"], examples["label"], strict=True)):
        groups[context, label].append(i)
    rng = random.Random(seed)
    chosen: list[int] = []
    for context in sorted({context for context, _ in groups}):
        size = min(len(groups[context, label]) for label in (False, True))
        if size == 0:
            raise ValueError(f"context {context} of the training examples has labels of one class")
        for label in (False, True):
            chosen += rng.sample(groups[context, label], size)
    return examples.select(sorted(chosen))


def encode(tokenizer: PromptEncoder, examples: Dataset) -> list[Row]:
    """Return the examples as tokens."""
    prompts = list(examples["prompt"])
    tokens = prompt_tokens(tokenizer, prompts)
    answers = answers_after(
        tokenizer, prompts, [(false, true) for false, true in examples["choices"]]
    )
    return [
        {"tokens": row, "target": pair[label], "length": len(row)}
        for row, pair, label in zip(tokens, answers, examples["label"], strict=True)
    ]


class ExactLength(Sampler[list[int]]):
    """Batches of prompts of one exact length, shuffled anew every epoch.

    Of several processes each gets its part of every batch, all of one size: a batch that does not
    divide is filled up with its own first rows, whose
    loss then counts twice.
    """

    def __init__(
        self, rows: Sequence[Row], batch: int, seed: int, process: int = 0, processes: int = 1
    ):
        self.batch = batch
        self.process = process
        self.processes = processes
        self.rng = random.Random(seed)
        self.by_length: dict[int, list[int]] = defaultdict(list)
        for i, row in enumerate(rows):
            self.by_length[row["length"]].append(i)

    def __len__(self) -> int:
        return sum(-(-len(group) // self.batch) for group in self.by_length.values())

    def __iter__(self) -> Iterator[list[int]]:
        batches = []
        for group in self.by_length.values():
            self.rng.shuffle(group)
            batches += [group[i : i + self.batch] for i in range(0, len(group), self.batch)]
        self.rng.shuffle(batches)
        yield from (self._part(batch) for batch in batches)

    def _part(self, batch: list[int]) -> list[int]:
        size = -(-len(batch) // self.processes)
        start = self.process * size
        return list(itertools.islice(itertools.cycle(batch), start, start + size))


def collate(rows: Sequence[Row]) -> dict[str, Tensor]:
    """Return a batch of rows of one length."""
    return {
        "input_ids": torch.tensor([row["tokens"] for row in rows]),
        "labels": torch.tensor([row["target"] for row in rows]),
    }
