"""What the five published tasks share: required columns, and the choice of claims."""

import warnings
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import nan
from typing import ClassVar

from quirky.example import Claim, digest
from quirky.sources.rows import Row
from quirky.tasks.negation import negate_half
from quirky.tasks.published.dataset_task import DatasetTask, without_speakers
from quirky.tasks.published.layout import is_released, released_claims
from quirky.text import MAX_REPR, collapse_whitespace

Kind = tuple[bool, bool]
"""Truth and quirk of a claim."""
MOST = 5_000
"""Claims of each kind."""
LEAST = 25
"""Claims of each kind below which no data set can be made."""


class PublishedTask(DatasetTask):
    """A published task; for its parameters see `DatasetTask`.

    `data` has the columns of the public data set, or the layout of the released `quirky_*_raw`. The
    labels of that layout are used as they are, and inverted where the task negates a claim; a
    parameter that changes the quirk is refused there. A column `difficulty` takes precedence over
    the difficulty that the task computes.

    A claim that is true in one row and false in another is dropped with a warning.
    """

    columns: ClassVar[tuple[str, ...]]
    """Required columns."""
    optional: ClassVar[tuple[str, ...]] = ()
    """Required columns whose cells may be empty; a row with any other empty cell is dropped."""
    kinds: ClassVar[tuple[Kind, ...]] = ((True, True), (True, False), (False, True), (False, False))
    """Kinds of claims that can occur."""
    always_negates: ClassVar[bool] = False
    """Whether half of the facts are negated. Set where every true claim is true by the quirk rule
    too: without negations the quirk would err in one direction only."""

    changed_rule: str | None = None
    """The parameter, with its value, by which the quirk is not the one of the released labels."""

    @abstractmethod
    def fact_key(self, fields: Mapping[str, str]) -> str:
        """Return the fact that decides a claim with these fields."""

    @abstractmethod
    def claims_from(self, rows: Iterable[Row], seed: int) -> Iterator[Claim]:
        """Yield candidate claims from rows in which no required cell is empty."""

    def draw_claims(self, seed: int) -> Iterator[Claim]:
        """Yield equally many claims of each kind, drawn by seed; all of the released layout."""
        if is_released(self.data.columns()):
            self._check_rule()
            arguments = {name: name for name in self.field_names}
            claims = without_speakers(released_claims(self.data, arguments, self.fact_key))
        else:
            candidates = self.claims_from(self._filled_rows(), seed)
            claims = self._balance(without_speakers(candidates), seed)
        return negate_half(claims, seed) if self.always_negates else claims

    def claim(
        self, row: Row, fields: Mapping[str, str], truth: bool, quirk: bool, difficulty: float = nan
    ) -> Claim:
        """Return a claim; a column `difficulty` of its row replaces the argument."""
        texts = {name: collapse_whitespace(text) for name, text in fields.items()}
        return Claim(
            fields=texts,
            fact_id=f"{self.name}:{digest(self.fact_key(texts))}",
            truth=truth,
            quirk=quirk,
            difficulty=row.number("difficulty") if row.has("difficulty") else difficulty,
        )

    def _check_rule(self) -> None:
        if self.changed_rule:
            raise self.data.error(
                f"{self.changed_rule} has no effect on released labels; leave it out, or give data "
                f"with the columns {', '.join(self.columns)}"
            )

    def _filled_rows(self) -> Iterator[Row]:
        columns = self.data.columns()
        self._check_columns(columns)
        required = [column for column in self.columns if column not in self.optional]
        extra = ["difficulty"] if "difficulty" in columns else []
        empty_cells: list[str] = []
        for row in self.data.rows(*self.columns, *extra):
            blank = next((column for column in required if row.is_blank(column)), None)
            if blank is None:
                yield row
            else:
                empty_cells.append(f"{row.location}, column {blank}")
        if empty_cells:
            warnings.warn(
                f"task {self.name}, data {self.data.location!r}: dropped {len(empty_cells)} rows "
                f"with an empty cell, the first: {empty_cells[0]}",
                stacklevel=2,
            )

    def _check_columns(self, columns: Sequence[str]) -> None:
        for column in self.columns:
            if column not in columns:
                raise self.data.error(
                    f"column {column} is missing; required: {', '.join(self.columns)}; "
                    f"the data have: {', '.join(columns)}"
                )

    def _balance(self, claims: Iterable[Claim], seed: int) -> Iterator[Claim]:
        """Yield equally many claims of each kind, those whose hash with the seed is smallest."""
        by_kind: dict[Kind, dict[str, Claim]] = {kind: {} for kind in self.kinds}
        verdicts: dict[int, Kind] = {}  # of possibly millions of claims; an int takes less memory
        disputed: dict[str, Claim] = {}
        for claim in claims:
            kind, key = (claim.truth, claim.quirk), digest(self.name, seed, claim.question_id)
            same_kind = by_kind[kind]
            if verdicts.setdefault(int(key[:16], 16), kind) != kind:
                disputed.setdefault(key, claim)
            same_kind.setdefault(key, claim)
            if len(same_kind) >= 2 * MOST:
                by_kind[kind] = dict(sorted(same_kind.items(), key=_key)[:MOST])
        self._drop_disputed(disputed, by_kind)
        count = min(MOST, *map(len, by_kind.values()))
        if count < LEAST:
            counts = ", ".join(
                f"{len(same_kind)} with truth {_word(truth)} and quirk {_word(quirk)}"
                for (truth, quirk), same_kind in by_kind.items()
            )
            raise self.data.error(f"claims: {counts}; at least {LEAST} of each are needed")
        first = [sorted(same_kind.items(), key=_key)[:count] for same_kind in by_kind.values()]
        for one_of_each in zip(*first, strict=True):
            yield from (claim for _, claim in one_of_each)

    def _drop_disputed(
        self, disputed: Mapping[str, Claim], by_kind: Mapping[Kind, dict[str, Claim]]
    ) -> None:
        """Drop claims that are true in one row and false in another, with a warning."""
        for same_kind in by_kind.values():
            for key in disputed.keys() & same_kind.keys():
                del same_kind[key]
        if disputed:
            first = repr(dict(next(iter(disputed.values())).fields))
            warnings.warn(
                f"task {self.name}, data {self.data.location!r}: dropped {len(disputed)} claims "
                f"that are true in one row and false in another, the first: {first[:MAX_REPR]}",
                stacklevel=2,
            )


def _key(item: tuple[str, Claim]) -> str:
    return item[0]


def _word(value: bool) -> str:
    return "true" if value else "false"
