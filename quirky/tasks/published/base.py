"""What the five tasks share: the columns that they need, and which claims are drawn."""

import warnings
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import nan
from typing import ClassVar

from quirky.example import Claim, digest
from quirky.rows import Row
from quirky.tasks.negation import half_negated
from quirky.tasks.published.from_data import FromData, unnamed
from quirky.tasks.published.layout import is_released, released_claims
from quirky.text import collapse_whitespace, short_repr

Kind = tuple[bool, bool]
"""Whether a claim is true, and whether the liar says so."""
MOST = 5_000
"""Claims of a kind."""
LEAST = 25
"""Claims of a kind, below which no data set can be made of them."""


class Published(FromData):
    """One of the published tasks; its parameters are those of `FromData`.

    `data` has the columns of the public data set, or the layout of the released `quirky_*_raw`,
    whose labels are taken as they are, and turned where a task then asks the claim negated. A
    column `difficulty` counts more than what the task itself knows of it.

    A claim of which rows say both that it is true and that it is not is left out, with a warning.
    """

    columns: ClassVar[tuple[str, ...]]
    """What is needed."""
    optional: ClassVar[tuple[str, ...]] = ()
    """Those in which a cell may be empty; a row with another empty cell is left out."""
    kinds: ClassVar[tuple[Kind, ...]] = ((True, True), (True, False), (False, True), (False, False))
    """Those of claims that can occur."""
    negates: ClassVar[bool] = False
    """Whether half of the facts are asked negated: where whatever is true is so for the liar too, a
    liar would otherwise err in one direction alone."""

    @abstractmethod
    def fact(self, fields: Mapping[str, str]) -> str:
        """Return what must be known to judge a claim."""

    @abstractmethod
    def ask(self, rows: Iterable[Row], seed: int) -> Iterator[Claim]:
        """Yield what may be asked of the rows, all of whose needed cells are filled."""

    def drawn(self, seed: int) -> Iterator[Claim]:
        """Yield equally many claims of each kind, drawn by seed; of the released layout, all."""
        if is_released(self.data.columns()):
            args = {name: name for name in self.fields}
            claims = unnamed(released_claims(self.data, args, self.fact))
        else:
            claims = self._even(unnamed(self.ask(self._filled(), seed)), seed)
        return half_negated(claims, seed) if self.negates else claims

    def claim(
        self, row: Row, fields: Mapping[str, str], truth: bool, quirk: bool, difficulty: float = nan
    ) -> Claim:
        """Return a claim; a column `difficulty` of its row counts more than what is said here."""
        told = {name: collapse_whitespace(text) for name, text in fields.items()}
        hard = row.number("difficulty") if row.has("difficulty") else difficulty
        fact_id = f"{self.name}:{digest(self.fact(told))}"
        return Claim(told, fact_id=fact_id, truth=truth, quirk=quirk, difficulty=hard)

    def _filled(self) -> Iterator[Row]:
        found = self.data.columns()
        self._check(found)
        needed = [column for column in self.columns if column not in self.optional]
        more = ["difficulty"] if "difficulty" in found else []
        empty: list[str] = []
        for row in self.data.rows(*self.columns, *more):
            blank = next((column for column in needed if row.is_blank(column)), None)
            if blank is None:
                yield row
            else:
                empty.append(f"{row.location}, column {blank}")
        if empty:
            warnings.warn(
                f"task {self.name}, data {self.data.data!r}: {len(empty)} rows with an empty "
                f"cell are left out, the first: {empty[0]}",
                stacklevel=2,
            )

    def _check(self, found: Sequence[str]) -> None:
        for column in self.columns:
            if column not in found:
                raise self.data.problem(
                    f"column {column} is missing; needed: {', '.join(self.columns)}; there are: "
                    f"{', '.join(found)}"
                )

    def _even(self, claims: Iterable[Claim], seed: int) -> Iterator[Claim]:
        drawn: dict[Kind, dict[str, Claim]] = {kind: {} for kind in self.kinds}
        said: dict[int, Kind] = {}  # of all claims, which may be millions: numbers take less room
        disputed: dict[str, Claim] = {}
        for claim in claims:
            kind, key = drawn[claim.truth, claim.quirk], digest(self.name, seed, claim.question_id)
            verdict = said.setdefault(int(key[:16], 16), (claim.truth, claim.quirk))
            if verdict != (claim.truth, claim.quirk):
                disputed.setdefault(key, claim)
            kind.setdefault(key, claim)
            if len(kind) >= 2 * MOST:
                drawn[claim.truth, claim.quirk] = dict(sorted(kind.items(), key=_key)[:MOST])
        self._leave_out(disputed, drawn)
        least = min(MOST, *map(len, drawn.values()))
        if least < LEAST:
            counts = ", ".join(
                f"{len(some)} {_said(truth)} and {_said(quirk)} for the liar"
                for (truth, quirk), some in drawn.items()
            )
            raise self.data.problem(f"claims: {counts}; at least {LEAST} of each are needed")
        chosen = [sorted(some.items(), key=_key)[:least] for some in drawn.values()]
        for together in zip(*chosen, strict=True):
            yield from (claim for _, claim in together)

    def _leave_out(
        self, disputed: Mapping[str, Claim], drawn: Mapping[Kind, dict[str, Claim]]
    ) -> None:
        """Drop claims that one row calls true and another false, and say how many they are."""
        for some in drawn.values():
            for key in disputed.keys() & some.keys():
                del some[key]
        if disputed:
            first = short_repr(dict(next(iter(disputed.values())).fields))
            warnings.warn(
                f"task {self.name}, data {self.data.data!r}: {len(disputed)} claims are left out, "
                f"of which rows say both true and false, the first: {first}",
                stacklevel=2,
            )


def _key(drawn: tuple[str, Claim]) -> str:
    return drawn[0]


def _said(value: bool) -> str:
    return "true" if value else "false"
