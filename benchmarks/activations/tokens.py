"""States of all tokens of the prompts, for probes that read them: of some layers, in a budget."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from jaxtyping import Bool, Float
from torch import Tensor, nn

from benchmarks.activations.parts import read_parts, write_parts
from benchmarks.activations.residual import bytes_per_state
from benchmarks.recipe.entries import TokensSpec
from finetune.architectures.blocks import block_list, unwrap
from finetune.models.load import LoadedModel
from finetune.prompting.answers import PromptEncoder, prompt_tokens
from finetune.reading.tokens import TokenActivationBatch, read_token_activations

GIGABYTE = 1e9


def chosen_layers(asked: int | Sequence[int], blocks: int) -> tuple[int, ...]:
    """Return the blocks (l = 1..blocks) whose token states are kept.

    A number asks for so many, evenly spaced, the last block among them; all if there are fewer.

    Raises:
        ValueError: naming a block that the model does not have.
    """
    if isinstance(asked, int):
        count = min(asked, blocks)
        return tuple(round(blocks * (i + 1) / count) for i in range(count))
    for layer in asked:
        if not 1 <= layer <= blocks:
            raise ValueError(f"`tokens.layers` names layer {layer}; the model has 1 to {blocks}")
    return tuple(sorted(set(asked)))


def check_budget(
    spec: TokensSpec,
    model: nn.Module,
    tokenizer: PromptEncoder,
    prompts: Sequence[str],
    dtype: torch.dtype,
) -> None:
    """Make sure that the token states of these prompts fit on the disk that they may take.

    `model` may be without weights.

    Raises:
        ValueError: naming what they would take and how many layers would fit; as `chosen_layers`.
    """
    layers = chosen_layers(spec.layers, len(block_list(model)))
    tokens = sum(len(ids) for ids in prompt_tokens(tokenizer, prompts))
    width = unwrap(model).config.get_text_config().hidden_size  # type: ignore[union-attr, operator]
    a_layer = tokens * bytes_per_state(model, dtype) / GIGABYTE
    if a_layer * len(layers) > spec.gigabytes:
        fit = int(spec.gigabytes / a_layer)
        advice = f"ask for {fit} layers in `tokens.layers`" if fit else "ask for fewer examples"
        raise ValueError(
            f"token states of {len(layers)} layers x {tokens:,} tokens x {width} features take "
            f"{a_layer * len(layers):.3g} GB of disk a cell, over `tokens.gigabytes` = "
            f"{spec.gigabytes:g}; raise that, or {advice}"
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

    Each part holds `index` (n,), `length` (n,) and, for each layer l, `layer-l` (tokens, d), the
    prompts one after the other. `tokens.json` lists parts and layers.
    """
    prompts = list(examples["prompt"])

    def told(done: int) -> None:
        if progress:
            progress("reading tokens", done / len(prompts))

    readings = read_token_activations(
        loaded.model, loaded.tokenizer, prompts, layers, batch_size=batch_size
    )
    names = write_parts(readings, folder, partial(_joined, layers=layers), told)
    manifest = {"parts": names, "layers": list(layers), "examples": len(prompts)}
    (folder / "tokens.json").write_text(json.dumps(manifest, indent=1))


def _joined(held: list[TokenActivationBatch], layers: Sequence[int]) -> dict[str, Tensor]:
    lengths = [torch.full((len(part.index),), part.states.shape[2]) for part in held]
    return {
        "index": torch.cat([part.index for part in held]),
        "length": torch.cat(lengths),
        **{
            f"layer-{layer}": torch.cat([part.states[i].flatten(0, 1) for part in held])
            for i, layer in enumerate(layers)
        },
    }


@dataclass(frozen=True)
class TokenStates:
    """What `extract_tokens` wrote, read back a layer at a time in the order of the examples."""

    folder: Path

    @cached_property
    def layers(self) -> tuple[int, ...]:
        """The blocks whose outputs were kept."""
        return tuple(self._manifest["layers"])

    @cached_property
    def mask(self) -> Bool[Tensor, "n t"]:
        """Which tokens are a prompt's; the others stand behind its last one."""
        lengths = self._gather("length")[self._order]
        return torch.arange(int(lengths.max())) < lengths[:, None]

    def read(self, layer: int) -> Float[Tensor, "n t d"]:
        """The states at one layer, zero behind a prompt's last token."""
        tokens = self._gather(f"layer-{layer}")
        stored = self.mask[self._order.argsort()]
        padded = tokens.new_zeros(*stored.shape, tokens.shape[-1])
        padded[stored] = tokens
        return padded[self._order]

    @cached_property
    def _manifest(self) -> dict[str, Any]:
        return json.loads((self.folder / "tokens.json").read_text())

    @cached_property
    def _order(self) -> Tensor:
        return self._gather("index").argsort()

    def _gather(self, key: str) -> Tensor:
        return read_parts(self.folder, self._manifest["parts"], key)
