"""States of all tokens of the prompts, at some layers and within a budget of disk."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Literal

import torch
from datasets import Dataset
from jaxtyping import Bool, Float
from torch import Tensor, nn

from benchmarks.activations.parts import read_parts, write_parts
from benchmarks.activations.residual import bytes_per_state
from benchmarks.recipe.entries import TokensEntry
from finetune.architectures.blocks import block_list, unwrap
from finetune.models.load import LoadedModel
from finetune.prompting.answers import PromptEncoder, prompt_tokens
from finetune.reading.tokens import TokenActivationBatch, read_token_activations

GIGABYTE = 1e9


def token_layers(layers: int | Sequence[int], blocks: int) -> tuple[int, ...]:
    """Return the blocks (l = 1..blocks) whose token states are stored.

    Args:
        layers: a number of evenly spaced layers that includes the last block, or block numbers.
        blocks: how many the model has.

    Raises:
        ValueError: if the model does not have such a block.
    """
    if isinstance(layers, int):
        count = min(layers, blocks)
        return tuple(round(blocks * (i + 1) / count) for i in range(count))
    for layer in layers:
        if not 1 <= layer <= blocks:
            raise ValueError(f"`tokens.layers` names layer {layer}; the model has 1 to {blocks}")
    return tuple(sorted(set(layers)))


def check_budget(
    spec: TokensEntry,
    model: nn.Module,
    tokenizer: PromptEncoder,
    prompts: Sequence[str],
    dtype: torch.dtype,
) -> None:
    """Check that the token states of these prompts stay within `tokens.gigabytes`.

    Args:
        spec: the recipe's `tokens`.
        model: may be on the meta device.
        tokenizer: encodes the prompts.
        prompts: of validation, heldout and test.
        dtype: of the weights.

    Raises:
        ValueError: if they do not; with what they take and how many layers would fit. As
            `token_layers`.
    """
    layers = token_layers(spec.layers, len(block_list(model)))
    tokens = sum(len(ids) for ids in prompt_tokens(tokenizer, prompts))
    width = unwrap(model).config.get_text_config().hidden_size  # type: ignore[union-attr, operator]
    layer_gigabytes = tokens * bytes_per_state(model, dtype) / GIGABYTE
    if layer_gigabytes * len(layers) > spec.gigabytes:
        layers_that_fit = int(spec.gigabytes / layer_gigabytes)
        advice = (
            f"ask for {layers_that_fit} layers in `tokens.layers`"
            if layers_that_fit
            else "ask for fewer examples"
        )
        raise ValueError(
            f"token states of {len(layers)} layers x {tokens:,} tokens x {width} features take "
            f"{layer_gigabytes * len(layers):.3g} GB of disk per cell, more than "
            f"`tokens.gigabytes` = {spec.gigabytes:g}; raise that, or {advice}"
        )


def extract_tokens(
    loaded: LoadedModel,
    examples: Dataset,
    folder: Path,
    layers: Sequence[int],
    *,
    batch_size: int = 64,
    progress: Callable[[str, float], None] | None = None,
) -> None:
    """Write the states of every token of every prompt as safetensors parts.

    Each part holds `index` (n,), `length` (n,) and, for each layer l, `layer-l` (tokens, d), with
    the tokens of all prompts concatenated. `tokens.json` lists parts and layers.
    """
    prompts = list(examples["prompt"])

    def report(count: int) -> None:
        if progress:
            progress("reading tokens", count / len(prompts))

    batches = read_token_activations(
        loaded.model, loaded.tokenizer, prompts, layers, batch_size=batch_size
    )
    names = write_parts(batches, folder, partial(_merge, layers=layers), report)
    manifest = {"parts": names, "layers": list(layers), "examples": len(prompts)}
    (folder / "tokens.json").write_text(json.dumps(manifest, indent=1))


def _merge(batches: list[TokenActivationBatch], layers: Sequence[int]) -> dict[str, Tensor]:
    lengths = [torch.full((len(batch.index),), batch.states.shape[2]) for batch in batches]
    return {
        "index": torch.cat([batch.index for batch in batches]),
        "length": torch.cat(lengths),
        **{
            f"layer-{layer}": torch.cat([batch.states[i].flatten(0, 1) for batch in batches])
            for i, layer in enumerate(layers)
        },
    }


@dataclass(frozen=True)
class TokenActivations:
    """What `extract_tokens` wrote, read back one layer at a time in the order of the examples."""

    folder: Path

    @cached_property
    def layers(self) -> tuple[int, ...]:
        """The blocks whose outputs were stored."""
        return tuple(self._manifest["layers"])

    @cached_property
    def mask(self) -> Bool[Tensor, "n t"]:
        """Which tokens belong to the prompt; the rest is padding on the right."""
        lengths = self._gather("length")[self._order]
        return torch.arange(int(lengths.max())) < lengths[:, None]

    def read(self, layer: int) -> Float[Tensor, "n t d"]:
        """Return the states at one layer, zero after the prompt's last token."""
        tokens = self._gather(f"layer-{layer}")
        mask_as_stored = self.mask[self._order.argsort()]
        padded = tokens.new_zeros(*mask_as_stored.shape, tokens.shape[-1])
        padded[mask_as_stored] = tokens
        return padded[self._order]

    def view(self, layer: int) -> "TokenView":
        """Return the view of all tokens for fitting probes at this layer."""
        return TokenView(self, layer)

    @cached_property
    def _manifest(self) -> dict[str, Any]:
        return json.loads((self.folder / "tokens.json").read_text())

    @cached_property
    def _order(self) -> Tensor:
        return self._gather("index").argsort()

    def _gather(self, key: str) -> Tensor:
        return read_parts(self.folder, self._manifest["parts"], key)


@dataclass(frozen=True)
class TokenView:
    """The states of all tokens at one layer; those of all layers may not fit in memory."""

    activations: TokenActivations
    layer: int
    site = "resid"
    reads: Literal["tokens"] = "tokens"
    standardise = False

    @property
    def layers(self) -> list[int]:
        """The one layer."""
        return [self.layer]

    @property
    def mask(self) -> Bool[Tensor, "n t"]:
        """Which tokens belong to the prompt."""
        return self.activations.mask

    @property
    def key(self) -> dict[str, Any]:
        """The name of the artefact, and the layer."""
        return {"states": self.activations.folder.name, "layer": self.layer}

    def read(self) -> Float[Tensor, "1 n t d"]:
        """Load the states."""
        return self.activations.read(self.layer)[None]
