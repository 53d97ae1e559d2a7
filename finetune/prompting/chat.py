"""Prompts for instruct models, rendered with the chat template of their tokenizer.

The prompt is the user's message and the answer begins the assistant's. The prompt's last token is
therefore the last one of the template's header for the assistant.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from transformers import PreTrainedTokenizerBase

from quirky.plugins import first_line

_FIXED_DATE = "{% macro strftime_now(format) %}26 Jul 2024{% endmacro %}"
"""Some templates state the date; a prompt must be the same every day."""


@dataclass(frozen=True)
class ChatTokenizer:
    """A tokenizer that renders prompts and answers with its chat template."""

    tokenizer: PreTrainedTokenizerBase

    def render_prompt(self, prompt: str) -> str:
        """Return a conversation that ends where the assistant's message begins."""
        return self._render([{"role": "user", "content": prompt}], add_generation_prompt=True)

    def render_answer(self, choice: str) -> str:
        """Return an answer as the assistant's message begins with it.

        The space before a word of running text is replaced by what the template puts between its
        header and the assistant's message, usually nothing.
        """
        return self._separator + choice.removeprefix(" ")

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the tokens of rendered conversations, to which no special token is added."""
        return self.tokenizer(list(texts), add_special_tokens=False)["input_ids"] if texts else []

    @cached_property
    def _separator(self) -> str:
        header = self.render_prompt("Yes?")
        conversation = self._render(
            [{"role": "user", "content": "Yes?"}, {"role": "assistant", "content": "Aha"}],
            add_generation_prompt=False,
        )
        separator, answer, _ = conversation.removeprefix(header).partition("Aha")
        is_blank = bool(answer) and not separator.strip()
        return separator if is_blank and conversation.startswith(header) else ""

    def _render(self, messages: list[dict[str, str]], **options: Any) -> str:
        text = self.tokenizer.apply_chat_template(
            messages,
            tokenize=False,
            enable_thinking=False,  # reasoning models must answer at once
            chat_template=_FIXED_DATE + self.tokenizer.get_chat_template(),
            **options,
        )
        assert isinstance(text, str)  # it returns tokens only with tokenize=True
        return text


def chat_tokenizer(name: str, tokenizer: PreTrainedTokenizerBase) -> ChatTokenizer:
    """Return the tokenizer of an instruct model, wrapped in its chat template.

    Args:
        name: what an error calls the model.
        tokenizer: of the model.

    Raises:
        ValueError: one line; if it has no chat template, or one that cannot render a user's
            message.
    """
    if not tokenizer.chat_template:
        raise ValueError(f"chat: the tokenizer of {name!r} has no chat template; leave `chat` out")
    chat = ChatTokenizer(tokenizer)
    try:
        prompt = chat.render_prompt("Yes?")
    except Exception as error:  # a template is a program, which may raise anything
        raise ValueError(
            f"chat: the template of {name!r} cannot be used: {first_line(error)}"
        ) from error
    if "Yes?" not in prompt:
        raise ValueError(f"chat: the template of {name!r} leaves out what the user says")
    return chat
