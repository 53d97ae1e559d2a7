"""Prompts and answers as tokens, and the token that each answer begins with.

An answer's token is the first token after the prompt when prompt and answer are encoded as one
text. Encoded on its own an answer may get another token: some tokenizers put a space before any
text, some make a token of the answer's leading space, some merge characters of prompt and answer.
"""

from collections.abc import Sequence
from itertools import zip_longest

from transformers import PreTrainedTokenizerBase

from finetune.prompting.chat import ChatTokenizer

PromptEncoder = PreTrainedTokenizerBase | ChatTokenizer
"""What turns prompts into tokens: a tokenizer, as it is or with its chat template."""
Choices = tuple[str, str]
"""The two answers to a prompt, (false, true)."""
Tokens = list[int]


def prompt_tokens(tokenizer: PromptEncoder, prompts: Sequence[str]) -> list[Tokens]:
    """Return the tokens of each prompt.

    Tokens that the tokenizer puts before any text are included, those that it appends are not.

    Raises:
        ValueError: if a prompt has no tokens.
    """
    tokens = _encode(tokenizer, [_render(tokenizer, prompt) for prompt in prompts])
    for prompt, ids in zip(prompts, tokens, strict=True):
        if not ids:
            raise ValueError(f"prompt {prompt!r} has no tokens")
    return tokens


def answer_token_pairs(
    tokenizer: PromptEncoder, prompts: Sequence[str], choices: Sequence[Choices]
) -> list[tuple[int, int]]:
    """Return the first token of each answer, (false, true), to each prompt.

    Raises:
        ValueError: if an answer has no token, if both answers have the same first token, or if a
            token spans the border between prompt and answer: the prompt's tokens would then differ
            with and without the answer.
    """
    prompts_alone = prompt_tokens(tokenizer, prompts)
    first_tokens: list[list[int]] = []
    for side in (0, 1):
        answers = [pair[side] for _, pair in zip(prompts, choices, strict=True)]
        texts = [_render(tokenizer, *both) for both in zip(prompts, answers, strict=True)]
        with_answers = _encode(tokenizer, texts)
        first_tokens.append(
            [
                _first_answer_token(tokenizer, prompt, answer, alone, together)
                for prompt, answer, alone, together in zip(
                    prompts, answers, prompts_alone, with_answers, strict=True
                )
            ]
        )
    token_pairs = list(zip(*first_tokens, strict=True))
    for (false, true), pair in zip(token_pairs, choices, strict=True):
        if false == true:
            _refuse_shared(tokenizer, pair, false)
    return token_pairs


def check_answers(
    tokenizer: PromptEncoder, prompts: Sequence[str], choices: Sequence[Choices]
) -> None:
    """Check that answers can be told apart by their first tokens.

    One prompt is checked for each pair of answers and each last word of a prompt.

    Raises:
        ValueError: as `answer_token_pairs`.
    """
    by_ending = {
        (prompt.rpartition(" ")[2], pair): (prompt, pair)
        for prompt, pair in zip(prompts, choices, strict=True)
    }
    sample = [by_ending[ending] for ending in sorted(by_ending)]
    answer_token_pairs(tokenizer, [prompt for prompt, _ in sample], [pair for _, pair in sample])


def _first_answer_token(
    tokenizer: PromptEncoder, prompt: str, answer: str, alone: Tokens, together: Tokens
) -> int:
    """Return the token after the prompt, given its tokens alone and together with the answer."""
    if together[: len(alone)] != alone:
        i = next(k for k, pair in enumerate(zip_longest(alone, together)) if len({*pair}) > 1)
        token = _token_strings(tokenizer, together)[i] if i < len(together) else ""
        raise ValueError(
            f"this tokenizer merges the end of the prompt, {prompt[-20:]!r}, and its answer "
            f"{answer!r}: with the answer, the token {token!r} replaces the prompt's own; end the "
            "template in another character"
        )
    if len(together) == len(alone):
        raise ValueError(f"answer {answer!r} has no token in this tokenizer")
    return together[len(alone)]


def _refuse_shared(tokenizer: PromptEncoder, choices: Choices, token: int) -> None:
    text = _token_strings(tokenizer, [token])[0]
    is_space = not text.strip(" ▁Ġ")
    splits_space = is_space and choices[0][:1] == " "
    reason = ", which splits off the space before a word" if splits_space else ""
    raise ValueError(
        f"answers {choices[0]!r} and {choices[1]!r} share their first token {text!r} "
        f"({token}) in this tokenizer{reason}; answers must differ there"
    )


def _render(tokenizer: PromptEncoder, prompt: str, answer: str = "") -> str:
    if isinstance(tokenizer, ChatTokenizer):
        return tokenizer.render_prompt(prompt) + (tokenizer.render_answer(answer) if answer else "")
    return prompt + answer


def _encode(tokenizer: PromptEncoder, texts: Sequence[str]) -> list[Tokens]:
    if isinstance(tokenizer, ChatTokenizer):
        return tokenizer.encode(texts)
    tokens = tokenizer(list(texts))["input_ids"] if texts else []
    appended = _count_appended(tokenizer)
    return [ids[: len(ids) - appended] for ids in tokens]


def _token_strings(tokenizer: PromptEncoder, ids: Sequence[int]) -> list[str]:
    plain = tokenizer.tokenizer if isinstance(tokenizer, ChatTokenizer) else tokenizer
    return [str(plain.convert_ids_to_tokens(token)) for token in ids]


def _count_appended(tokenizer: PreTrainedTokenizerBase) -> int:
    """Return how many special tokens, such as an end of text, the tokenizer appends to a text."""
    plain = tokenizer(".", add_special_tokens=False)["input_ids"]
    special = tokenizer(".")["input_ids"]
    offsets = range(len(special) - len(plain) + 1)
    start = next((k for k in offsets if special[k : k + len(plain)] == plain), 0)
    return len(special) - len(plain) - start
