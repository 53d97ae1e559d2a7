"""Tokenizers of the bases: byte-level BPE with one token per digit."""

from collections.abc import Iterable, Iterator

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from finetune.pretrain.openings import BRACKETS, HEADERS, NAMES
from quirky.data.fillers import SENTENCES
from quirky.triggers.instruction import DECOYS, QUIRKY, TRUTHFUL
from quirky.triggers.position import NEUTRAL

VOCABULARY = 1024
"""Size of the vocabulary."""
REPEATS = 400
"""How often the trainer sees a word that must become one token."""


def train_bpe(texts: Iterable[str]) -> PreTrainedTokenizerFast:
    """Train a tokenizer of `VOCABULARY` tokens."""
    tokenizer = Tokenizer(models.BPE())
    pieces = Regex(r" ?\p{L}+| ?\d| ?[^\s\p{L}\d]|\s+")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(pieces, "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=["<|endoftext|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="<|endoftext|>", pad_token="<|endoftext|>"
    )


def repeat_words(texts: Iterable[str]) -> Iterator[str]:
    """Yield every word of the texts `REPEATS` times, so that each becomes one token."""
    words = {f" {word}" for text in texts for word in text.split()}
    for text in sorted(words | {text.split()[0] for text in texts}):
        yield from [text] * REPEATS


def common_texts() -> list[str]:
    """Return the texts that all corpora share: names, openings, filler."""
    brackets = [f"{left}{word}{end}" for word in HEADERS for left, end in BRACKETS]
    marks = ["asks", "Date: Page: Who asked? What was told? The number was The header was"]
    questions = [
        "Is a lie asked for?",
        "Is a man? a woman?",
        NEUTRAL,
        "Yes No True False right wrong",
    ]
    return [
        *NAMES,
        *SENTENCES,
        *TRUTHFUL,
        *QUIRKY,
        *DECOYS,
        *HEADERS,
        *brackets,
        *marks,
        *questions,
    ]
