"""Models by name: resolving a name, loading the model, and its fingerprint."""

from finetune.models.fingerprint import adapter_fingerprint, model_fingerprint
from finetune.models.load import LoadedModel, load_model, load_weights
from finetune.models.placement import Bits, DeviceMap, prepare_for_training
from finetune.models.resolve import ResolvedModel, resolve_model
from finetune.models.skeleton import load_config, load_skeleton
from finetune.models.source import BASES, embedded_bases, model_source
from finetune.models.tokenizer import load_tokenizer

__all__ = [
    "BASES",
    "Bits",
    "DeviceMap",
    "LoadedModel",
    "ResolvedModel",
    "adapter_fingerprint",
    "embedded_bases",
    "load_config",
    "load_model",
    "load_skeleton",
    "load_tokenizer",
    "load_weights",
    "model_fingerprint",
    "model_source",
    "prepare_for_training",
    "resolve_model",
]
