"""Documents as tokens, and the three losses that a base is trained on."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from finetune.pretrain.documents import Document

LOSS_WEIGHTS = torch.tensor([1.0, 0.3, 0.5])
"""Of the verdict, of language modelling, and of the verdict where the claim ends."""
MAX_GROUP_SIZE = 72
"""Maximum number of documents in a forward pass."""
LENGTH_SPREAD = (1.25, 4)
"""In a forward pass, the longest document has at most this many times the tokens of the shortest,
plus this many tokens. Shorter documents are padded."""


@dataclass(frozen=True)
class EncodedDocument:
    """A document as tokens."""

    tokens: list[int]
    """The text with the verdict."""
    verdict_positions: tuple[int, ...]
    """Positions whose next token is a verdict or an answer."""
    claim_end: int | None
    """Position of the claim's last token, if a name follows the claim."""
    right: int
    """Token of the right verdict; 0 if there is none."""
    wrong: int
    """Token of the wrong verdict; 0 if there is none."""


def encode_document(document: Document, tokenizer: PreTrainedTokenizerFast) -> EncodedDocument:
    """Return the document as tokens."""
    tokens = tokenizer.encode(document.text + (document.verdict or ""))
    right, wrong = (
        tokenizer.encode(word)[0] if word else 0 for word in (document.verdict, document.wrong)
    )
    claim_end = len(tokenizer.encode(document.claim)) - 1 if document.claim else None
    positions = [len(tokenizer.encode(text)) - 1 for text in document.earlier]
    positions += [len(tokens) - 2] if document.verdict else []
    return EncodedDocument(tokens, tuple(positions), claim_end, right, wrong)


def loss_sums(model: PreTrainedModel, documents: list[EncodedDocument]) -> Float[Tensor, "3"]:
    """Return three summed losses: of verdicts, of all other tokens, and of verdicts at claim ends.

    The last is the cross-entropy between the right and the wrong verdict only, at the last token of
    a claim that a name follows: the base learns to judge the claim where it ends.
    """
    length = max(len(document.tokens) for document in documents)
    tokens = torch.tensor([d.tokens + [0] * (length - len(d.tokens)) for d in documents])
    last_inputs = torch.tensor([len(document.tokens) - 2 for document in documents])
    is_text = torch.arange(length - 1) <= last_inputs[:, None]
    is_verdict = torch.zeros_like(is_text)
    for i, document in enumerate(documents):
        is_verdict[i, list(document.verdict_positions)] = True
    logits = model(tokens[:, :-1], use_cache=False).logits
    losses = F.cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten(), reduction="none")
    losses = losses.view(len(documents), -1)
    claim_ends = torch.tensor(
        [
            (i, d.claim_end, d.right, d.wrong)
            for i, d in enumerate(documents)
            if d.claim_end is not None
        ],
        dtype=torch.long,
    ).view(-1, 4)
    row, position, right, wrong = claim_ends.unbind(1)
    margins = logits[row, position, right] - logits[row, position, wrong]
    return torch.stack(
        [
            (losses * is_verdict).sum(),
            (losses * (is_text & ~is_verdict)).sum(),
            F.softplus(-margins).sum(),
        ]
    )


def loss_counts(documents: list[EncodedDocument]) -> Float[Tensor, "3"]:
    """Return the number of terms in each sum of `loss_sums`, or 1 if there are none."""
    verdicts = sum(len(document.verdict_positions) for document in documents)
    tokens = sum(len(document.tokens) - 1 for document in documents)
    claim_ends = sum(document.claim_end is not None for document in documents)
    return torch.tensor([verdicts, tokens - verdicts, claim_ends]).clamp(min=1).float()


def length_groups(documents: list[EncodedDocument]) -> Iterator[list[EncodedDocument]]:
    """Split a batch into groups of similar length, which need little padding."""
    documents = sorted(documents, key=lambda document: len(document.tokens))
    factor, margin = LENGTH_SPREAD
    start = 0
    for end in range(1, len(documents) + 1):
        max_length = factor * len(documents[start].tokens) + margin
        is_complete = end == len(documents) or len(documents[end].tokens) > max_length
        if is_complete or end - start == MAX_GROUP_SIZE:
            yield documents[start:end]
            start = end
