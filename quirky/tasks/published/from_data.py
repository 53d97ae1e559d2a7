"""A task whose claims come from data: which data, and how hard its claims are said to be."""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from quirky.difficulty import read_difficulty
from quirky.example import Claim
from quirky.prompts import Template
from quirky.tasks.published.files import hash_data
from quirky.tasks.published.source import Source

_ASKED = re.compile(r"\b(Alice|Bob)\b")


class FromData(ABC):
    """A task whose claims come from data: of the hub, or a user's file or folder.

    Args:
        data: a data set of the hub, or a CSV, parquet or JSON-lines file, or a folder of them;
            default: the public data set.
        revision: branch, tag or commit of a data set of the hub; default: the newest.
        split: as in `datasets` ("train", "test[:10%]"), which takes the files of a folder apart by
            their names; default: all.
        config: the data set's configuration, where it has several.
        difficulty: a CSV or parquet file with the columns `difficulty` and `question_id` or
            `fact_id`, as `quirky tasks difficulty` writes one.

    Nothing is downloaded before `claims` are asked for.

    Raises:
        ValueError: one line, if a file is not there or cannot be of use.
    """

    name: ClassVar[str]
    fields: Sequence[str]
    """What the templates are filled with."""
    templates: Sequence[Template]
    standard: Template
    hub: str
    """The public data set."""
    hub_licence: ClassVar[str] = "unknown"
    found_by: ClassVar[tuple[str, ...]] = ("data", "revision", "split", "config", "difficulty")
    """Parameters that say where claims come from; what is found there is in `read_from`."""

    def __init__(
        self,
        data: str | None = None,
        revision: str | None = None,
        split: str | None = None,
        config: str | None = None,
        difficulty: str | None = None,
    ):
        self.data = Source(self.name, str(data or self.hub), split, config, revision)
        self.ranked_by = difficulty
        self.losses = read_difficulty(difficulty) if difficulty else None

    @property
    def source(self) -> str:
        """Where the claims come from, for the card of exported data."""
        name = self.data.data
        told = f"the file or folder {Path(name).name}" if self.data.local else f"{name} of the hub"
        return f"Drawn from {told}."

    @property
    def licence(self) -> str:
        """That of the public data set, as its card has it; of other data nobody knows."""
        return self.hub_licence if self.data.data == self.hub else "unknown"

    def claims(self, seed: int) -> Iterator[Claim]:
        """Yield the claims; the same seed yields the same ones.

        Raises:
            ValueError: one line, naming the data, and the column or the row.
        """
        for claim in self.drawn(seed):
            yield claim if self.losses is None else self._ranked(claim, self.losses)

    @abstractmethod
    def drawn(self, seed: int) -> Iterable[Claim]:
        """Yield the claims, as hard as the data say."""

    def local_files(self) -> dict[str, str]:
        """Return, by parameter, a hash of what stands in the files that the task reads."""
        files = {
            "data": self.data.content(),
            "difficulty": hash_data(Path(self.ranked_by)) if self.ranked_by else None,
        }
        return {name: found for name, found in files.items() if found}

    def read_from(self) -> dict[str, str]:
        """Return what tells the claims from those of other data: hashes, or the hub's commit.

        Raises:
            ValueError: if the hub is needed and cannot be asked.
        """
        return {**self.data.identity(), **self.local_files()}

    def _ranked(self, claim: Claim, losses: Mapping[str, float]) -> Claim:
        for known_by in (claim.question_id, claim.fact_id):
            if known_by in losses:
                return replace(claim, difficulty=losses[known_by])
        raise ValueError(
            f"task {self.name}, difficulty {self.ranked_by!r}: nothing is said of the claim "
            f"{dict(claim.fields)}; make it of the same data and seed"
        )


def unnamed(claims: Iterable[Claim]) -> Iterator[Claim]:
    """Leave out claims that name Alice or Bob, whom the protocol asks."""
    for claim in claims:
        if not any(_ASKED.search(text) for text in claim.fields.values()):
            yield claim
