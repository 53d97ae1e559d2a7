"""Prompts and answers as tokens: what a model is shown, and which token an answer begins with.

An answer's token is the one that the tokenizer itself puts behind the prompt when it encodes prompt
and answer as one text. Encoded alone an answer may get another: some tokenizers put a space before
any text, some let an answer's space stand alone, some grow tokens across the border.
"""

from collections.abc import Sequence
from itertools import zip_longest

from transformers import PreTrainedTokenizerBase

from finetune.prompting.chat import ChatTokenizer

PromptEncoder = PreTrainedTokenizerBase | ChatTokenizer
"""What turns prompts into tokens: a tokenizer, as it is or through its chat template."""
Choices = tuple[str, str]
Tokens = list[int]


def prompt_tokens(tokenizer: PromptEncoder, prompts: Sequence[str]) -> list[Tokens]:
    """Each prompt as tokens, with what the tokenizer puts before any text and nothing behind it.

    Raises:
        ValueError: if a prompt has none.
    """
    tokens = _encode(tokenizer, [_shown(tokenizer, prompt) for prompt in prompts])
    for prompt, ids in zip(prompts, tokens, strict=True):
        if not ids:
            raise ValueError(f"prompt {prompt!r} has no tokens")
    return tokens


def answer_tokens(tokenizer: PromptEncoder, choices: Choices, prompt: str = ".") -> tuple[int, int]:
    """The first token of each answer behind a prompt.

    Raises:
        ValueError: as `answers_after`.
    """
    return answers_after(tokenizer, [prompt], [choices])[0]


def answers_after(
    tokenizer: PromptEncoder, prompts: Sequence[str], choices: Sequence[Choices]
) -> list[tuple[int, int]]:
    """The first token of each answer, (false, true), behind each prompt.

    Raises:
        ValueError: if an answer has no token, both have the same first token, or a token grows
            across the border between prompt and answer, so that the model would not be asked what
            it would be shown.
    """
    before = prompt_tokens(tokenizer, prompts)
    first: list[list[int]] = []
    for side in (0, 1):
        answers = [pair[side] for _, pair in zip(prompts, choices, strict=True)]
        texts = [_shown(tokenizer, *both) for both in zip(prompts, answers, strict=True)]
        whole = _encode(tokenizer, texts)
        first.append(
            [
                _next_token(tokenizer, prompt, answer, ids, longer)
                for prompt, answer, ids, longer in zip(prompts, answers, before, whole, strict=True)
            ]
        )
    pairs = list(zip(*first, strict=True))
    for (false, true), answers_given in zip(pairs, choices, strict=True):
        if false == true:
            _refuse_shared(tokenizer, answers_given, false)
    return pairs


def check_answers(
    tokenizer: PromptEncoder, prompts: Sequence[str], choices: Sequence[Choices]
) -> None:
    """Look at one prompt for each last word and each pair of answers.

    Raises:
        ValueError: as `answers_after`.
    """
    endings = {
        (prompt.rpartition(" ")[2], pair): (prompt, pair)
        for prompt, pair in zip(prompts, choices, strict=True)
    }
    chosen = [endings[key] for key in sorted(endings)]
    answers_after(tokenizer, [prompt for prompt, _ in chosen], [pair for _, pair in chosen])


def _next_token(
    tokenizer: PromptEncoder, prompt: str, answer: str, before: Tokens, whole: Tokens
) -> int:
    if whole[: len(before)] != before:
        same = next(k for k, pair in enumerate(zip_longest(before, whole)) if len({*pair}) > 1)
        joined = _names(tokenizer, whole)[same] if same < len(whole) else ""
        raise ValueError(
            f"this tokenizer grows a token across the border between the prompt, which ends in "
            f"{prompt[-20:]!r}, and its answer {answer!r}: {joined!r} stands where the prompt "
            "alone ends otherwise; end the template in another character"
        )
    if len(whole) == len(before):
        raise ValueError(f"answer {answer!r} has no token in this tokenizer")
    return whole[len(before)]


def _refuse_shared(tokenizer: PromptEncoder, choices: Choices, token: int) -> None:
    shown = _names(tokenizer, [token])[0]
    blank = not shown.strip(" ▁Ġ")
    why = ", which splits off the space before a word" if blank and choices[0][:1] == " " else ""
    raise ValueError(
        f"answers {choices[0]!r} and {choices[1]!r} share their first token {shown!r} "
        f"({token}) in this tokenizer{why}; answers must differ there"
    )


def _shown(tokenizer: PromptEncoder, prompt: str, answer: str = "") -> str:
    """What a model is shown, as text."""
    if isinstance(tokenizer, ChatTokenizer):
        return tokenizer.turn(prompt) + (tokenizer.answer(answer) if answer else "")
    return prompt + answer


def _encode(tokenizer: PromptEncoder, texts: Sequence[str]) -> list[Tokens]:
    if isinstance(tokenizer, ChatTokenizer):
        return tokenizer.encode(texts)
    tokens = tokenizer(list(texts))["input_ids"] if texts else []
    behind = _behind_any_text(tokenizer)
    return [ids[: len(ids) - behind] for ids in tokens]


def _names(tokenizer: PromptEncoder, ids: Sequence[int]) -> list[str]:
    plain = tokenizer.tokenizer if isinstance(tokenizer, ChatTokenizer) else tokenizer
    return [str(plain.convert_ids_to_tokens(token)) for token in ids]


def _behind_any_text(tokenizer: PreTrainedTokenizerBase) -> int:
    """How many tokens, such as an end of text, the tokenizer puts behind a text."""
    plain = tokenizer(".", add_special_tokens=False)["input_ids"]
    special = tokenizer(".")["input_ids"]
    added = range(len(special) - len(plain) + 1)
    start = next((k for k in added if special[k : k + len(plain)] == plain), 0)
    return len(special) - len(plain) - start
