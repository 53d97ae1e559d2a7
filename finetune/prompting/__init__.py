"""From prompts and answers to tokens, as plain text or with a chat template."""

from finetune.prompting.answers import (
    Choices,
    PromptEncoder,
    answer_token_pairs,
    check_answers,
    prompt_tokens,
)
from finetune.prompting.chat import ChatTokenizer, chat_tokenizer

__all__ = [
    "ChatTokenizer",
    "Choices",
    "PromptEncoder",
    "answer_token_pairs",
    "chat_tokenizer",
    "check_answers",
    "prompt_tokens",
]
