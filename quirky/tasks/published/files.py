"""A user's files: which of a folder count, which bytes they are, and how `datasets` reads each."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from datasets import Features, Value

from quirky.hashing import hash_file
from quirky.rows import csv_header

KINDS = {".csv": "csv", ".parquet": "parquet", ".jsonl": "json", ".json": "json"}
"""What `datasets` calls the files that it reads."""
TABLES = frozenset({*KINDS, ".tsv", ".txt", ".xls", ".xlsx", ".ods", ".arrow", ".feather"})
"""How the names of files end, and those of data sets of the hub do not."""
ABOUT = frozenset({"config.json", "dataset_info.json", "dataset_infos.json", "dataset_dict.json"})
"""Files beside those of a data set, which tell of it."""


@dataclass(frozen=True)
class Reading:
    """How a file is read."""

    kind: str
    first: int
    """The number of its first row: below a header it is 2; a line of JSON has none above it."""
    options: dict[str, Any] = field(default_factory=dict)


def files_in(path: Path) -> list[Path]:
    """Return a file, or the files of a folder that hold rows, without hidden ones."""
    if path.is_file():
        return [path]
    return [
        file
        for file in sorted(path.rglob("*"))
        if file.is_file()
        and file.suffix.lower() in KINDS
        and file.name not in ABOUT
        and not any(part.startswith(".") for part in file.relative_to(path).parts)
    ]


def reading_of(file: Path) -> Reading:
    """Return how a file is read: of a CSV file every cell as the text that it is, or as nothing.

    Otherwise their types would be guessed anew every ten thousand rows, a book called 1984 would
    be a number, and an author called None would be nobody.

    Raises:
        ValueError: naming the file, and the row that is not CSV or not as wide as the header.
    """
    kind = KINDS[file.suffix.lower()]
    if kind != "csv":
        return Reading(kind, first=1 if kind == "json" else 2)
    index, names = csv_header(file)
    options = {
        "features": Features({name: Value("string") for name in names}),
        "names": names,
        "header": index - 1,
        "index_col": False,  # a first column without a name is a column too
        "keep_default_na": False,
        "na_values": [""],
        "skip_blank_lines": False,  # so that a row has the number that a spreadsheet gives it
        "encoding": "utf-8-sig",
    }
    return Reading(kind, index + 1, options)


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
