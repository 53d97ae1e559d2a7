"""Training examples as tokens, and batches of one exact length."""

import itertools
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import TypedDict

import torch
from datasets import Dataset
from torch import Tensor
from torch.utils.data import Sampler

from finetune.prompting.answers import PromptEncoder, answer_token_pairs, prompt_tokens


class EncodedExample(TypedDict):
    """An example as tokens."""

    tokens: list[int]
    """Tokens of the prompt."""
    target: int
    """First token of the answer that the label names."""
    length: int
    """Number of tokens in the prompt."""


def balance_labels(examples: Dataset, seed: int) -> Dataset:
    """Undersample, so that each context has as many false examples as true ones.

    Raises:
        ValueError: if a context has labels of one class only.
    """
    groups: dict[tuple[str, bool], list[int]] = defaultdict(list)
    for i, (context, label) in enumerate(zip(examples["context"], examples["label"], strict=True)):
        groups[context, label].append(i)
    rng = random.Random(seed)
    indices: list[int] = []
    for context in sorted({context for context, _ in groups}):
        size = min(len(groups[context, label]) for label in (False, True))
        if size == 0:
            raise ValueError(f"context {context} of the training examples has labels of one class")
        for label in (False, True):
            indices += rng.sample(groups[context, label], size)
    return examples.select(sorted(indices))


def encode_examples(tokenizer: PromptEncoder, examples: Dataset) -> list[EncodedExample]:
    """Encode each prompt and the first token of the answer that its label names.

    Raises:
        ValueError: as `prompt_tokens` and `answer_token_pairs`.
    """
    prompts = list(examples["prompt"])
    token_lists = prompt_tokens(tokenizer, prompts)
    answers = answer_token_pairs(
        tokenizer, prompts, [(false, true) for false, true in examples["choices"]]
    )
    return [
        {"tokens": tokens, "target": pair[label], "length": len(tokens)}
        for tokens, pair, label in zip(token_lists, answers, examples["label"], strict=True)
    ]


class ExactLengthSampler(Sampler[list[int]]):
    """Batches of indices of prompts of one exact length, reshuffled every epoch.

    With several processes, each takes an equal share of every batch. A batch that does not divide
    evenly repeats its first examples, whose loss then counts twice.

    Args:
        examples: the examples to sample.
        batch_size: maximum number of examples in a batch, summed over all processes.
        seed: of the shuffling; it must be the same in all processes.
        process: rank of this process.
        n_processes: number of processes.
    """

    def __init__(
        self,
        examples: Sequence[EncodedExample],
        batch_size: int,
        seed: int,
        process: int = 0,
        n_processes: int = 1,
    ):
        self.batch_size = batch_size
        self.process = process
        self.n_processes = n_processes
        self.rng = random.Random(seed)
        self.by_length: dict[int, list[int]] = defaultdict(list)
        for i, example in enumerate(examples):
            self.by_length[example["length"]].append(i)

    def __len__(self) -> int:
        return sum(-(-len(group) // self.batch_size) for group in self.by_length.values())

    def __iter__(self) -> Iterator[list[int]]:
        size = self.batch_size
        batches = []
        for group in self.by_length.values():
            self.rng.shuffle(group)
            batches += [group[i : i + size] for i in range(0, len(group), size)]
        self.rng.shuffle(batches)
        yield from (self._share(batch) for batch in batches)

    def _share(self, batch: list[int]) -> list[int]:
        size = -(-len(batch) // self.n_processes)
        start = self.process * size
        return list(itertools.islice(itertools.cycle(batch), start, start + size))


def collate(examples: Sequence[EncodedExample]) -> dict[str, Tensor]:
    """Return `input_ids` (n, t) and `labels` (n), the answer tokens, of prompts of one length."""
    return {
        "input_ids": torch.tensor([example["tokens"] for example in examples]),
        "labels": torch.tensor([example["target"] for example in examples]),
    }
