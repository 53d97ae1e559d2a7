"""A tiny random model of every supported family, built from its config.

Each has at least three blocks, every kind of block of its family, and at least one full period of
any rule that makes some blocks differ.
"""

from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedModel

from finetune.architectures.blocks import exact_config

_COMMON: dict[str, Any] = {
    "vocab_size": 300,
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "intermediate_size": 48,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "initializer_range": 0.1,
    "pad_token_id": 0,
    "bos_token_id": 0,
    "eos_token_id": 0,
}
_MAMBA2_HEADS = {"mamba_d_state": 8, "mamba_n_heads": 8, "mamba_d_head": 8, "mamba_chunk_size": 4}
_DELTA = {
    "linear_num_key_heads": 2,
    "linear_num_value_heads": 4,
    "linear_key_head_dim": 8,
    "linear_value_head_dim": 8,
}
_SHARED = {
    "num_hidden_layers": 6,
    "layers_block_type": ["linear_attention", *["linear_attention", "hybrid"] * 2, "hybrid"],
    "n_mamba_heads": 2,
    "num_key_value_heads": 4,
}
_EXPERTS = {"num_experts": 4, "num_experts_per_tok": 2}

TINY_FAMILIES: dict[str, dict[str, Any]] = {
    "gpt_neox": {},
    "gpt2": {},
    "llama": {},
    "mistral": {"sliding_window": 4},
    "qwen2": {},
    "qwen3": {"head_dim": 8},
    "gemma": {"head_dim": 8},
    "gemma2": {"head_dim": 8, "sliding_window": 4},
    "gemma3_text": {"head_dim": 8, "sliding_window": 4, "num_hidden_layers": 7},
    "mamba": {"state_size": 4},
    "mamba2": {"state_size": 8, "num_heads": 8, "head_dim": 8, "n_groups": 1, "chunk_size": 4},
    "falcon_mamba": {"state_size": 4},
    "rwkv": {"num_hidden_layers": 8, "attention_hidden_size": 32},
    "recurrent_gemma": {"num_hidden_layers": 6, "attention_window_size": 4},
    "jamba": {
        **_EXPERTS,
        "num_hidden_layers": 6,
        "attn_layer_period": 3,
        "attn_layer_offset": 1,
        "mamba_d_state": 4,
    },
    "zamba": {**_SHARED, "mamba_d_state": 4},
    "zamba2": {**_SHARED, "mamba_d_state": 8, "chunk_size": 4, "use_mem_rope": True},
    "bamba": {**_MAMBA2_HEADS, "attn_layer_indices": [1]},
    "falcon_h1": {**_MAMBA2_HEADS, "mamba_d_ssm": 64},
    "lfm2": {"layer_types": ["conv", "full_attention", "conv"]},
    "qwen3_next": {**_DELTA, **_EXPERTS, "num_hidden_layers": 4, "head_dim": 8},
    "olmo_hybrid": {**_DELTA, "num_hidden_layers": 4, "num_key_value_heads": 4},
    "granitemoehybrid": {**_MAMBA2_HEADS, "layer_types": ["mamba", "attention", "mamba"]},
    "nemotron_h": {
        "num_hidden_layers": 5,
        "layer_types": ["linear_attention", "moe", "full_attention", "mlp", "linear_attention"],
        "head_dim": 8,
        "mamba_num_heads": 8,
        "mamba_head_dim": 8,
        "ssm_state_size": 8,
        "n_groups": 2,
        "chunk_size": 4,
        "moe_intermediate_size": 48,
        "moe_shared_expert_intermediate_size": 48,
    },
    "minimax": {
        "block_size": 4,
        "layer_types": ["linear_attention", "full_attention", "linear_attention"],
    },
    "xlstm": {"hidden_size": 128, "num_heads": 4, "chunk_size": 4},
}
"""By transformers' `model_type`: config settings beside those that all families share."""


def tiny_model(family: str, **settings: Any) -> PreTrainedModel:
    """Return a random model of a family in eval mode, with a fixed seed.

    Noise is added to every parameter, so that none is still zero or one, as some are initialised.

    Args:
        family: a key of `TINY_FAMILIES`.
        **settings: config settings that replace those of the tiny model.
    """
    config = exact_config(
        AutoConfig.for_model(family, **_COMMON | TINY_FAMILIES[family] | settings)
    )
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))
    return model
