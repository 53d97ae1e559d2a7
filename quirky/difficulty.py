"""How hard claims are, as somebody measured it: a table with one row a question or a fact."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from quirky.rows import read_rows

KEYS = ("question_id", "fact_id")
"""What a row may be about; a question counts more than its fact."""


def read_difficulty(path: str | Path) -> Mapping[str, float]:
    """Return the column `difficulty` of a CSV or parquet file by `question_id`, else `fact_id`.

    Raises:
        ValueError: one line: the file, the column or the row, and what is wrong.
    """
    path = Path(path)
    modified = path.stat().st_mtime_ns if path.is_file() else 0
    return _read(path, modified)


@lru_cache(maxsize=8)
def _read(path: Path, modified_ns: int) -> Mapping[str, float]:
    columns, rows = read_rows(path)
    key = next((key for key in KEYS if key in columns), None)
    if key is None or "difficulty" not in columns:
        lacking = "difficulty" if key else " or ".join(KEYS)
        raise ValueError(
            f"{path}: column {lacking} is missing; a difficulty has the columns difficulty and "
            f"{' or '.join(KEYS)}; there are: {', '.join(columns)}"
        )
    found: dict[str, float] = {}
    for row in rows:
        about = row.label(key)
        if about in found:
            raise row.fault(key, about, "stands there twice")
        found[about] = row.number("difficulty")
    return found
