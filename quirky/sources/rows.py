"""Rows of a CSV or parquet file with typed cells; errors name the file, the row and the column."""

import csv
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pyarrow
import pyarrow.parquet

from quirky.text import short_repr

T = TypeVar("T")

BOOLEANS = {"true": True, "false": False, "1": True, "0": False, "1.0": True, "0.0": False}
"""Values of a boolean cell; in a column with an empty cell, some writers turn 1 into 1.0."""


@dataclass(frozen=True)
class Row:
    """One row of a file, with the number that a spreadsheet or a text editor shows for it."""

    file: str
    index: int
    cells: Mapping[str, Any]

    @property
    def location(self) -> str:
        """The file and the number of the row."""
        return f"{self.file}, row {self.index}"

    def has(self, column: str) -> bool:
        """Return whether the table has the column."""
        return column in self.cells

    def is_blank(self, column: str) -> bool:
        """Return whether the cell is empty."""
        return _is_empty(self.cells[column])

    def error(self, column: str, value: object, problem: str) -> ValueError:
        """Return the error for a cell: its location, its value and the problem."""
        return ValueError(f"{self.location}, column {column}: {short_repr(value)} {problem}")

    def text(self, column: str) -> str:
        """Return a text cell.

        Raises:
            ValueError: if it is empty or not text.
        """
        value = self._non_blank(column)
        if not isinstance(value, str):
            raise self.error(column, value, "is not text")
        return value

    def label(self, column: str, empty: str | None = None) -> str:
        """Return a cell with text or a whole number, as text without surrounding white space.

        Args:
            column: name of the column.
            empty: the value of an empty cell; None refuses it.

        Raises:
            ValueError: if it is empty, or neither text nor a whole number.
        """
        if empty is not None and self.is_blank(column):
            return empty
        value = self._non_blank(column)
        if isinstance(value, float) and value.is_integer():
            value = int(value)  # a column of integers with an empty cell is read as floats
        return str(value) if isinstance(value, int) else self.text(column).strip()

    def verdict(self, column: str) -> bool:
        """Return a boolean cell.

        Raises:
            ValueError: if it is empty or not one of `BOOLEANS`.
        """
        value = self._non_blank(column)
        verdict = BOOLEANS.get(str(value).strip().lower())
        if verdict is None:
            raise self.error(column, value, "is not a boolean; write true or false (or 1 or 0)")
        return verdict

    def one_of(self, column: str, values: Mapping[str, T], empty: T | None = None) -> T:
        """Return the result that `values` has for the text or whole number in a cell.

        Args:
            column: name of the column.
            values: results by lower-case text.
            empty: the value of an empty cell; None refuses it.

        Raises:
            ValueError: if it is empty or not in `values`.
        """
        if empty is not None and self.is_blank(column):
            return empty
        label = self.label(column).lower()
        if label not in values:
            raise self.error(column, label, f"is unknown; write {', '.join(values)}")
        return values[label]

    def number(self, column: str, empty: float | None = None, least: float = -math.inf) -> float:
        """Return a finite number.

        Args:
            column: name of the column.
            empty: the value of an empty cell; None refuses it.
            least: the smallest number allowed.

        Raises:
            ValueError: if it is empty, not a finite number, or below `least`.
        """
        if empty is not None and self.is_blank(column):
            return empty
        value = self._non_blank(column)
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = math.nan
        if not math.isfinite(number):
            raise self.error(column, value, "is not a number")
        if number < least:
            raise self.error(column, value, f"is below {least:g}")
        return number

    def _non_blank(self, column: str) -> Any:
        value = self.cells[column]
        if _is_empty(value):
            raise ValueError(f"{self.location}, column {column}: the cell is empty")
        return value


def _is_empty(value: Any) -> bool:
    if isinstance(value, str):
        return not value.strip()
    return value is None or (isinstance(value, float) and math.isnan(value))


def read_rows(path: Path) -> tuple[list[str], list[Row]]:
    """Return the columns and the rows of a CSV or parquet file; rows of empty cells are dropped.

    Raises:
        ValueError: with the file, and the row if it is not CSV, if the file cannot be read.
    """
    readers = {".csv": _read_csv, ".parquet": _read_parquet}
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
    """Return the row number of a CSV file's header, and its columns; checks every row.

    Raises:
        ValueError: as `read_rows`, or if there are no rows below the header.
    """
    records = _csv_records(path)
    index, columns = next(records)
    if not sum(1 for _ in records):
        raise ValueError(f"{path}: there are no rows below the header")
    return index, columns


def _read_csv(path: Path) -> tuple[list[str], Records]:
    (_, columns), *records = _csv_records(path)
    return columns, records


def _csv_records(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the header, then the records, each with its row number and as wide as the header."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            records = _numbered(path, csv.reader(stream, strict=True))
            index, header = next(records, (0, []))
            columns = [name.strip() for name in header]
            _check_header(path, index, columns)
            yield index, columns
            for index, cells in records:
                if len(cells) != len(columns):
                    raise ValueError(
                        f"{path}, row {index}: {len(cells)} cells, the header has {len(columns)}; "
                        "put a text that contains a comma in double quotes"
                    )
                yield index, cells
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: not UTF-8 ({error.reason}); save it as `CSV UTF-8`") from None


def _check_header(path: Path, index: int, columns: list[str]) -> None:
    if not columns:
        raise ValueError(f"{path}: the file is empty")
    for separator, name in ((";", "semicolons"), ("\t", "tabs")):
        if len(columns) == 1 and separator in columns[0]:
            raise ValueError(
                f"{path}, row {index}: cells are separated by {name}; separate them by commas"
            )
    for name in columns:
        if columns.count(name) > 1:
            raise ValueError(f"{path}, row {index}: column {name} occurs twice")


def _numbered(path: Path, reader: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    """Yield the records, without blank lines, each with its row number."""
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


def _read_parquet(path: Path) -> tuple[list[str], Records]:
    try:
        table = pyarrow.parquet.read_table(path)
    except (pyarrow.ArrowException, OSError) as error:
        raise ValueError(f"{path}: not parquet: {str(error).splitlines()[0]}") from None
    columns = [column.to_pylist() for column in table.columns]
    records = [(index, list(cells)) for index, cells in enumerate(zip(*columns, strict=True), 2)]
    return list(table.column_names), records
