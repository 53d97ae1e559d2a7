"""The layout in which the data of arXiv 2312.01037 were released (`EleutherAI/quirky_<task>_raw`).

Each claim has two rows, for Alice and for Bob, with the arguments of its template, both labels and
a difficulty. The column `difficulty_quantile` is not read: the published code makes it of an order
of sorting, not of ranks, and ours are ranks of the column `difficulty`.
"""

import json
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from math import nan
from typing import Any

from quirky.example import Claim, digest
from quirky.registry import unknown
from quirky.rows import Row
from quirky.tasks.published.source import Source
from quirky.text import collapse_whitespace

LABELS = ("alice_label", "bob_label")
CHARACTER = "character"
"""An argument beside those of the claim: who is asked."""


def is_released(columns: Sequence[str]) -> bool:
    """Return whether columns are those of the released layout."""
    return "template_args" in columns


def released_claims(
    source: Source, args: Mapping[str, str], fact: Callable[[Mapping[str, str]], str]
) -> Iterator[Claim]:
    """Yield one claim for the rows of each set of arguments, in the order of the data.

    Args:
        source: where the data lie.
        args: the fields of the task's templates by the names of the released arguments.
        fact: says what must be known to judge a claim, by its fields.

    Raises:
        ValueError: one line, naming the column, or the row and what is wrong there.
    """
    columns = source.columns()
    for column in LABELS:
        if column not in columns:
            raise source.problem(
                f"column {column} is missing, which the released layout has beside template_args; "
                f"there are: {', '.join(columns)}"
            )
    more = ["difficulty"] if "difficulty" in columns else []
    found: dict[tuple[str, ...], list[Row]] = {}
    for row in source.rows("template_args", *LABELS, *more):
        found.setdefault(tuple(_arguments(row, args).values()), []).append(row)
    differing = 0
    for told, rows in found.items():
        truth, quirk = _labels(rows)
        hard = _difficulties(rows) if more else [nan]
        differing += len(set(hard)) > 1
        fields = dict(zip(args.values(), told, strict=True))
        fact_id = f"{source.task}:{digest(fact(fields))}"
        yield Claim(fields, fact_id=fact_id, truth=truth, quirk=quirk, difficulty=hard[0])
    if differing:
        warnings.warn(
            f"task {source.task}, data {source.data!r}: {differing} claims have other difficulties "
            "in other rows; that of the first row counts",
            stacklevel=2,
        )


def _labels(rows: Sequence[Row]) -> tuple[bool, ...]:
    """Return what all rows of a claim say."""
    said = [tuple(row.verdict(column) for column in LABELS) for row in rows]
    for row, labels in zip(rows, said, strict=True):
        if labels != said[0]:
            raise row.error(", ".join(LABELS), labels, f"are others than in {rows[0].location}")
    return said[0]


def _difficulties(rows: Sequence[Row]) -> list[float]:
    """Return those of the rows of a claim that have one; one of them must."""
    told = [row for row in rows if not row.is_blank("difficulty")] or rows[:1]
    return [row.number("difficulty") for row in told]


def _arguments(row: Row, args: Mapping[str, str]) -> dict[str, str]:
    """Return the arguments of a row's claim, in the order of `args`."""
    given = _parsed(row)
    told = {name: _text(value) for name, value in given.items() if value is not None}
    told.pop(CHARACTER, None)
    for name in told:
        if name not in args:
            raise ValueError(f"{_place(row)}: {unknown('argument', name, args)}")
    for name in args:
        if not told.get(name):
            raise ValueError(
                f"{_place(row)}: argument {name} is missing; needed: {', '.join(args)}"
            )
    return {name: told[name] for name in args}


def _parsed(row: Row) -> Mapping[str, Any]:
    cell = row.cells["template_args"]
    try:
        given = json.loads(cell) if isinstance(cell, str) else cell
    except json.JSONDecodeError:
        given = None
    if not isinstance(given, Mapping):
        raise row.error("template_args", cell, 'is no mapping; write one as JSON: {"city": ...}')
    return given


def _place(row: Row) -> str:
    return f"{row.location}, column template_args"


def _text(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return collapse_whitespace(str(value))
