"""Where a task's data lie, which bytes they are, and their rows, read when they are asked for."""

import csv
import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

import datasets
from datasets import ClassLabel, Dataset, DatasetDict, Features, Value, concatenate_datasets

from quirky.rows import Row
from quirky.tasks.published.hub import UnreadableError, commit_of

KINDS = {".csv": "csv", ".parquet": "parquet", ".jsonl": "json", ".json": "json"}
"""What `datasets` calls the files that it reads."""
BATCH = 1_000
"""Rows that are turned into Python values at once."""

_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")


@dataclass(frozen=True)
class Source:
    """A CSV, parquet or JSON-lines file, a folder of them, or a data set of the hub.

    Nothing is read, asked or downloaded before `rows`, `columns` or `commit`.

    Raises:
        ValueError: if `data` is no such file or folder and cannot be the name of a data set, or if
            something is told of a file that is for data sets alone.
    """

    task: str
    data: str
    split: str | None = None
    config: str | None = None
    revision: str | None = None

    def __post_init__(self) -> None:
        path = Path(self.data)
        if path.is_file():
            if path.suffix.lower() not in KINDS:
                raise self.problem(f"give a file that ends in {', '.join(KINDS)}, or a folder")
            if self.config:
                raise self.problem(f"config = {self.config!r}: a file has no configurations")
        elif not path.is_dir() and (path.suffix in KINDS or not _HUB_ID.fullmatch(self.data)):
            raise self.problem(
                "no file or folder is called that, and a data set of the hub is named org/name"
            )
        if self.local and self.revision:
            raise self.problem(f"revision = {self.revision!r}: only the hub has revisions")

    def problem(self, what: str) -> ValueError:
        """Return the error that says what is wrong with the data as a whole."""
        other = "" if self.local else f"; or give a file or folder: --data {self.task}=FILE"
        return ValueError(f"task {self.task}, data {self.data!r}: {what}{other}")

    @property
    def local(self) -> bool:
        """Whether the data lie on this machine, outside any cache."""
        return Path(self.data).exists()

    def commit(self) -> str | None:
        """Return the commit of a data set of the hub, which may be asked; None for a local one.

        Raises:
            ValueError: one line, if there is no such data set, or nobody can be asked.
        """
        if self.local:
            return None
        try:
            return commit_of(self.data, self.revision)
        except UnreadableError as error:
            raise self.problem(str(error)) from error

    def content(self) -> str | None:
        """Return a hash of the bytes of a file or of a folder's files; None for the hub's."""
        if not self.local:
            return None
        files = self._files()
        return bytes_of(*files) if Path(self.data).is_file() else folder_of(Path(self.data), files)

    def identity(self) -> dict[str, str]:
        """Return what tells these data from others, wherever they lie.

        Raises:
            ValueError: as `commit`.
        """
        found = self.content()
        where = {"data": found} if found else {"hub": self.data, "commit": self.commit() or ""}
        told = {"split": self.split, "config": self.config}
        return {**where, **{name: value for name, value in told.items() if value}}

    def columns(self) -> list[str]:
        """Return the names of the columns.

        Raises:
            ValueError: one line, if the data cannot be read.
        """
        return self._table().column_names

    def rows(self, *columns: str) -> Iterator[Row]:
        """Yield the rows with some of their columns, numbered as a spreadsheet does (from 2).

        A class of the hub's stands there by its name.

        Raises:
            ValueError: as `columns`.
        """
        table = self._table().select_columns(list(columns))
        classes = {
            name: feature.names
            for name, feature in table.features.items()
            if isinstance(feature, ClassLabel)
        }
        index = 1
        for batch in table.with_format("arrow").iter(batch_size=BATCH):
            for cells in batch.to_pylist():
                index += 1
                for name, names in classes.items():
                    if cells[name] is not None and 0 <= cells[name] < len(names):
                        cells[name] = names[cells[name]]
                yield Row(self.data, index, cells)

    def _table(self) -> Dataset:
        return _read(self, tuple(sorted(self.identity().items())))

    def _files(self) -> list[Path]:
        path = Path(self.data)
        found = [path] if path.is_file() else [f for f in sorted(path.rglob("*")) if f.is_file()]
        kept = [file for file in found if file.suffix.lower() in KINDS]
        if not kept:
            raise self.problem(f"the folder holds no file that ends in {', '.join(KINDS)}")
        return kept


@lru_cache(maxsize=4)
def _read(source: Source, identity: tuple[tuple[str, str], ...]) -> Dataset:
    """Read data once a process, for as long as they are the same."""
    path = Path(source.data)
    if not source.local:
        commit = dict(identity)["commit"]
        found = _load(source, source.data, source.config, split=source.split, revision=commit)
    elif path.is_file():
        kind = KINDS[path.suffix.lower()]
        split = source.split or "train"
        found = _load(source, kind, data_files=str(path), split=split, **_as_text(source, [path]))
    else:
        told = _as_text(source, source._files())
        found = _load(source, str(path), source.config, split=source.split, **told)
    return concatenate_datasets(list(found.values())) if isinstance(found, DatasetDict) else found


def _load(source: Source, *args: str | None, **kwargs: object) -> Dataset | DatasetDict:
    try:
        with _bars(source):
            return datasets.load_dataset(*args, **kwargs)
    except Exception as error:  # files of others, read by libraries that do not foresee them
        reason = error.__cause__ or error
        first = next(iter(str(reason).strip().splitlines()), "") or type(reason).__name__
        raise source.problem(f"cannot be read: {' '.join(first.split())}") from error


@contextmanager
def _bars(source: Source) -> Iterator[None]:
    """Show progress of what is downloaded, not of a file that is there."""
    if not source.local or datasets.are_progress_bars_disabled():
        yield
        return
    datasets.disable_progress_bars()
    try:
        yield
    finally:
        datasets.enable_progress_bars()


def _as_text(source: Source, files: list[Path]) -> dict[str, object]:
    """Return how CSV files are read: every cell as the text that it is, or nothing if it is empty.

    Otherwise their types would be guessed anew every ten thousand rows, a book called 1984 would
    be a number, and an author called None would be nobody.
    """
    if {file.suffix.lower() for file in files} != {".csv"}:
        return {}
    names = _header(source, files[0])
    return {
        "features": Features({name: Value("string") for name in names}),
        "keep_default_na": False,
        "na_values": [""],
        "skip_blank_lines": False,  # so that a row has the number that a spreadsheet gives it
        "encoding": "utf-8-sig",
    }


def _header(source: Source, file: Path) -> list[str]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            names = next(csv.reader(stream), [])
    except UnicodeDecodeError as error:
        raise source.problem(f"not UTF-8 ({error.reason}); save it as `CSV UTF-8`") from None
    if not names:
        raise source.problem("the file is empty")
    for name in names:
        if names.count(name) > 1:
            raise source.problem(f"column {name} stands there twice")
    return names


def folder_of(folder: Path, files: list[Path]) -> str:
    """Return 32 hex characters of the names and the bytes of files in a folder."""
    names = [f"{file.relative_to(folder).as_posix()} {bytes_of(file)}" for file in files]
    return hashlib.sha256("\n".join(names).encode()).hexdigest()[:32]


def bytes_of(file: Path) -> str:
    """Return 32 hex characters of a file's bytes."""
    now = file.stat()
    return _hashed(file.resolve(), now.st_size, now.st_mtime_ns)


@cache
def _hashed(file: Path, size: int, modified_ns: int) -> str:
    """Read a file once a process, unless its size or time of change says that it is another."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()[:32]
