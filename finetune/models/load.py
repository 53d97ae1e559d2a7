"""Load the weights of a model, with an adapter if there is one."""

import copy
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn
from transformers import AutoModelForCausalLM

from finetune.adapters.loading import apply_adapter, check_adapter_fits
from finetune.architectures.blocks import exact_config
from finetune.architectures.scan import use_cpu_scan
from finetune.models.placement import Bits, DeviceMap, placement_options
from finetune.models.resolve import ResolvedModel, resolve_model
from finetune.models.source import pretrained_options
from finetune.prompting.answers import PromptEncoder


@dataclass(frozen=True)
class LoadedModel:
    """A causal language model in eval mode, and its tokenizer."""

    name: str
    model: nn.Module
    tokenizer: PromptEncoder


def load_model(
    name: str,
    *,
    adapter: Path | str | None = None,
    dtype: torch.dtype = torch.float32,
    device: str = "cpu",
    revision: str | None = None,
    device_map: DeviceMap | None = None,
    quantise: Bits | None = None,
    chat: bool = False,
) -> LoadedModel:
    """Load a model in eval mode, to be read or fine-tuned.

    Args:
        name: an embedded base, a local folder, or a hub id.
        adapter: as in `load_weights`.
        dtype: precision of the weights, whatever they are stored in.
        device: where to put the model.
        revision: branch, tag or commit of a hub model.
        device_map: `auto` spreads the blocks over all devices and ignores `device`.
        quantise: bits of the linear layers; needs bitsandbytes.
        chat: encode prompts with the tokenizer's chat template, as instruct models expect.

    Raises:
        ValueError: one line; as `resolve_model` and `finetune.adapters.check_adapter_fits`.
    """
    resolved = resolve_model(name, revision, chat=chat, quantise=quantise)
    if adapter is not None:
        check_adapter_fits(resolved.build_skeleton(), adapter)
    return load_weights(
        resolved, adapter=adapter, dtype=dtype, device=device, device_map=device_map
    )


def load_weights(
    resolved: ResolvedModel,
    *,
    adapter: Path | str | None = None,
    dtype: torch.dtype = torch.float32,
    device: str = "cpu",
    device_map: DeviceMap | None = None,
) -> LoadedModel:
    """Load the weights of a resolved model.

    Args:
        resolved: the model, with its commit and its quantisation.
        adapter: a folder or a hub id in peft's format. The adapter stays separate and can be
            switched off (the model is then a `PeftModel`), except where peft refuses it or the
            model's kernels bypass it: it is then merged (`finetune.adapters.requires_merging`).
            An adapter on embeddings does not change a tied head either way.
        dtype: precision of the weights, whatever they are stored in.
        device: where to put the model.
        device_map: `auto` spreads the blocks over all devices and ignores `device`.

    Raises:
        ValueError: one line; if the adapter cannot be read. Whether it fits the model is for the
            caller to check, with `finetune.adapters.check_adapter_fits`.
    """
    model: nn.Module = AutoModelForCausalLM.from_pretrained(
        resolved.source,
        config=exact_config(copy.deepcopy(resolved.config)),
        **pretrained_options(resolved.source, resolved.commit),
        **placement_options(dtype, device, device_map, resolved.quantise),
        use_safetensors=True,
        trust_remote_code=False,
    )
    model = use_cpu_scan(model)
    if adapter is not None:
        model = apply_adapter(model, adapter)
    if device_map is None and resolved.quantise is None:
        model = model.to(device)
    return LoadedModel(resolved.name, model.eval(), resolved.prompt_encoder)
