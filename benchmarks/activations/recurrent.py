"""Recurrent states of a model after every prompt, projected, into the store."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
from datasets import Dataset
from jaxtyping import Float
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from finetune.models.load import LoadedModel
from finetune.reading.recurrent import Projection, RecurrentStateBatch, read_recurrent_states

FILE = "states.safetensors"


def extract_recurrent(
    loaded: LoadedModel,
    examples: Dataset,
    folder: Path,
    layers: Mapping[str, Sequence[int]],
    projection: Projection,
    *,
    batch_size: int = 64,
    progress: Callable[[str, float], None] | None = None,
) -> None:
    """Write the projected states of some sites after every prompt as one safetensors file.

    It holds, for each site, (layers, n, size) in float32, in the order of the examples; `layers`
    says of which blocks.
    """
    prompts = list(examples["prompt"])
    held: list[RecurrentStateBatch] = []
    for reading in read_recurrent_states(
        loaded.model, loaded.tokenizer, prompts, list(layers), projection, batch_size=batch_size
    ):
        held.append(reading)
        if progress:
            done = sum(len(part.index) for part in held)
            progress("reading recurrent states", done / len(prompts))
    order = torch.cat([part.index for part in held]).argsort()
    tensors = {
        site: torch.cat([part.states[site] for part in held], dim=1)[:, order].contiguous()
        for site in layers
    }
    save_file(tensors, folder / FILE)
    told = {site: list(blocks) for site, blocks in layers.items()}
    (folder / "sites.json").write_text(json.dumps(told, indent=1))


@dataclass(frozen=True)
class RecurrentStates:
    """What `extract_recurrent` wrote."""

    folder: Path

    @cached_property
    def layers(self) -> dict[str, list[int]]:
        """Of every site the blocks that have such a state."""
        return json.loads((self.folder / "sites.json").read_text())

    def read(self, site: str) -> Float[Tensor, "layers n size"]:
        """The states at one site, in the order of the examples."""
        with safe_open(self.folder / FILE, framework="pt") as stored:
            return stored.get_tensor(site)
