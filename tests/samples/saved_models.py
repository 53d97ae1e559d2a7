"""Models and adapters on disk."""

from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from finetune.architectures.lora_targets import default_targets


def save(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, folder: Path) -> Path:
    """Save a model with its tokenizer and return the folder."""
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def save_adapter(model: PreTrainedModel, folder: Path, seed: int = 0) -> PeftModel:
    """Save a random adapter and return the adapted model."""
    torch.manual_seed(seed)
    settings = LoraConfig(target_modules=default_targets(model), init_lora_weights=False)
    adapted = get_peft_model(model, settings).eval()
    adapted.save_pretrained(folder)
    return adapted
