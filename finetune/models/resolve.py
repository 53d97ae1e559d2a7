"""Resolve a model's name once, before any weight is loaded."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from torch import nn
from transformers import PreTrainedConfig, PreTrainedTokenizerBase

from finetune.architectures.blocks import block_list
from finetune.hub.checkpoints import resolve_commit
from finetune.models.fingerprint import model_fingerprint
from finetune.models.placement import Bits, check_quantise
from finetune.models.skeleton import build_skeleton, load_config
from finetune.models.source import model_source
from finetune.models.tokenizer import load_tokenizer
from finetune.prompting.answers import PromptEncoder
from finetune.prompting.chat import chat_tokenizer
from finetune.reading.recurrent import state_layers


@dataclass(frozen=True, eq=False)
class ResolvedModel:
    """A model that can be used, and all that is known of it without its weights.

    Attributes:
        name: an embedded base, a local folder or a hub id, as the user named it.
        source: the folder of an embedded base or a local model, or the hub id.
        commit: the commit of a hub model, 40 hex digits; None for a folder.
        quantise: bits of the linear layers, which this model supports; None if not quantised.
        config: as it is stored with the model. Copy it before you change it.
        skeleton: the model on the meta device, shared by all that look at names and shapes. Code
            that changes it, such as adding an adapter, takes a new one from `build_skeleton`.
        tokenizer: the model's tokenizer.
        prompt_encoder: the tokenizer, wrapped in its chat template if the model was resolved with
            `chat`.
    """

    name: str
    source: Path | str
    commit: str | None
    quantise: Bits | None
    config: PreTrainedConfig
    skeleton: nn.Module
    tokenizer: PreTrainedTokenizerBase
    prompt_encoder: PromptEncoder

    @property
    def block_count(self) -> int:
        """The number of blocks, L; layers are numbered 1 to L."""
        return len(block_list(self.skeleton))

    @property
    def parameter_count(self) -> int:
        """The number of weights, shared ones counted once."""
        return sum(parameter.numel() for parameter in self.skeleton.parameters())

    @cached_property
    def fingerprint(self) -> str:
        """The commit of a hub model, or a hash of a local model's files; computed once."""
        return model_fingerprint(self.name, self.commit)

    @cached_property
    def state_layers(self) -> Mapping[str, tuple[int, ...]]:
        """The blocks (1..L) that keep each kind of recurrent state, by site; computed once.

        Raises:
            ValueError: if transformers cannot return the recurrent states of this family.
        """
        return state_layers(self.build_skeleton())

    def build_skeleton(self) -> nn.Module:
        """Return a new skeleton, which the caller may change."""
        return build_skeleton(self.name, self.config)


def resolve_model(
    name: str, revision: str | None = None, *, chat: bool = False, quantise: Bits | None = None
) -> ResolvedModel:
    """Read a model's config and tokenizer and check that the model can be used.

    Args:
        name: an embedded base, a local folder or a hub id.
        revision: branch, tag or commit of a hub model.
        chat: encode prompts with the tokenizer's chat template.
        quantise: bits of the linear layers.

    Raises:
        ValueError: one line; if the name or revision is unknown, the config cannot be read or is
            not that of a causal language model, the model has no usable list of blocks or cannot
            be quantised, the tokenizer is missing, or `chat` is set and there is no chat template.
    """
    source = model_source(name)
    commit = resolve_commit(source, revision) if isinstance(source, str) else None
    config = load_config(name, commit)
    skeleton = build_skeleton(name, config)
    block_list(skeleton)
    check_quantise(name, skeleton, quantise)
    tokenizer = load_tokenizer(name, commit)
    return ResolvedModel(
        name=name,
        source=source,
        commit=commit,
        quantise=quantise,
        config=config,
        skeleton=skeleton,
        tokenizer=tokenizer,
        prompt_encoder=chat_tokenizer(name, tokenizer) if chat else tokenizer,
    )
