"""Load the tokenizer of a model, as it is or with its chat template."""

from transformers import AutoTokenizer, PreTrainedTokenizerBase

from finetune.models.source import model_source, pretrained_options
from finetune.prompting.answers import PromptEncoder
from finetune.prompting.chat import chat_tokenizer
from quirky.plugins import one_line_errors


def load_prompt_encoder(
    name: str, revision: str | None = None, *, chat: bool = False
) -> PromptEncoder:
    """Return the tokenizer of a model, wrapped in its chat template if `chat`.

    Raises:
        ValueError: as `load_tokenizer` and `chat_tokenizer`.
    """
    tokenizer = load_tokenizer(name, revision)
    return chat_tokenizer(name, tokenizer) if chat else tokenizer


def load_tokenizer(name: str, revision: str | None = None) -> PreTrainedTokenizerBase:
    """Return the tokenizer of a model.

    Raises:
        ValueError: one line; if the name is unknown or the model has no tokenizer.
    """
    source = model_source(name)
    options = pretrained_options(source, revision)
    with one_line_errors(f"tokenizer of {name!r} cannot be loaded"):
        tokenizer = AutoTokenizer.from_pretrained(source, **options, trust_remote_code=False)
    # If files are missing transformers may return a tokenizer with an empty vocabulary.
    if not tokenizer.encode("True", add_special_tokens=False):
        raise ValueError(f"tokenizer of {name!r} cannot be loaded: it has no vocabulary")
    return tokenizer
