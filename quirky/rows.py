"""The rows of a CSV or parquet file, and how a cell is read; what is wrong is told by its place."""

import csv
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pyarrow
import pyarrow.parquet

T = TypeVar("T")

VERDICTS = {"true": True, "false": False, "1": True, "0": False, "1.0": True, "0.0": False}
"""Where a cell of a column is empty, others write whole numbers with a point."""
SHOWN = 60
"""Characters of a value that an error repeats."""


@dataclass(frozen=True)
class Row:
    """One row, numbered as its file does: a spreadsheet's header is row 1."""

    file: str
    index: int
    cells: Mapping[str, Any]

    @property
    def place(self) -> str:
        """Which row it is; no other has the same place."""
        return f"{self.file}, row {self.index}"

    def has(self, column: str) -> bool:
        """Return whether the table has the column."""
        return column in self.cells

    def blank(self, column: str) -> bool:
        """Return whether the cell is empty."""
        return _is_empty(self.cells[column])

    def fault(self, column: str, value: object, what: str) -> ValueError:
        """Return the error that says what is wrong with a cell, and where it is."""
        shown = repr(value)
        shown = shown if len(shown) <= SHOWN else f"{shown[:SHOWN]}..."
        return ValueError(f"{self.place}, column {column}: {shown} {what}")

    def text(self, column: str) -> str:
        """Return a cell that must be text.

        Raises:
            ValueError: if it is empty or something else.
        """
        value = self._filled(column)
        if not isinstance(value, str):
            raise self.fault(column, value, "is not text")
        return value

    def label(self, column: str, empty: str | None = None) -> str:
        """Return a cell that is a text or a whole number, as text without space around it.

        `empty` is what an empty cell stands for, where it may be.

        Raises:
            ValueError: if it is empty or something else.
        """
        if empty is not None and self.blank(column):
            return empty
        value = self._filled(column)
        if isinstance(value, float) and value.is_integer():  # beside an empty cell
            value = int(value)
        return str(value) if isinstance(value, int) else self.text(column).strip()

    def verdict(self, column: str) -> bool:
        """Return a cell that says yes or no.

        Raises:
            ValueError: if it is neither true nor false.
        """
        value = self._filled(column)
        said = VERDICTS.get(str(value).strip().lower())
        if said is None:
            raise self.fault(column, value, "is neither; write true or false (or 1 or 0)")
        return said

    def one_of(self, column: str, known: Mapping[str, T], empty: T | None = None) -> T:
        """Return what the cell's text stands for in `known`; whole numbers count as text.

        `empty` is what an empty cell stands for, where it may be.

        Raises:
            ValueError: if it is empty or stands for nothing.
        """
        if empty is not None and self.blank(column):
            return empty
        said = self.label(column).lower()
        if said not in known:
            raise self.fault(column, said, f"is unknown here; write {', '.join(known)}")
        return known[said]

    def number(self, column: str, empty: float | None = None, least: float = -math.inf) -> float:
        """Return a cell that is a finite number; `empty` is what an empty one stands for.

        Raises:
            ValueError: if it is not, or is below the least.
        """
        if empty is not None and self.blank(column):
            return empty
        value = self._filled(column)
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = math.nan
        if not math.isfinite(number):
            raise self.fault(column, value, "is not a number")
        if number < least:
            raise self.fault(column, value, f"is below {least:g}")
        return number

    def _filled(self, column: str) -> Any:
        value = self.cells[column]
        if _is_empty(value):
            raise ValueError(f"{self.place}, column {column}: the cell is empty")
        return value


def squashed(text: str) -> str:
    """Return a text in one line, without double spaces."""
    return " ".join(text.split())


def _is_empty(value: Any) -> bool:
    if isinstance(value, str):
        return not value.strip()
    return value is None or (isinstance(value, float) and math.isnan(value))


def read_rows(path: Path) -> tuple[list[str], list[Row]]:
    """Return the columns and the rows of a CSV or parquet file; rows without any cell are left out.

    Raises:
        ValueError: naming the file, and the row that is not CSV, if it cannot be read.
    """
    readers = {".csv": _csv, ".parquet": _parquet}
    if path.suffix.lower() not in readers:
        raise ValueError(f"{path}: give a file that ends in .csv or .parquet")
    if not path.is_file():
        raise ValueError(f"{path}: there is no such file")
    columns, records = readers[path.suffix.lower()](path)
    rows = [
        Row(str(path), index, dict(zip(columns, cells, strict=True)))
        for index, cells in records
        if not all(_is_empty(cell) for cell in cells)
    ]
    return columns, rows


Records = list[tuple[int, list[Any]]]


def csv_header(path: Path) -> tuple[int, list[str]]:
    """Return the number of a CSV file's first row and its columns; every row has been checked.

    Raises:
        ValueError: as `read_rows`, or if there is nothing but a header.
    """
    records = _checked(path)
    index, columns = next(records)
    if not sum(1 for _ in records):
        raise ValueError(f"{path}: there are no rows below the header")
    return index, columns


def _csv(path: Path) -> tuple[list[str], Records]:
    (_, columns), *records = _checked(path)
    return columns, records


def _checked(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the columns, then the records, each as wide as the header and with its number."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            lines = _numbered(path, csv.reader(stream, strict=True))
            index, header = next(lines, (0, []))
            columns = [name.strip() for name in header]
            _check_header(path, index, columns)
            yield index, columns
            for index, cells in lines:
                if len(cells) != len(columns):
                    raise ValueError(
                        f"{path}, row {index}: {len(cells)} cells, the header has {len(columns)}; "
                        "put a text that holds a comma in double quotes"
                    )
                yield index, cells
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: not UTF-8 ({error.reason}); save it as `CSV UTF-8`") from None


def _check_header(path: Path, index: int, columns: list[str]) -> None:
    if not columns:
        raise ValueError(f"{path}: the file is empty")
    for mark, name in ((";", "semicolons"), ("\t", "tabs")):
        if len(columns) == 1 and mark in columns[0]:
            raise ValueError(
                f"{path}, row {index}: cells are parted by {name}; part them by commas"
            )
    for name in columns:
        if columns.count(name) > 1:
            raise ValueError(f"{path}, row {index}: column {name} stands there twice")


def _numbered(path: Path, reader: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    """Yield the records that are not blank lines, each with its number."""
    index = 0
    while True:
        index += 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise ValueError(f"{path}, row {index}: not CSV: {error}") from None
        if cells is None:
            return
        if cells:
            yield index, cells


def _parquet(path: Path) -> tuple[list[str], Records]:
    try:
        table = pyarrow.parquet.read_table(path)
    except (pyarrow.ArrowException, OSError) as error:
        raise ValueError(f"{path}: not parquet: {str(error).splitlines()[0]}") from None
    columns = [column.to_pylist() for column in table.columns]
    records = [(index, list(cells)) for index, cells in enumerate(zip(*columns, strict=True), 2)]
    return list(table.column_names), records
