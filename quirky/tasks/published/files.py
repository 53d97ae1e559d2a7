"""A user's data files: which files of a folder hold rows, how `datasets` reads them, their hash."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from datasets import Features, Value

from quirky.sources.hashing import hash_file
from quirky.sources.rows import csv_header

KINDS = {".csv": "csv", ".parquet": "parquet", ".jsonl": "json", ".json": "json"}
"""The file extensions that can be read, and what `datasets` calls their formats."""
TABLES = frozenset({*KINDS, ".tsv", ".txt", ".xls", ".xlsx", ".ods", ".arrow", ".feather"})
"""Extensions of data files; the id of a data set on the hub ends in none of them."""
_METADATA = frozenset(
    {"config.json", "dataset_info.json", "dataset_infos.json", "dataset_dict.json"}
)
"""Files that describe a data set and hold no rows."""


@dataclass(frozen=True)
class ReadOptions:
    """How `datasets` reads a file.

    Attributes:
        kind: the format, as `datasets` calls it.
        first: the number of the first row: 2 below a header, 1 in a file of JSON lines.
        options: further arguments of `datasets.load_dataset`.
    """

    kind: str
    first: int
    options: dict[str, Any] = field(default_factory=dict)


def files_in(path: Path) -> list[Path]:
    """Return the files that hold rows: the file itself, or those of a folder that are not hidden.

    Those of a folder are sorted and include subfolders.
    """
    if path.is_file():
        return [path]
    return [
        file
        for file in sorted(path.rglob("*"))
        if file.is_file()
        and file.suffix.lower() in KINDS
        and file.name not in _METADATA
        and not any(part.startswith(".") for part in file.relative_to(path).parts)
    ]


def read_options(file: Path) -> ReadOptions:
    """Return how to read a file; every cell of a CSV file is read as text, or as missing if empty.

    If types were inferred, they could change every ten thousand rows: a book called 1984 would
    become a number, and an author called None a missing value.

    Raises:
        ValueError: naming the file, and the row that is not CSV or not as wide as the header.
    """
    kind = KINDS[file.suffix.lower()]
    if kind != "csv":
        return ReadOptions(kind, first=1 if kind == "json" else 2)
    index, names = csv_header(file)
    options = {
        "features": Features({name: Value("string") for name in names}),
        "names": names,
        "header": index - 1,
        "index_col": False,  # a first column without a name is a column too
        "keep_default_na": False,
        "na_values": [""],
        "skip_blank_lines": False,  # so that rows have the numbers that a spreadsheet shows
        "encoding": "utf-8-sig",
    }
    return ReadOptions(kind, index + 1, options)


def hash_data(path: Path) -> str:
    """Return 32 hexadecimal digits of the sha256 of a file, or of the files of a folder.

    That of a folder covers the names and the bytes of the files that hold rows.
    """
    if path.is_file():
        return hash_file(path)[:32]
    lines = [
        f"{file.relative_to(path).as_posix()} {hash_file(file)[:32]}" for file in files_in(path)
    ]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:32]
