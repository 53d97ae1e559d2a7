"""Untrained models of the bases, matched in size."""

from typing import Any

from transformers import (
    GPTNeoXConfig,
    GPTNeoXForCausalLM,
    MambaConfig,
    MambaForCausalLM,
    PreTrainedModel,
)

from finetune.architectures.scan import use_cpu_scan
from finetune.pretrain.schedules import SCHEDULES
from finetune.pretrain.vocabulary import VOCABULARY


def untrained_model(name: str) -> PreTrainedModel:
    """Return a base with random weights.

    Raises:
        ValueError: if no base has this name.
    """
    if name not in SCHEDULES:
        raise ValueError(f"unknown base {name!r}; known: {', '.join(sorted(SCHEDULES))}")
    ids: dict[str, Any] = {"bos_token_id": 0, "eos_token_id": 0, "pad_token_id": 0}
    if name.endswith("neox"):
        return GPTNeoXForCausalLM(
            GPTNeoXConfig(
                vocab_size=VOCABULARY,
                hidden_size=128,
                num_hidden_layers=8,
                num_attention_heads=4,
                intermediate_size=256,
                max_position_embeddings=256,
                tie_word_embeddings=True,
                rotary_pct=0.5,  # type: ignore[call-arg]  # an old name that transformers still accepts
                **ids,
            )
        )
    config = MambaConfig(
        vocab_size=VOCABULARY, hidden_size=128, state_size=8, num_hidden_layers=9, **ids
    )
    return use_cpu_scan(MambaForCausalLM(config))
