"""Checks, on tiny random models, that every supported family is read exactly."""

from finetune.verification.tiny_families import TINY_FAMILIES, tiny_model
from finetune.verification.verify import (
    TOLERANCE,
    FamilyReport,
    random_tokens,
    recurrent_state_errors,
    residual_error,
    verify_family,
)

__all__ = [
    "TINY_FAMILIES",
    "TOLERANCE",
    "FamilyReport",
    "random_tokens",
    "recurrent_state_errors",
    "residual_error",
    "tiny_model",
    "verify_family",
]
