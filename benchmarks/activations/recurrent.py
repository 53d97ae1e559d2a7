"""Recurrent states after every prompt, as random projections."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

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
    """Write the projected states of each site after every prompt as one safetensors file.

    For each site the file holds (layers, n, size) in float32, in the order of the examples.

    Args:
        loaded: the model and its tokenizer.
        examples: their prompts are read.
        folder: receives the file, and `sites.json` with the blocks of each site.
        layers: the blocks of each site that are read.
        projection: applied to the raw states.
        batch_size: most prompts in one forward pass.
        progress: called with the stage and the share of prompts that were read.
    """
    prompts = list(examples["prompt"])
    batches: list[RecurrentStateBatch] = []
    for batch in read_recurrent_states(
        loaded.model, loaded.tokenizer, prompts, list(layers), projection, batch_size=batch_size
    ):
        batches.append(batch)
        if progress:
            count = sum(len(part.index) for part in batches)
            progress("reading recurrent states", count / len(prompts))
    order = torch.cat([batch.index for batch in batches]).argsort()
    tensors = {
        site: torch.cat([batch.states[site] for batch in batches], dim=1)[:, order].contiguous()
        for site in layers
    }
    save_file(tensors, folder / FILE)
    blocks_by_site = {site: list(blocks) for site, blocks in layers.items()}
    (folder / "sites.json").write_text(json.dumps(blocks_by_site, indent=1))


@dataclass(frozen=True)
class RecurrentActivations:
    """What `extract_recurrent` wrote, in the order of the examples."""

    folder: Path

    @cached_property
    def layers(self) -> dict[str, list[int]]:
        """The blocks of each site that have such a state."""
        return json.loads((self.folder / "sites.json").read_text())

    def read(self, site: str) -> Float[Tensor, "layers n size"]:
        """Return the projected states at one site."""
        with safe_open(self.folder / FILE, framework="pt") as tensors:
            return tensors.get_tensor(site)

    def view(self, site: str) -> "RecurrentView":
        """Return the view of the prompt for fitting probes at this site."""
        return RecurrentView(self, site)


@dataclass(frozen=True)
class RecurrentView:
    """The recurrent states at one site."""

    activations: RecurrentActivations
    site: str
    reads: Literal["prompt"] = "prompt"
    mask = None
    standardise = True  # raw recurrent states are nearly collinear

    @property
    def layers(self) -> list[int]:
        """The blocks that have such a state."""
        return self.activations.layers[self.site]

    @property
    def key(self) -> dict[str, Any]:
        """The name of the artefact, and the site."""
        return {"states": self.activations.folder.name, "site": self.site}

    def read(self) -> Float[Tensor, "layers n size"]:
        """Load the states."""
        return self.activations.read(self.site)
