"""A data set as a source of rows: where it is, what identifies it, and its rows."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import datasets
from datasets import ClassLabel, Dataset, DatasetDict, concatenate_datasets

from quirky.sources.hub import HubError
from quirky.sources.rows import Row
from quirky.tasks.published.files import KINDS, TABLES, files_in, hash_data, read_options
from quirky.tasks.published.hub import resolve_commit

BATCH = 1_000
"""Rows converted to Python values at once."""

_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")


@dataclass(frozen=True)
class Part:
    """Rows with consecutive numbers: of a file, or of a data set that `datasets` loaded."""

    file: str
    first: int
    """The number of the first row."""
    table: Dataset

    def rows(self, columns: Sequence[str]) -> Iterator[Row]:
        """Yield the rows with some of their columns."""
        table = self.table.select_columns(list(columns))
        classes = {
            name: feature.names
            for name, feature in table.features.items()
            if isinstance(feature, ClassLabel)
        }
        index = self.first
        for batch in table.with_format("arrow").iter(batch_size=BATCH):
            for cells in batch.to_pylist():
                for name, names in classes.items():
                    if cells[name] is not None and 0 <= cells[name] < len(names):
                        cells[name] = names[cells[name]]
                yield Row(self.file, index, cells)
                index += 1


@dataclass(frozen=True)
class DataSource:
    """A CSV, parquet or JSON-lines file, a folder of such files, or a data set of the hub.

    All files of a folder are read, whatever their names, unless `split` or `config` is set. Nothing
    is read or downloaded, and the hub is not contacted, before `rows`, `columns` or `commit`.

    Raises:
        ValueError: if `location` is neither an existing file or folder nor a valid id of a data
            set, or if a setting does not apply to a file.
    """

    task: str
    """The task that reads the data; named in errors."""
    location: str
    """Path of a file or folder, or id of a data set of the hub."""
    split: str | None = None
    config: str | None = None
    revision: str | None = None
    """Branch, tag or commit of a data set of the hub."""

    def __post_init__(self) -> None:
        path = Path(self.location)
        if path.is_file():
            if path.suffix.lower() not in KINDS:
                raise self.error(f"give a file that ends in {', '.join(KINDS)}, or a folder")
            if self.config:
                raise self.error(f"config = {self.config!r}: a file has no configurations")
        elif not path.is_dir() and (
            path.suffix.lower() in TABLES or not _HUB_ID.fullmatch(self.location)
        ):
            raise self.error(
                "no such file or folder, and not the id of a hub data set, which is org/name"
            )
        if self.is_local and self.revision:
            raise self.error(f"revision = {self.revision!r}: only the hub has revisions")

    def error(self, problem: str) -> ValueError:
        """Return an error about the data as a whole."""
        other = "" if self.is_local else f"; or give a file or folder: --data {self.task}=FILE"
        return ValueError(f"task {self.task}, data {self.location!r}: {problem}{other}")

    @property
    def is_local(self) -> bool:
        """Whether the data are a file or folder on this machine."""
        return Path(self.location).exists()

    def commit(self) -> str | None:
        """Return the commit of a data set of the hub; None if the data are local.

        Raises:
            ValueError: one line, if the commit cannot be resolved.
        """
        if self.is_local:
            return None
        try:
            return resolve_commit(self.location, self.revision)
        except HubError as error:
            raise self.error(str(error)) from error

    def content_hash(self) -> str | None:
        """Return a hash of the bytes of a file or of a folder's files; None for the hub."""
        if not self.is_local:
            return None
        if not files_in(Path(self.location)):
            raise self.error(f"the folder holds no file that ends in {', '.join(KINDS)}")
        return hash_data(Path(self.location))

    def identity(self) -> dict[str, str]:
        """Return what distinguishes these data from others; the path is not part of it.

        Raises:
            ValueError: as `commit`.
        """
        content = self.content_hash()
        version = (
            {"data": content} if content else {"hub": self.location, "commit": self.commit() or ""}
        )
        part = {"split": self.split, "config": self.config}
        return {**version, **{name: value for name, value in part.items() if value}}

    def columns(self) -> list[str]:
        """Return the names of the columns.

        Raises:
            ValueError: one line, if the data cannot be read.
        """
        return list(self._parts()[0].table.column_names)

    def rows(self, *columns: str) -> Iterator[Row]:
        """Yield the rows with these columns, each with its file and its number in the file.

        A class label of the hub is given by its name.

        Raises:
            ValueError: as `columns`.
        """
        for part in self._parts():
            yield from part.rows(columns)

    def _parts(self) -> tuple[Part, ...]:
        return _read(self, tuple(sorted(self.identity().items())))


@lru_cache(maxsize=4)
def _read(source: DataSource, identity: tuple[tuple[str, str], ...]) -> tuple[Part, ...]:
    """Load the data, once a process as long as their identity is the same."""
    path = Path(source.location)
    if not source.is_local:
        commit = dict(identity)["commit"]
        table = _load(source, source.location, source.config, split=source.split, revision=commit)
        parts = [Part(source.location, 2, table)]
    elif path.is_dir() and (source.split or source.config):
        parts = [_split_of_folder(source, path)]
    else:
        parts = [_part(source, file) for file in files_in(path)]
    for part in parts:
        _check_columns(part, parts[0])
    if not any(len(part.table) for part in parts):
        raise source.error("there are no rows")
    return tuple(parts)


def _part(source: DataSource, file: Path) -> Part:
    options = read_options(file)
    arguments = {"data_files": str(file), "split": source.split or "train", **options.options}
    return Part(str(file), options.first, _load(source, options.kind, **arguments))


def _split_of_folder(source: DataSource, folder: Path) -> Part:
    """Let `datasets` assign files to splits, by their names or by the folder's card."""
    (first_file, first), *others = [(file, read_options(file)) for file in files_in(folder)]
    for file, options in others:
        if (options.kind, options.options) != (first.kind, first.options):
            raise ValueError(
                f"{file}: not the same kind of file, or not the same columns in the same order, as "
                f"{first_file}, which split and config need"
            )
    table = _load(source, str(folder), source.config, split=source.split, **first.options)
    return Part(source.location, first.first, table)


def _check_columns(part: Part, first: Part) -> None:
    columns, expected = part.table.column_names, first.table.column_names
    if set(columns) != set(expected):
        raise ValueError(
            f"{part.file}: the columns are {', '.join(columns)}; those of {first.file} are "
            f"{', '.join(expected)}"
        )


def _load(source: DataSource, *args: str | None, **kwargs: object) -> Dataset:
    try:
        with _quiet(source):
            loaded = datasets.load_dataset(*args, **kwargs)
    except Exception as error:  # libraries raise anything on a file that they cannot read
        reason = error.__cause__ or error
        first = next(iter(str(reason).strip().splitlines()), "") or type(reason).__name__
        file = Path(str(kwargs.get("data_files", source.location)))
        name = f"{file.name} " if file != Path(source.location) else ""
        raise source.error(f"{name}cannot be read: {' '.join(first.split())}") from error
    if isinstance(loaded, DatasetDict):
        return concatenate_datasets(list(loaded.values()))
    return loaded


@contextmanager
def _quiet(source: DataSource) -> Iterator[None]:
    """Hide progress and log messages of local files; keep the progress of downloads."""
    if not source.is_local:
        yield
        return
    shows_progress = not datasets.are_progress_bars_disabled()
    verbosity = datasets.logging.get_verbosity()
    datasets.disable_progress_bars()
    datasets.logging.set_verbosity(datasets.logging.CRITICAL)
    try:
        yield
    finally:
        datasets.logging.set_verbosity(verbosity)
        if shows_progress:
            datasets.enable_progress_bars()
