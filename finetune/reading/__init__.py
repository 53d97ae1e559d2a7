"""Log-odds and hidden states of a model: block outputs, token states, recurrent states."""

from finetune.reading.forward import accepts_logits_to_keep, logits_and_states
from finetune.reading.hooks import block_outputs
from finetune.reading.recurrent import (
    STATE_SITES,
    Projection,
    RecurrentStateBatch,
    read_recurrent_states,
    recurrent_states,
    state_layers,
)
from finetune.reading.residual import ActivationBatch, log_odds, read_activations
from finetune.reading.tokens import TokenActivationBatch, read_token_activations

__all__ = [
    "STATE_SITES",
    "ActivationBatch",
    "Projection",
    "RecurrentStateBatch",
    "TokenActivationBatch",
    "accepts_logits_to_keep",
    "block_outputs",
    "log_odds",
    "logits_and_states",
    "read_activations",
    "read_recurrent_states",
    "read_token_activations",
    "recurrent_states",
    "state_layers",
]
