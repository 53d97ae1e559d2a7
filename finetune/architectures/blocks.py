"""Where the blocks of a model are, and how its config is set for exact reading and training."""

from typing import Any, NoReturn

from peft import PeftModel
from torch import nn
from transformers import PreTrainedConfig


def unwrap(model: nn.Module) -> nn.Module:
    """The model itself where it is wrapped by peft; its LoRA layers stay in place."""
    return model.get_base_model() if isinstance(model, PeftModel) else model


def block_list(model: nn.Module) -> nn.ModuleList:
    """The blocks of a causal language model, first to last, found in its module tree.

    They are the one outermost `nn.ModuleList` of length `config.num_hidden_layers`. Works on
    models on the meta device and on models wrapped by peft.

    Raises:
        ValueError: if there is no such list, or more than one.
    """
    model = unwrap(model)
    depth = getattr(_config(model), "num_hidden_layers", None)
    if depth is None:
        _refuse(model, "has no list of blocks: its config has no num_hidden_layers")
    lists = {
        name: module
        for name, module in model.named_modules()
        if isinstance(module, nn.ModuleList) and len(module) == depth
    }
    outermost = [name for name in lists if not any(name.startswith(f"{other}.") for other in lists)]
    if not outermost:
        _refuse(model, f"has no list of blocks of length num_hidden_layers={depth}")
    if len(outermost) > 1:
        found = ", ".join(outermost)
        _refuse(model, f"has several lists of length num_hidden_layers={depth} ({found})")
    return lists[outermost[0]]


def is_mamba_mixer(module: nn.Module) -> bool:
    """Return whether this is a mixer of Mamba, Mamba-2, or a hybrid that has such mixers."""
    own = {name for name, _ in module.named_parameters(recurse=False)}
    return {"A_log", "D"} <= own


def exact_config(config: PreTrainedConfig) -> PreTrainedConfig:
    """The same config, set so that a model built from it is read and trained exactly.

    Caches are off: Mamba restarts its scan from zero when it meets one. RWKV's rescaling is off:
    it divides weights in place in eval mode, but not those of an adapter.
    """
    config.use_cache = False
    if hasattr(config, "rescale_every"):
        config.rescale_every = 0
    return config


def _config(model: nn.Module) -> Any:
    return getattr(model, "config", None)


def _refuse(model: nn.Module, reason: str) -> NoReturn:
    raise ValueError(f"{type(model).__name__} {reason}")
