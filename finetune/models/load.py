"""Load a model and its tokenizer: an embedded base, a local folder or a hub id, with an adapter."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoTokenizer,
    PreTrainedConfig,
    PreTrainedTokenizerBase,
)

from finetune.adapters.loading import (
    check_fit,
    put_on,
)
from finetune.architectures.blocks import block_list, exact_config
from finetune.architectures.scan import use_cpu_scan
from finetune.hub.checkpoints import resolve_commit
from finetune.hub.client import hub_answers
from finetune.hub.client import one_line as _one_line
from finetune.models.placement import Bits, DeviceMap, check_quantise, placed
from finetune.models.source import _source
from finetune.prompting.answers import PromptEncoder
from finetune.prompting.chat import chat_tokenizer


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
    """Load a model to be read or trained.

    Args:
        name: an embedded base, a local folder, or a hub id.
        adapter: a folder or a hub id in peft's format. The adapter is kept, not merged (the model
            is then a `PeftModel`), so it can be switched off. Only one that peft refuses, or that
            the model's kernels would pass over, is merged (`adapters.loading.merges`). One on
            embeddings leaves a tied head alone either way.
        dtype: precision of the weights, whatever they were stored in.
        device: where to put the model.
        revision: branch, tag or commit of a hub model.
        device_map: `auto` spreads the blocks over the devices that are there, whatever `device`.
        quantise: hold the linear layers in so many bits, where bitsandbytes is installed.
        chat: ask through the tokenizer's chat template, as instruct models are.

    Raises:
        ValueError: as `check_model` and `check_adapter`.
    """
    check_model(name, revision, quantise=quantise, chat=chat)
    if adapter is not None:
        check_adapter(name, adapter, revision)
    tokenizer = load_prompt_encoder(name, revision, chat=chat)
    model: nn.Module = AutoModelForCausalLM.from_pretrained(
        _source(name),
        config=exact_config(_config(name, revision)),
        **_pinned(name, revision),
        **placed(dtype, device, device_map, quantise),
        use_safetensors=True,
        trust_remote_code=False,
    )
    model = use_cpu_scan(model)
    if adapter is not None:
        model = put_on(model, adapter)
    if device_map is None and quantise is None:
        model = model.to(device)
    return LoadedModel(name, model.eval(), tokenizer)


def load_prompt_encoder(
    name: str, revision: str | None = None, *, chat: bool = False
) -> PromptEncoder:
    """The tokenizer of a model, to be asked through its chat template if `chat`.

    Raises:
        ValueError: as `load_tokenizer` and `chat_tokenizer`.
    """
    tokenizer = load_tokenizer(name, revision)
    return chat_tokenizer(name, tokenizer) if chat else tokenizer


def load_tokenizer(name: str, revision: str | None = None) -> PreTrainedTokenizerBase:
    """The tokenizer of a model.

    Raises:
        ValueError: if the name is unknown or the model comes without a tokenizer.
    """
    source, pinned = _source(name), _pinned(name, revision)
    tokenizer = _one_line(
        f"tokenizer of {name!r} cannot be loaded",
        lambda: AutoTokenizer.from_pretrained(source, **pinned, trust_remote_code=False),
    )
    # Where the files are missing transformers may return a tokenizer with an empty vocabulary.
    if not tokenizer.encode("True", add_special_tokens=False):
        raise ValueError(f"tokenizer of {name!r} cannot be loaded: it has no vocabulary")
    return tokenizer


def load_skeleton(name: str, revision: str | None = None) -> nn.Module:
    """The same model on the meta device, built from its config only: no weight is loaded.

    Raises:
        ValueError: if the name is unknown, or its config is not that of a causal language model.
    """
    config = _config(name, revision)
    with torch.device("meta"):
        return _one_line(
            f"model {name!r} cannot be built",
            lambda: AutoModelForCausalLM.from_config(config, trust_remote_code=False),
        )


def check_model(
    name: str, revision: str | None = None, *, quantise: Bits | None = None, chat: bool = False
) -> None:
    """Find out before any weight is loaded whether a model can be used.

    Raises:
        ValueError: one line; if the name is unknown, the config cannot be read or is not that of a
            causal language model, the model has no usable list of blocks, or the tokenizer is
            missing, or has no chat template where one is asked for, or the model cannot be
            quantised.
    """
    skeleton = load_skeleton(name, revision)
    block_list(skeleton)
    check_quantise(name, skeleton, quantise)
    load_prompt_encoder(name, revision, chat=chat)


def check_adapter(name: str, adapter: Path | str, revision: str | None = None) -> None:
    """Find out before any weight is loaded whether an adapter is one for this model.

    Raises:
        ValueError: one line; as `check_model`, if the adapter cannot be read or is not of a kind
            that is supported, or if it and the model differ in a module's name or shape.
    """
    check_fit(load_skeleton(name, revision), adapter)


def _config(name: str, revision: str | None) -> PreTrainedConfig:
    source, pinned = _source(name), _pinned(name, revision)
    return _one_line(
        f"model {name!r} cannot be read",
        lambda: AutoConfig.from_pretrained(source, **pinned, trust_remote_code=False),
    )


def _pinned(name: str, revision: str | None) -> dict[str, Any]:
    """Where a hub model is loaded from: one commit, and only the cache if the hub is silent."""
    source = _source(name)
    if isinstance(source, Path):
        return {}
    return {"revision": resolve_commit(source, revision), "local_files_only": not hub_answers()}
