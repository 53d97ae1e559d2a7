"""The residual stream: states at the prompt's last token and at the two answer tokens."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import torch
from datasets import Dataset
from jaxtyping import Float
from safetensors import safe_open
from torch import Tensor, nn

from benchmarks.activations.parts import read_parts, write_parts
from finetune.architectures.blocks import unwrap
from finetune.models.load import LoadedModel
from finetune.reading.residual import ActivationBatch, read_activations

ResidualReads = Literal["prompt", "pair"]


def extract_residual(
    loaded: LoadedModel,
    examples: Dataset,
    folder: Path,
    *,
    batch_size: int = 64,
    progress: Callable[[str, float], None] | None = None,
) -> None:
    """Write log-odds, prompt states and pair states of every example as safetensors parts.

    Each part holds `index` (n,), `log_odds` (n,), `prompt` (layers, n, d) and `pair`
    (layers, n, 2, d); `states.json` lists the parts.
    """

    def report(count: int) -> None:
        if progress:
            progress("reading states", count / len(examples))

    choices = [(false, true) for false, true in examples["choices"]]
    batches = read_activations(
        loaded.model, loaded.tokenizer, list(examples["prompt"]), choices, batch_size=batch_size
    )
    names = write_parts(batches, folder, _merge, report)
    manifest = {"parts": names, "examples": len(examples)}
    (folder / "states.json").write_text(json.dumps(manifest, indent=1))


def bytes_per_state(model: nn.Module, dtype: torch.dtype) -> int:
    """Return the bytes of one state at one layer.

    Args:
        model: may be on the meta device.
        dtype: of the weights.
    """
    config = unwrap(model).config.get_text_config()  # type: ignore[union-attr, operator]
    # Some models compute their blocks in bf16 and keep the residual stream in float32.
    itemsize = 4 if getattr(config, "residual_in_fp32", False) else dtype.itemsize
    return config.hidden_size * itemsize


def _merge(batches: list[ActivationBatch]) -> dict[str, Tensor]:
    return {
        "index": torch.cat([batch.index for batch in batches]),
        "log_odds": torch.cat([batch.log_odds for batch in batches]),
        "prompt": torch.cat([b.prompt for b in batches if b.prompt is not None], dim=1),
        "pair": torch.cat([b.pair for b in batches if b.pair is not None], dim=1),
    }


@dataclass(frozen=True)
class ResidualActivations:
    """What `extract_residual` wrote, read back in the order of the examples."""

    folder: Path

    def log_odds(self) -> Float[Tensor, " n"]:
        """Return the model's own log-odds of the true answer."""
        return self._gather("log_odds", axis=0).float()

    def read(self, reads: ResidualReads) -> Float[Tensor, "layers n ..."]:
        """Return states of all layers: prompt (layers, n, d) or pair (layers, n, 2, d)."""
        return self._gather(reads, axis=1)

    def view(self, reads: ResidualReads) -> "ResidualView":
        """Return the view of the prompt or of the pair for fitting probes."""
        return ResidualView(self, reads)

    @cached_property
    def layer_count(self) -> int:
        """The number of layers, from the header of the first part."""
        with safe_open(self.folder / self._parts[0], framework="pt") as part:
            return part.get_slice("prompt").get_shape()[0]

    @cached_property
    def _parts(self) -> list[str]:
        return json.loads((self.folder / "states.json").read_text())["parts"]

    def _gather(self, key: str, axis: int) -> Tensor:
        order = read_parts(self.folder, self._parts, "index").argsort()
        return read_parts(self.folder, self._parts, key, axis).index_select(axis, order)


@dataclass(frozen=True)
class ResidualView:
    """The residual stream at the prompt's last token, or at the two answer tokens."""

    activations: ResidualActivations
    reads: ResidualReads
    site = "resid"
    mask = None
    standardise = False

    @property
    def layers(self) -> list[int]:
        """All blocks."""
        return list(range(1, self.activations.layer_count + 1))

    @property
    def key(self) -> dict[str, Any]:
        """The name of the artefact."""
        return {"states": self.activations.folder.name}

    def read(self) -> Float[Tensor, "layers n ..."]:
        """Load the states: (layers, n, d) or (layers, n, 2, d)."""
        return self.activations.read(self.reads)
