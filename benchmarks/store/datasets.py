"""Data sets in the store: one parquet file a split."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from datasets import Dataset, DatasetDict, concatenate_datasets

from benchmarks.store.artefacts import ensure_artefact
from quirky.data.dataset import SPLITS, columns_of

FIT_SPLIT = "validation"
"""Probes are fitted on it."""
SCORED_SPLITS = ("heldout", "test")
"""Probes are scored on them."""
PROBE_SPLITS = (FIT_SPLIT, *SCORED_SPLITS)
"""The splits that a model is read on, in the order of its states."""

Columns = Mapping[str, np.ndarray]
"""Columns of `quirky.example.Example`, each of shape (n,)."""


@dataclass(frozen=True)
class ResolvedDataset:
    """A data set that is in the store; its files are read when it is first used."""

    folder: Path

    def __reduce__(self) -> tuple[type["ResolvedDataset"], tuple[Path]]:
        """Send only the folder to another process, which reads the data itself."""
        return ResolvedDataset, (self.folder,)

    @property
    def digest(self) -> str:
        """What identifies the data in other keys."""
        return self.folder.name

    @cached_property
    def splits(self) -> DatasetDict:
        """The splits train, validation, heldout and test."""
        return DatasetDict(
            {
                split: Dataset.from_pandas(
                    pd.read_parquet(self.folder / f"{split}.parquet"), preserve_index=False
                )
                for split in SPLITS
            }
        )

    @cached_property
    def probe_columns(self) -> Columns:
        """The columns of validation, heldout and test, in the order of the states."""
        return columns_of(self.examples(PROBE_SPLITS))

    def examples(self, splits: Sequence[str]) -> Dataset:
        """Return the examples of several splits, one split after the other."""
        return concatenate_datasets([self.splits[split] for split in splits])


def ensure_dataset(
    key: Mapping[str, object], build: Callable[[], Mapping[str, Dataset]]
) -> ResolvedDataset:
    """Return the data set with this key, built if the store lacks it."""

    def make(folder: Path) -> None:
        for split, examples in build().items():
            write_parquet(examples, folder / f"{split}.parquet")

    return ResolvedDataset(ensure_artefact("data", key, make))


def write_parquet(examples: Dataset, path: Path) -> None:
    """Write examples as one table."""
    frame = examples.to_pandas()
    assert isinstance(frame, pd.DataFrame)  # an iterator only if batches are requested
    frame.to_parquet(path, index=False)
