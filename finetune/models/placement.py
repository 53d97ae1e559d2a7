"""Where a model's weights are placed, and in how many bits."""

from importlib.util import find_spec
from typing import Any, Literal

import torch
from peft import prepare_model_for_kbit_training
from torch import nn
from transformers import BitsAndBytesConfig

from finetune.architectures.blocks import block_list, is_mamba_mixer, unwrap

DeviceMap = Literal["auto"]
Bits = Literal[4, 8]


def placement_options(
    dtype: torch.dtype, device: str, device_map: DeviceMap | None, quantise: Bits | None
) -> dict[str, Any]:
    """Return the options of `from_pretrained` that place weights while they are loaded.

    Args:
        dtype: precision of the weights.
        device: of quantised weights, which cannot be moved later; others are moved after loading.
        device_map: `auto` lets accelerate spread the blocks over all CUDA devices, and over the
            machine's memory if these are full.
        quantise: bits of the linear layers.
    """
    options: dict[str, Any] = {"dtype": dtype}
    if quantise is not None:
        options["quantization_config"] = _quantisation_config(dtype, quantise)
    if device_map is not None:
        options["device_map"] = device_map
    elif quantise is not None:
        options["device_map"] = {"": device}
    return options


def _quantisation_config(dtype: torch.dtype, bits: Bits) -> BitsAndBytesConfig:
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
    """Check that a model can be quantised here; the model may be on the meta device.

    Args:
        name: what an error calls the model.
        model: as it is stored, without an adapter.
        bits: of its linear layers; None only checks that the model is not quantised already.

    Raises:
        ValueError: if the stored weights are quantised, bitsandbytes is not installed, or the model
            has Mamba mixers, which read weights directly and not through the linear layers.
    """
    blocks = block_list(model)
    stored = getattr(model.config, "quantization_config", None)
    if stored is not None:
        method = stored.get("quant_method") if isinstance(stored, dict) else stored.quant_method
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
            f"model {name!r}: quantise = {bits}; the scan of a Mamba mixer reads its weights "
            "directly, so they cannot be quantised; leave `quantise` out"
        )


def prepare_for_training(model: nn.Module) -> nn.Module:
    """Return a model that an adapter can be trained on.

    A quantised model keeps all other weights in float32; any other model is returned as it is.
    """
    if getattr(unwrap(model), "is_quantized", False):
        return prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)
    return model
