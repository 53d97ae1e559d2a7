"""The folder of a run and the folders of its cells, read back as tables and tensors."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from benchmarks.activations import RecurrentActivations, ResidualActivations, TokenActivations
from benchmarks.results.table import read_results
from benchmarks.store import store_root
from benchmarks.store.datasets import PROBE_SPLITS, SCORED_SPLITS, ResolvedDataset

Split = Literal["validation", "heldout", "test"]


@dataclass(frozen=True)
class CellFolder:
    """The folder of a finished cell."""

    folder: Path

    def record(self) -> dict[str, Any]:
        """Return the cell's columns, the hashes of its inputs, and its seconds."""
        return json.loads((self.folder / "cell.json").read_text())

    def input_folder(self, name: Literal["data", "states", "tokens", "recurrent"]) -> Path:
        """Return the folder in the store of one of the cell's inputs.

        Raises:
            ValueError: if the cell has no such input, or the store no longer holds it.
        """
        digest = self.record().get(name)
        if digest is None:
            raise ValueError(
                f"{self.folder.name} has no stored {name}: no probe of its recipe reads them"
            )
        folder = store_root() / ("data" if name == "data" else "states") / digest
        if not folder.exists():
            raise ValueError(
                f"the {name} of {self.folder.name} are not in the store ({folder}): remove "
                f"{self.folder} and run the recipe again, or set QUIRKY_HOME to where they are"
            )
        return folder

    def examples(self) -> pd.DataFrame:
        """Return the examples of validation, heldout and test, in the order of the states."""
        dataset = ResolvedDataset(self.input_folder("data"))
        return pd.DataFrame(dataset.examples(PROBE_SPLITS).to_pandas())

    def residual(self) -> ResidualActivations:
        """Return the states of the prompt and of the pair."""
        return ResidualActivations(self.input_folder("states"))

    def recurrent(self) -> RecurrentActivations:
        """Return the recurrent states after the prompts."""
        return RecurrentActivations(self.input_folder("recurrent"))

    def tokens(self) -> TokenActivations:
        """Return the states of all tokens."""
        return TokenActivations(self.input_folder("tokens"))


@dataclass(frozen=True)
class Run:
    """The folder of a run."""

    folder: Path

    @property
    def report(self) -> Path:
        """The report, one HTML file."""
        return self.folder / "report.html"

    def results(self) -> pd.DataFrame:
        """Return the tidy table: one row per figure, with its interval.

        Raises:
            ValueError: if an earlier version wrote it.
        """
        return read_results(self.folder / "results.parquet")

    def manifest(self) -> Mapping[str, Any]:
        """Return the resolved recipe, versions, hardware and hashes."""
        return json.loads((self.folder / "manifest.json").read_text())

    def cells(self) -> list[str]:
        """Return the names of the cells."""
        return [cell["cell"] for cell in self.manifest()["cells"]]

    def examples(self, cell: str, split: Split | None = None) -> pd.DataFrame:
        """Return the examples of a split; by default the scored ones, heldout and then test.

        Raises:
            ValueError: if the cell or the split is unknown.
        """
        if split is None:
            return pd.read_parquet(self._cell(cell).folder / "examples.parquet")
        examples = self._cell(cell).examples()
        return examples[_in_split(examples, split)].reset_index(drop=True)

    def scores(self, cell: str) -> pd.DataFrame:
        """Return every probe's scores in a cell, in the order of `examples(cell)`.

        Raises:
            ValueError: if the cell is unknown.
        """
        return pd.read_parquet(self._cell(cell).folder / "scores.parquet")

    def states(
        self,
        cell: str,
        site: str = "resid",
        reads: Literal["prompt", "pair"] = "prompt",
        split: Split | None = None,
    ) -> Float[Tensor, "layers n ..."]:
        """Return hidden states in the order of `examples(cell, split)`.

        Probes are fitted on the split `validation`.

        Args:
            cell: name of the cell.
            site: `resid`, or a recurrent state (`ssm_state`, `conv_state`). Recurrent states are
                random projections, of the blocks that have such a state.
            reads: `prompt` for the last token of the prompt, `pair` for the two answer tokens.
            split: one split; by default heldout and then test.

        Returns:
            (layers, n, d), or (layers, n, 2, d) for the pair in the order false, true.

        Raises:
            ValueError: if the cell, the site or the split is unknown, or the store no longer holds
                the states.
        """
        folder = self._cell(cell)
        rows = torch.from_numpy(_in_split(folder.examples(), split).to_numpy(copy=True))
        if site == "resid":
            return folder.residual().read(reads)[:, rows]
        recurrent = folder.recurrent() if folder.record()["recurrent"] else None
        sites = ["resid", *(recurrent.layers if recurrent else ())]
        if recurrent is None or site not in sites:
            raise ValueError(f"site {site!r}; in this cell: {', '.join(sites)}")
        if reads != "prompt":
            raise ValueError(f"{reads} of {site}: a recurrent state is read after the prompt alone")
        return recurrent.read(site)[:, rows]

    def tokens(
        self, cell: str, layer: int, split: Split | None = None
    ) -> tuple[Float[Tensor, "n t d"], Bool[Tensor, "n t"]]:
        """Return the states of all tokens at one layer, and the mask of the prompts' tokens.

        They are in the order of `examples(cell, split)`, and exist if a probe of the recipe reads
        tokens.

        Raises:
            ValueError: if the cell, the layer or the split is unknown, no probe reads tokens, or
                the store no longer holds them.
        """
        folder = self._cell(cell)
        activations = folder.tokens()
        if layer not in activations.layers:
            raise ValueError(f"layer {layer}; tokens of {cell} are stored at {activations.layers}")
        rows = torch.from_numpy(_in_split(folder.examples(), split).to_numpy(copy=True))
        return activations.read(layer)[rows], activations.mask[rows]

    def _cell(self, cell: str) -> CellFolder:
        folder = self.folder / "cells" / cell
        if not (folder / "cell.json").exists():
            raise ValueError(f"unknown cell {cell!r}; known: {', '.join(self.cells())}")
        return CellFolder(folder)


def _in_split(examples: pd.DataFrame, split: Split | None) -> pd.Series:
    if split not in (None, *PROBE_SPLITS):
        raise ValueError(f"unknown split {split!r}; known: {', '.join(PROBE_SPLITS)}")
    return examples["split"].isin(SCORED_SPLITS if split is None else [split])
