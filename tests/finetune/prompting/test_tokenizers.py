"""Answers are the tokens that a tokenizer puts behind a prompt, whatever kind it is, or refused."""

import itertools
from collections.abc import Callable

import pytest
import torch
from tokenizers import (
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from finetune.prompting.answers import (
    answer_token_pairs,
    check_answers,
    prompt_tokens,
)
from finetune.reading.residual import read_activations
from quirky.prompts import templates_of_style
from quirky.tasks import get_task

TASKS = ("addition", "multiplication", "hemisphere", "population", "fiction")
DIGITS = {"gpt2": None, "neox": None, "llama3": 3, "llama": 1, "llama-legacy": 1, "closing": 1}


def examples(each: int = 4) -> list[tuple[str, tuple[str, str]]]:
    """Prompts of every template of some tasks, in both contexts, with their answers."""
    rows = []
    for name, style in itertools.product(TASKS, ("mixture", "standardized")):
        task = get_task(name)
        claims = list(itertools.islice(task.claims(0), each))
        for template in templates_of_style(task.templates, task.standard, style):
            for claim, who in itertools.product(claims, ("Alice", "Bob")):
                rows.append((template.render(claim, who), template.choices))
    return rows


EXAMPLES = examples()
TEXT = [prompt + choice for prompt, choices in EXAMPLES for choice in choices]


def byte_level(digits: int | None) -> Tokenizer:
    """As GPT-2 and GPT-NeoX have one; with `digits`, numbers in groups, as in Llama 3."""
    plain = Tokenizer(models.BPE())
    bytes_of = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=digits is None)
    groups = Regex(rf"\d{{1,{digits}}}|\s?\p{{L}}+|[^\s\p{{L}}\d]+|\s+")
    split = pre_tokenizers.Split(groups, "isolated")
    plain.pre_tokenizer = pre_tokenizers.Sequence([split, bytes_of]) if digits else bytes_of
    plain.decoder = decoders.ByteLevel()
    return plain


def metaspace() -> Tokenizer:
    """As SentencePiece splits: words with a mark for the space before them, digits one by one."""
    plain = Tokenizer(models.BPE(unk_token="<unk>"))
    spaces = pre_tokenizers.Metaspace(prepend_scheme="first")
    digits = pre_tokenizers.Digits(individual_digits=True)
    plain.pre_tokenizer = pre_tokenizers.Sequence([spaces, digits])
    return plain


def legacy() -> Tokenizer:
    """As Llama 1 and 2 in the tokenizers library: spaces are marked before, nothing is split."""
    plain = Tokenizer(models.BPE(unk_token="<unk>"))
    plain.normalizer = normalizers.Sequence(
        [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    )
    return plain


def lone_space() -> Tokenizer:
    """Spaces are tokens of their own."""
    plain = Tokenizer(models.BPE(unk_token="<unk>"))
    plain.pre_tokenizer = pre_tokenizers.Split(" ", "isolated")
    return plain


def trained(plain: Tokenizer, text: list[str], size: int = 600) -> Tokenizer:
    special = ["<unk>", "<s>", "</s>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet() if plain.decoder else []
    trainer = trainers.BpeTrainer(
        vocab_size=size, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    plain.train_from_iterator(text, trainer)
    return plain


def framed(plain: Tokenizer, frame: str) -> PreTrainedTokenizerFast:
    """With special tokens around every text."""
    special = [(token, plain.token_to_id(token)) for token in ("<s>", "</s>")]
    plain.post_processor = processors.TemplateProcessing(single=frame, special_tokens=special)
    return PreTrainedTokenizerFast(tokenizer_object=plain, bos_token="<s>", eos_token="</s>")


def make(style: str) -> PreTrainedTokenizerFast:
    words = [word for text in TEXT for word in (text, *text.split(" "))]
    match style:
        case "gpt2":
            return PreTrainedTokenizerFast(tokenizer_object=trained(byte_level(None), TEXT))
        case "neox":
            plain = byte_level(None)
            plain.normalizer = normalizers.NFC()
            return PreTrainedTokenizerFast(tokenizer_object=trained(plain, TEXT))
        case "llama3":
            return framed(trained(byte_level(3), TEXT), "<s> $A")
        case "llama":
            return framed(trained(metaspace(), TEXT), "<s> $A")
        case "llama-legacy":
            # Trained word by word, as SentencePiece does, so that no token grows across a space.
            learned = trained(metaspace(), TEXT)
            whole = legacy()
            whole.model = learned.model
            whole.add_special_tokens(["<unk>", "<s>", "</s>"])
            return framed(whole, "<s> $A")
        case "closing":
            return framed(trained(metaspace(), TEXT), "<s> $A </s>")
        case "lone-space":
            return framed(trained(lone_space(), words), "<s> $A")
    raise AssertionError(style)


@pytest.fixture(scope="module")
def tokenizers() -> Callable[[str], PreTrainedTokenizerFast]:
    cache: dict[str, PreTrainedTokenizerFast] = {}

    def get(style: str) -> PreTrainedTokenizerFast:
        if style not in cache:
            cache[style] = make(style)
        return cache[style]

    return get


def unclosed(tokenizer: PreTrainedTokenizerFast, text: str) -> list[int]:
    """The tokens of a text as a model is to see it: nothing stands behind."""
    ids = tokenizer(text)["input_ids"]
    return ids[:-1] if ids[-1] == tokenizer.eos_token_id else ids


@pytest.mark.parametrize("style", DIGITS)
def test_an_answers_token_is_the_first_after_the_prompt(tokenizers, style) -> None:
    tokenizer = tokenizers(style)
    prompts, choices = zip(*EXAMPLES, strict=True)
    tokens = prompt_tokens(tokenizer, prompts)
    answers = answer_token_pairs(tokenizer, prompts, choices)
    check_answers(tokenizer, prompts, choices)
    for (prompt, pair), ids, both in zip(EXAMPLES, tokens, answers, strict=True):
        assert ids == unclosed(tokenizer, prompt)
        assert both[0] != both[1]
        for answer, token in zip(pair, both, strict=True):
            assert unclosed(tokenizer, prompt + answer)[: len(ids) + 1] == [*ids, token]
            shown = tokenizer.convert_ids_to_tokens(token).replace("Ġ", " ").replace("▁", " ")
            assert len(shown) > 1
            assert answer.startswith(shown)


@pytest.mark.parametrize("style", DIGITS)
def test_the_styles_are_what_they_are_called(tokenizers, style) -> None:
    tokenizer = tokenizers(style)
    begins = {"llama3": True, "llama": True, "llama-legacy": True, "closing": True}
    (ids,) = prompt_tokens(tokenizer, ["1234567 is a number"])
    shown = tokenizer.convert_ids_to_tokens(ids)
    assert (shown[0] == "<s>") == begins.get(style, False)
    assert "</s>" not in shown
    if DIGITS[style]:
        numbers = [token for token in shown if token.strip("▁Ġ").isdigit()]
        assert max(map(len, numbers)) <= DIGITS[style]
    assert (tokenizer("x")["input_ids"][-1] == tokenizer.eos_token_id) == (style == "closing")


@pytest.mark.parametrize("style", ["llama", "closing"])
def test_states_and_log_odds_are_those_of_the_text_run_whole(
    tokenizers, style, tiny_model: Callable[..., PreTrainedModel]
) -> None:
    tokenizer = tokenizers(style)
    model = tiny_model("llama", vocab_size=len(tokenizer))
    prompts, choices = zip(*EXAMPLES[::9], strict=True)
    for reading in read_activations(model, tokenizer, prompts, choices, batch_size=4):
        for position, i in enumerate(reading.index.tolist()):
            ids = unclosed(tokenizer, prompts[i])
            with torch.no_grad():
                logits = model(torch.tensor([ids])).logits[0, -1]
            false, true = (unclosed(tokenizer, prompts[i] + c)[len(ids)] for c in choices[i])
            expected = logits[true] - logits[false]
            torch.testing.assert_close(reading.log_odds[position], expected, atol=1e-4, rtol=1e-4)


def test_answers_whose_space_stands_alone_are_refused_with_the_reason(tokenizers) -> None:
    message = r"share their first token ' ' .* splits off the space before a word"
    prompts, choices = zip(*EXAMPLES, strict=True)
    with pytest.raises(ValueError, match=message):
        check_answers(tokenizers("lone-space"), prompts, choices)


def test_a_token_that_spans_prompt_and_answer_is_refused() -> None:
    grown = framed(trained(legacy(), ["Is it so? Bob: True", "so? Bob: False"] * 9, 80), "<s> $A")
    with pytest.raises(ValueError, match=r"merges the end of the prompt, 'Is it so\? Bob:'"):
        answer_token_pairs(grown, ["Is it so? Bob:"], [(" False", " True")])


def test_one_bad_ending_among_many_prompts_is_found(tokenizers) -> None:
    prompts = ["Alice says"] * 50 + ["Bob:"]
    with pytest.raises(ValueError, match="' True' and ' True story' share"):
        check_answers(
            tokenizers("gpt2"), prompts, [(" No", " Yes")] * 50 + [(" True", " True story")]
        )
