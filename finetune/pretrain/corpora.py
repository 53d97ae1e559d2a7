"""The corpora by name, with the tokenizer that the bases of each share."""

from collections.abc import Iterator
from functools import cache
from typing import Protocol

from transformers import PreTrainedTokenizerFast

from finetune.pretrain import dials, facts
from finetune.pretrain.documents import Document
from finetune.pretrain.schedules import Corpus


class Sampler(Protocol):
    """Draws documents; before `turn_to`, from the part of the corpus that the cards report on."""

    def __iter__(self) -> Iterator[Document]: ...

    def turn_to(self, part: int) -> None:
        """Draw this part of the corpus from now on; 0 is what training begins with."""


SAMPLERS: dict[Corpus, type[Sampler]] = {"facts": facts.FactSampler, "dials": dials.DialSampler}


@cache
def train_tokenizer(corpus: Corpus) -> PreTrainedTokenizerFast:
    """Train the tokenizer that the bases of a corpus share."""
    return {"facts": facts.facts_tokenizer, "dials": dials.dials_tokenizer}[corpus]()
