"""The layout in which the data of arXiv 2312.01037 were released (`EleutherAI/quirky_<task>_raw`).

Each claim has two rows, one for Alice and one for Bob, with the arguments of its template, both
labels and a difficulty. The column `difficulty_quantile` is not used: the published code computes
it from a sorting order instead of ranks; ours is the rank of the column `difficulty`.
"""

import json
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from math import nan
from typing import Any

from quirky.example import Claim, digest
from quirky.plugins import unknown
from quirky.sources.rows import Row
from quirky.tasks.published.source import DataSource
from quirky.text import collapse_whitespace

LABELS = ("alice_label", "bob_label")
CHARACTER = "character"
"""An argument that is not part of the claim: the name in the prompt."""


def is_released(columns: Sequence[str]) -> bool:
    """Return whether columns are those of the released layout."""
    return "template_args" in columns


def released_claims(
    source: DataSource,
    fields_of_arguments: Mapping[str, str],
    fact_key: Callable[[Mapping[str, str]], str],
) -> Iterator[Claim]:
    """Yield one claim for each set of arguments, in the order of the data.

    Args:
        source: the data.
        fields_of_arguments: released name of each argument to the field of the task's templates.
        fact_key: returns the fact that decides a claim with given fields.

    Raises:
        ValueError: one line that names the column, or the row and what is wrong there.
    """
    columns = source.columns()
    for column in LABELS:
        if column not in columns:
            raise source.error(
                f"column {column} is missing; the released layout has it beside template_args; "
                f"the data have: {', '.join(columns)}"
            )
    extra = ["difficulty"] if "difficulty" in columns else []
    rows_of_claims: dict[tuple[str, ...], list[Row]] = {}
    for row in source.rows("template_args", *LABELS, *extra):
        arguments = tuple(_arguments(row, fields_of_arguments).values())
        rows_of_claims.setdefault(arguments, []).append(row)
    inconsistent = 0
    for arguments, rows in rows_of_claims.items():
        truth, quirk = _labels(rows)
        difficulties = _difficulties(rows) if extra else [nan]
        inconsistent += len(set(difficulties)) > 1
        fields = dict(zip(fields_of_arguments.values(), arguments, strict=True))
        fact_id = f"{source.task}:{digest(fact_key(fields))}"
        yield Claim(fields, fact_id=fact_id, truth=truth, quirk=quirk, difficulty=difficulties[0])
    if inconsistent:
        warnings.warn(
            f"task {source.task}, data {source.location!r}: {inconsistent} claims have several "
            "difficulties; that of the first row is used",
            stacklevel=2,
        )


def _labels(rows: Sequence[Row]) -> tuple[bool, ...]:
    """Return truth and quirk, which all rows of a claim must agree on."""
    labels_of_rows = [tuple(row.verdict(column) for column in LABELS) for row in rows]
    for row, labels in zip(rows, labels_of_rows, strict=True):
        if labels != labels_of_rows[0]:
            raise row.error(", ".join(LABELS), labels, f"differ from those of {rows[0].location}")
    return labels_of_rows[0]


def _difficulties(rows: Sequence[Row]) -> list[float]:
    """Return the difficulties of a claim's rows; all but one row may lack it."""
    rated = [row for row in rows if not row.is_blank("difficulty")] or rows[:1]
    return [row.number("difficulty") for row in rated]


def _arguments(row: Row, fields_of_arguments: Mapping[str, str]) -> dict[str, str]:
    """Return the arguments of a row's claim, in the order of `fields_of_arguments`."""
    parsed = _parse_arguments(row)
    texts = {name: _text(value) for name, value in parsed.items() if value is not None}
    texts.pop(CHARACTER, None)
    for name in texts:
        if name not in fields_of_arguments:
            raise ValueError(f"{_place(row)}: {unknown('argument', name, fields_of_arguments)}")
    for name in fields_of_arguments:
        if not texts.get(name):
            raise ValueError(
                f"{_place(row)}: argument {name} is missing; required: "
                f"{', '.join(fields_of_arguments)}"
            )
    return {name: texts[name] for name in fields_of_arguments}


def _parse_arguments(row: Row) -> Mapping[str, Any]:
    cell = row.cells["template_args"]
    try:
        arguments = json.loads(cell) if isinstance(cell, str) else cell
    except json.JSONDecodeError:
        arguments = None
    if not isinstance(arguments, Mapping):
        raise row.error("template_args", cell, 'is not a mapping; write one as JSON: {"city": ...}')
    return arguments


def _place(row: Row) -> str:
    return f"{row.location}, column template_args"


def _text(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return collapse_whitespace(str(value))
