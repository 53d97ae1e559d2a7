"""Measured difficulties of claims: a table with one row per question or fact."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from quirky.sources.rows import read_rows

KEYS = ("question_id", "fact_id")
"""Columns that identify a row; the first one that the table has is used."""


def read_difficulty(path: str | Path) -> Mapping[str, float]:
    """Return the column `difficulty` of a CSV or parquet file by `question_id`, else `fact_id`.

    Raises:
        ValueError: one line with the file, the column or row, and the fault.
    """
    path = Path(path)
    modified = path.stat().st_mtime_ns if path.is_file() else 0
    return _read(path, modified)


@lru_cache(maxsize=8)
def _read(path: Path, modified_ns: int) -> Mapping[str, float]:
    columns, rows = read_rows(path)
    key = next((key for key in KEYS if key in columns), None)
    if key is None or "difficulty" not in columns:
        missing = "difficulty" if key else " or ".join(KEYS)
        raise ValueError(
            f"{path}: column {missing} is missing; needed: difficulty and {' or '.join(KEYS)}; "
            f"the file has: {', '.join(columns)}"
        )
    difficulties: dict[str, float] = {}
    for row in rows:
        identifier = row.label(key)
        if identifier in difficulties:
            raise row.error(key, identifier, "occurs twice")
        difficulties[identifier] = row.number("difficulty")
    return difficulties
