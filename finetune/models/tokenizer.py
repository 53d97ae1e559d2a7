"""Load the tokenizer of a model."""

from transformers import AutoTokenizer, PreTrainedTokenizerBase

from finetune.models.source import model_source, pretrained_options
from quirky.plugins import one_line_errors


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
