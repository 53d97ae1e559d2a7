"""The base class of tasks whose claims come from a data set."""

import re
from abc import abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from quirky.example import Claim
from quirky.sources.difficulty import read_difficulty
from quirky.tasks.base import Task
from quirky.tasks.published.files import hash_data
from quirky.tasks.published.source import DataSource

_SPEAKERS = re.compile(r"\b(Alice|Bob)\b")


class DatasetTask(Task):
    """A task whose claims come from a data set of the hub, or from a user's file or folder.

    Nothing is downloaded before `claims` is called.

    Args:
        data: a data set of the hub; or a CSV, parquet or JSON-lines file, or a folder of such
            files. Default: the public data set.
        revision: branch, tag or commit of a hub data set. Default: the newest commit.
        split: a split as `datasets` writes it ("train", "test[:10%]"); `datasets` assigns the files
            of a folder to splits by their names. Default: all splits.
        config: configuration of the data set, if it has several.
        difficulty: a CSV or parquet file with the columns `difficulty` and `question_id` or
            `fact_id`, as `quirky tasks difficulty` writes it.

    Raises:
        ValueError: one line, if a file does not exist or cannot be used.
    """

    reads_data = True
    data_parameters: ClassVar[tuple[str, ...]] = (
        "data",
        "revision",
        "split",
        "config",
        "difficulty",
    )
    hub_dataset: str
    """Id of the public data set."""
    hub_licence: ClassVar[str] = "unknown"
    """Licence of the public data set, as its card states it."""

    def __init__(
        self,
        data: str | None = None,
        revision: str | None = None,
        split: str | None = None,
        config: str | None = None,
        difficulty: str | None = None,
    ):
        location = str(data or self.hub_dataset)
        self.data = DataSource(self.name, location, split, config, revision)
        self.difficulty_file = difficulty
        self._difficulties = read_difficulty(difficulty) if difficulty else None
        is_public = location == self.hub_dataset
        self.licence = self.hub_licence if is_public else "unknown"
        self.source = (
            f"Drawn from the file or folder {Path(location).name}."
            if self.data.is_local
            else f"Drawn from {location} of the hub."
        )

    def claims(self, seed: int) -> Iterator[Claim]:
        """Yield the claims; the same seed yields the same claims.

        Raises:
            ValueError: one line that names the data, and the column or the row.
        """
        for claim in self.draw_claims(seed):
            yield self._with_difficulty(claim)

    @abstractmethod
    def draw_claims(self, seed: int) -> Iterable[Claim]:
        """Yield the claims with the difficulty that the data give."""

    def local_file_hashes(self) -> dict[str, str]:
        """Return a hash of the content of `data` and of `difficulty`, where they are local."""
        hashes = {
            "data": self.data.content_hash(),
            "difficulty": hash_data(Path(self.difficulty_file)) if self.difficulty_file else None,
        }
        return {name: value for name, value in hashes.items() if value}

    def data_identity(self) -> dict[str, str]:
        """Return the hashes of local files, or the hub data set and its commit.

        Raises:
            ValueError: if the commit cannot be resolved.
        """
        return {**super().data_identity(), **self.data.identity(), **self.local_file_hashes()}

    def hub_commit(self) -> str | None:
        """Return the commit of the hub data set; None if the data are local.

        Raises:
            ValueError: if the commit cannot be resolved.
        """
        return self.data.commit()

    def _with_difficulty(self, claim: Claim) -> Claim:
        if self._difficulties is None:
            return claim
        for key in (claim.question_id, claim.fact_id):
            if key in self._difficulties:
                return replace(claim, difficulty=self._difficulties[key])
        raise ValueError(
            f"task {self.name}, difficulty {self.difficulty_file!r}: no difficulty for the claim "
            f"{dict(claim.fields)}; compute the file with the same data and seed"
        )


def without_speakers(claims: Iterable[Claim]) -> Iterator[Claim]:
    """Drop claims that mention Alice or Bob, the names that a trigger uses."""
    for claim in claims:
        if not any(_SPEAKERS.search(text) for text in claim.fields.values()):
            yield claim
