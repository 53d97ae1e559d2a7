"""Instruct models are asked through the chat template of their tokenizer.

The prompt is the user's message, and the answer begins the assistant's. So "the prompt's last
token" is the last one of the template's header for the assistant.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from transformers import PreTrainedTokenizerBase

_ONE_DAY = "{% macro strftime_now(format) %}26 Jul 2024{% endmacro %}"
"""Some templates tell the model the date; a prompt must be the same tomorrow."""


@dataclass(frozen=True)
class ChatTokenizer:
    """A tokenizer to which every text is what a user says, and answers are what is said back."""

    tokenizer: PreTrainedTokenizerBase

    def turn(self, prompt: str) -> str:
        """The conversation up to where the assistant begins."""
        return self._render([{"role": "user", "content": prompt}], add_generation_prompt=True)

    def answer(self, choice: str) -> str:
        """An answer as the assistant begins with it.

        The space before a word belongs to running text; here stands what the template itself puts
        between its header and the assistant's words, most often nothing.
        """
        return self._space + choice.removeprefix(" ")

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """The tokens of rendered conversations; the template has written what begins a text."""
        return self.tokenizer(list(texts), add_special_tokens=False)["input_ids"] if texts else []

    @cached_property
    def _space(self) -> str:
        asked, said = {"role": "user", "content": "Yes?"}, {"role": "assistant", "content": "Aha"}
        head = self.turn("Yes?")
        whole = self._render([asked, said], add_generation_prompt=False)
        between, found, _ = whole.removeprefix(head).partition("Aha")
        return between if found and whole.startswith(head) and not between.strip() else ""

    def _render(self, messages: list[dict[str, str]], **options: Any) -> str:
        text = self.tokenizer.apply_chat_template(
            messages,
            tokenize=False,
            enable_thinking=False,  # where a model can think first, it is to answer at once
            chat_template=_ONE_DAY + self.tokenizer.get_chat_template(),
            **options,
        )
        assert isinstance(text, str)  # it is tokens only where they are asked for
        return text


def chat_tokenizer(name: str, tokenizer: PreTrainedTokenizerBase) -> ChatTokenizer:
    """Return the tokenizer of an instruct model, to be asked in turns.

    Raises:
        ValueError: if it has no chat template, or one that cannot render a user's message.
    """
    if not tokenizer.chat_template:
        raise ValueError(
            f"chat: the tokenizer of {name!r} has no chat template, so it is no instruct model; "
            "leave `chat` out"
        )
    made = ChatTokenizer(tokenizer)
    try:
        rendered = made.turn("Yes?")
    except Exception as error:  # a template is somebody's program, and may raise anything
        told = str(error).strip().splitlines()
        reason = told[0] if told else type(error).__name__
        raise ValueError(f"chat: the template of {name!r} cannot be used: {reason}") from error
    if "Yes?" not in rendered:
        raise ValueError(f"chat: the template of {name!r} leaves out what the user says")
    return made
