"""Where a model's weights lie, and in how many bits."""

from importlib.util import find_spec
from typing import Any, Literal

import torch
from peft import prepare_model_for_kbit_training
from torch import nn
from transformers import BitsAndBytesConfig

from finetune.architectures.blocks import block_list, is_mamba_mixer, unwrap

DeviceMap = Literal["auto"]
Bits = Literal[4, 8]


def placed(
    dtype: torch.dtype, device: str, device_map: DeviceMap | None, quantise: Bits | None
) -> dict[str, Any]:
    """The options of `from_pretrained` that put weights where they belong as they are loaded.

    With `auto` accelerate spreads the blocks over all CUDA devices, and over the machine's memory
    where they are full. Quantised weights are made on their device and cannot be moved.
    """
    options: dict[str, Any] = {"dtype": dtype}
    if quantise is not None:
        options["quantization_config"] = _config(dtype, quantise)
    if device_map is not None:
        options["device_map"] = device_map
    elif quantise is not None:
        options["device_map"] = {"": device}
    return options


def _config(dtype: torch.dtype, bits: Bits) -> BitsAndBytesConfig:
    if bits == 8:
        return BitsAndBytesConfig(load_in_8bit=True)
    # As in QLoRA (arXiv 2305.14314): normal float, and the constants quantised too.
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype,
    )


def check_quantise(name: str, model: nn.Module, bits: Bits | None) -> None:
    """Find out before any weight is loaded whether a model can be quantised here.

    Raises:
        ValueError: if bitsandbytes is not installed, or the model's blocks read weights raw, which
            the linear layers of bitsandbytes do not allow.
    """
    blocks = block_list(model)
    already = getattr(model.config, "quantization_config", None)
    if already is not None:
        method = already.get("quant_method") if isinstance(already, dict) else already.quant_method
        raise ValueError(
            f"model {name!r} is quantised already ({method}), which is not supported; give its "
            "weights as they were before, and `quantise` for 8 or 4 bits"
        )
    if bits is None:
        return
    if find_spec("bitsandbytes") is None:
        raise ValueError(
            f"model {name!r}: quantise = {bits} needs bitsandbytes, which is not installed: "
            "pip install 'quirky[quantised]'"
        )
    if any(is_mamba_mixer(module) for module in blocks.modules()):
        raise ValueError(
            f"model {name!r}: quantise = {bits}; the scan of a Mamba mixer reads its weights raw, "
            "so they cannot be quantised; leave `quantise` out"
        )


def trainable(model: nn.Module) -> nn.Module:
    """Return the model ready to be given an adapter; a quantised one keeps the rest in float32."""
    if getattr(unwrap(model), "is_quantized", False):
        return prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)
    return model
