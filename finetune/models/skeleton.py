"""Configs, and models without weights that are built from them on the meta device."""

import copy

import torch
from torch import nn
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedConfig

from finetune.models.source import model_source, pretrained_options
from quirky.plugins import one_line_errors


def load_config(name: str, revision: str | None = None) -> PreTrainedConfig:
    """Return the config of a model.

    Raises:
        ValueError: one line; if the name is unknown or the config cannot be read.
    """
    source = model_source(name)
    options = pretrained_options(source, revision)
    with one_line_errors(f"model {name!r} cannot be read"):
        return AutoConfig.from_pretrained(source, **options, trust_remote_code=False)


def load_skeleton(name: str, revision: str | None = None) -> nn.Module:
    """Return a model on the meta device, built from its config alone: no weight is loaded.

    Raises:
        ValueError: one line; as `load_config` and `build_skeleton`.
    """
    return build_skeleton(name, load_config(name, revision))


def build_skeleton(name: str, config: PreTrainedConfig) -> nn.Module:
    """Return a causal language model on the meta device; `config` itself is not changed.

    Args:
        name: what an error calls the model.
        config: of the model.

    Raises:
        ValueError: one line; if the config is not that of a causal language model.
    """
    with one_line_errors(f"model {name!r} cannot be built"), torch.device("meta"):
        return AutoModelForCausalLM.from_config(copy.deepcopy(config), trust_remote_code=False)
