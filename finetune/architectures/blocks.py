"""The blocks of a model, and a config with which they run exactly."""

from typing import Any

from peft import PeftModel
from torch import nn
from transformers import PreTrainedConfig


def unwrap(model: nn.Module) -> nn.Module:
    """Return the model that peft wraps, or the model itself; its LoRA layers stay in place."""
    return model.get_base_model() if isinstance(model, PeftModel) else model


def block_list(model: nn.Module) -> nn.ModuleList:
    """Return the blocks of a causal language model, first to last.

    They are the one outermost `nn.ModuleList` of length `config.num_hidden_layers`. The model may
    be on the meta device and wrapped by peft.

    Raises:
        ValueError: if there is no such list, or more than one.
    """
    model = unwrap(model)
    name = type(model).__name__
    config: Any = getattr(model, "config", None)
    depth = getattr(config, "num_hidden_layers", None)
    if depth is None:
        raise ValueError(f"{name} has no list of blocks: its config has no num_hidden_layers")
    lists = {
        path: module
        for path, module in model.named_modules()
        if isinstance(module, nn.ModuleList) and len(module) == depth
    }
    outermost = [path for path in lists if not any(path.startswith(f"{other}.") for other in lists)]
    if not outermost:
        raise ValueError(f"{name} has no list of blocks of length num_hidden_layers={depth}")
    if len(outermost) > 1:
        raise ValueError(
            f"{name} has several lists of length num_hidden_layers={depth} ({', '.join(outermost)})"
        )
    return lists[outermost[0]]


def is_mamba_mixer(module: nn.Module) -> bool:
    """Return whether a module is the mixer of Mamba or Mamba-2, in a hybrid model too."""
    parameters = {name for name, _ in module.named_parameters(recurse=False)}
    return {"A_log", "D"} <= parameters


def exact_config(config: PreTrainedConfig) -> PreTrainedConfig:
    """Set a config, in place, so that a model built from it is read and trained exactly.

    Caches are off: Mamba restarts its scan from zero when it meets one. RWKV's rescaling is off:
    in eval mode it divides weights in place, but not those of an adapter.

    Returns:
        The same config.
    """
    config.use_cache = False
    if hasattr(config, "rescale_every"):
        config.rescale_every = 0
    return config
