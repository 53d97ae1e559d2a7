"""Hidden states of a model on a data set, into the store, in memory that does not grow with it."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from datasets import Dataset
from jaxtyping import Float
from torch import Tensor, nn

from benchmarks.activations.parts import read_parts, write_parts
from finetune.architectures.blocks import unwrap
from finetune.models.load import LoadedModel
from finetune.reading.residual import ActivationBatch, read_activations

Reads = Literal["prompt", "pair"]


def extract(
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

    def told(done: int) -> None:
        if progress:
            progress("reading states", done / len(examples))

    choices = [(false, true) for false, true in examples["choices"]]
    readings = read_activations(
        loaded.model, loaded.tokenizer, list(examples["prompt"]), choices, batch_size=batch_size
    )
    names = write_parts(readings, folder, _joined, told)
    manifest = {"parts": names, "examples": len(examples)}
    (folder / "states.json").write_text(json.dumps(manifest, indent=1))


def bytes_per_state(model: nn.Module, dtype: torch.dtype) -> int:
    """Bytes of one state at one layer; `dtype` is that of the weights, which may be missing."""
    config = unwrap(model).config.get_text_config()  # type: ignore[union-attr, operator]
    # Some models run their blocks in bf16 and hand on float32.
    itemsize = 4 if getattr(config, "residual_in_fp32", False) else dtype.itemsize
    return config.hidden_size * itemsize


def _joined(held: list[ActivationBatch]) -> dict[str, Tensor]:
    return {
        "index": torch.cat([reading.index for reading in held]),
        "log_odds": torch.cat([reading.log_odds for reading in held]),
        "prompt": torch.cat([r.prompt for r in held if r.prompt is not None], dim=1),
        "pair": torch.cat([r.pair for r in held if r.pair is not None], dim=1),
    }


@dataclass(frozen=True)
class States:
    """What `extract` wrote, read back in the order of the examples."""

    folder: Path

    def log_odds(self) -> Float[Tensor, " n"]:
        """The model's own log-odds of the true answer."""
        return self._gather("log_odds", axis=0).float()

    def read(self, reads: Reads) -> Float[Tensor, "layers n ..."]:
        """States of all layers: (layers, n, d) of the prompt, (layers, n, 2, d) of the pair."""
        return self._gather(reads, axis=1)

    def _gather(self, key: str, axis: int) -> Tensor:
        manifest = json.loads((self.folder / "states.json").read_text())
        order = read_parts(self.folder, manifest["parts"], "index").argsort()
        return read_parts(self.folder, manifest["parts"], key, axis).index_select(axis, order)
