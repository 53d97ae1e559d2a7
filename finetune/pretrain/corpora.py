"""The pre-training corpora by name, and the tokenizer that the bases of each corpus share."""

from collections.abc import Callable, Iterator
from functools import cache
from typing import Protocol

from transformers import PreTrainedTokenizerFast

from finetune.pretrain.dials import DialSampler, dials_tokenizer
from finetune.pretrain.documents import Document
from finetune.pretrain.facts import FactSampler, facts_tokenizer
from finetune.pretrain.schedules import Corpus


class DocumentSampler(Protocol):
    """An endless sequence of documents.

    It starts with the part of the corpus on which the model cards report accuracies.
    """

    def __iter__(self) -> Iterator[Document]: ...

    def select_part(self, part: int) -> None:
        """Switch to a part of the corpus; training starts with part 0."""


SAMPLERS: dict[Corpus, Callable[[int], DocumentSampler]] = {
    "facts": FactSampler,
    "dials": DialSampler,
}
"""Called with a seed."""


@cache
def train_tokenizer(corpus: Corpus) -> PreTrainedTokenizerFast:
    """Train the tokenizer that the bases of a corpus share."""
    return {"facts": facts_tokenizer, "dials": dials_tokenizer}[corpus]()
