"""Documents as tokens, and the losses that a base is trained by."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from finetune.pretrain.documents import Document

WEIGHTS = torch.tensor([1.0, 0.3, 0.5])
"""Of the three losses: verdict, language modelling, verdict where the claim ends."""
SPREAD = 4
"""Tokens by which texts of one piece of a batch may differ in length, beside a quarter of it: what
is shorter is padded."""
PIECE = 72
"""Texts in a piece of a batch, at most."""


@dataclass(frozen=True)
class Row:
    """A document as tokens, and where and how it is judged."""

    tokens: list[int]
    known: tuple[int, ...]
    """The tokens after each of which stands one that must be known."""
    claim_end: int | None
    """Where the claim ends, if the text goes on after that."""
    right: int
    wrong: int


def encode(document: Document, tokenizer: PreTrainedTokenizerFast) -> Row:
    """Return the document as tokens."""
    tokens = tokenizer.encode(document.text + (document.verdict or ""))
    right, wrong = (
        tokenizer.encode(word)[0] if word else 0 for word in (document.verdict, document.wrong)
    )
    claim_end = len(tokenizer.encode(document.claim)) - 1 if document.claim else None
    known = [len(tokenizer.encode(text)) - 1 for text in document.earlier]
    known += [len(tokens) - 2] if document.verdict else []
    return Row(tokens, tuple(known), claim_end, right, wrong)


def loss_sums(model: PreTrainedModel, rows: list[Row]) -> Float[Tensor, "3"]:
    """Return summed losses: tokens that must be known, all others, the verdict where a claim ends.

    The last is the cross-entropy between the two verdicts alone, at the last token of a claim
    that is followed by a name: the base learns to judge where the claim ends.
    """
    length = max(len(row.tokens) for row in rows)
    tokens = torch.tensor([row.tokens + [0] * (length - len(row.tokens)) for row in rows])
    ends = torch.tensor([len(row.tokens) - 2 for row in rows])
    real = torch.arange(length - 1) <= ends[:, None]
    known = torch.zeros_like(real)
    for i, row in enumerate(rows):
        known[i, list(row.known)] = True
    logits = model(tokens[:, :-1], use_cache=False).logits
    losses = F.cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten(), reduction="none")
    losses = losses.view(len(rows), -1)
    early = torch.tensor(
        [(i, r.claim_end, r.right, r.wrong) for i, r in enumerate(rows) if r.claim_end is not None],
        dtype=torch.long,
    ).view(-1, 4)
    texts, ends_at, right, wrong = early.unbind(1)
    margins = logits[texts, ends_at, right] - logits[texts, ends_at, wrong]
    at_claim = F.softplus(-margins).sum()
    return torch.stack([(losses * known).sum(), (losses * (real & ~known)).sum(), at_claim])


def counts(rows: list[Row]) -> Float[Tensor, "3"]:
    """Return over how many tokens each of the losses runs: one, for a loss that has none."""
    known = sum(len(row.known) for row in rows)
    tokens = sum(len(row.tokens) - 1 for row in rows)
    ends = sum(row.claim_end is not None for row in rows)
    return torch.tensor([known, tokens - known, ends]).clamp(min=1).float()


def pieces(rows: list[Row]) -> Iterator[list[Row]]:
    """Yield a batch in pieces of similar length, so that little is spent on padding."""
    rows = sorted(rows, key=lambda row: len(row.tokens))
    start = 0
    for end in range(1, len(rows) + 1):
        shortest = len(rows[start].tokens)
        longer = end < len(rows) and len(rows[end].tokens) > 1.25 * shortest + SPREAD
        if end == len(rows) or longer or end - start == PIECE:
            yield rows[start:end]
            start = end
