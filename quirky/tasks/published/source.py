"""Where a task's data lie, which bytes they are, and their rows, read when they are asked for."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import datasets
from datasets import ClassLabel, Dataset, DatasetDict, concatenate_datasets

from quirky.hub import HubError
from quirky.rows import Row
from quirky.tasks.published.files import KINDS, TABLES, files_in, hash_data, read_options
from quirky.tasks.published.hub import resolve_commit

BATCH = 1_000
"""Rows that are turned into Python values at once."""

_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")


@dataclass(frozen=True)
class Part:
    """Rows that are numbered together: of a file, or of what `datasets` made of a data set."""

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
class Source:
    """A CSV, parquet or JSON-lines file, a folder of them, or a data set of the hub.

    Of a folder all files are read, whatever their names, unless a split or a configuration is
    asked for.

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
        elif not path.is_dir() and (
            path.suffix.lower() in TABLES or not _HUB_ID.fullmatch(self.data)
        ):
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
            return resolve_commit(self.data, self.revision)
        except HubError as error:
            raise self.problem(str(error)) from error

    def content(self) -> str | None:
        """Return a hash of the bytes of a file or of a folder's files; None for the hub's."""
        if not self.local:
            return None
        if not files_in(Path(self.data)):
            raise self.problem(f"the folder holds no file that ends in {', '.join(KINDS)}")
        return hash_data(Path(self.data))

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
        return list(self._parts()[0].table.column_names)

    def rows(self, *columns: str) -> Iterator[Row]:
        """Yield the rows with some of their columns, each with its file and its number there.

        A class of the hub's stands there by its name.

        Raises:
            ValueError: as `columns`.
        """
        for part in self._parts():
            yield from part.rows(columns)

    def _parts(self) -> tuple[Part, ...]:
        return _read(self, tuple(sorted(self.identity().items())))


@lru_cache(maxsize=4)
def _read(source: Source, identity: tuple[tuple[str, str], ...]) -> tuple[Part, ...]:
    """Read data once a process, for as long as they are the same."""
    path = Path(source.data)
    if not source.local:
        commit = dict(identity)["commit"]
        table = _load(source, source.data, source.config, split=source.split, revision=commit)
        parts = [Part(source.data, 2, table)]
    elif path.is_dir() and (source.split or source.config):
        parts = [_split_of_folder(source, path)]
    else:
        parts = [_part(source, file) for file in files_in(path)]
    for part in parts:
        _check_alike(part, parts[0])
    if not any(len(part.table) for part in parts):
        raise source.problem("there are no rows")
    return tuple(parts)


def _part(source: Source, file: Path) -> Part:
    how = read_options(file)
    given = {"data_files": str(file), "split": source.split or "train", **how.options}
    return Part(str(file), how.first, _load(source, how.kind, **given))


def _split_of_folder(source: Source, folder: Path) -> Part:
    """Let `datasets` take files for splits, by their names or by what the folder's card says."""
    first, *others = [(file, read_options(file)) for file in files_in(folder)]
    for file, how in others:
        if (how.kind, how.options) != (first[1].kind, first[1].options):
            raise ValueError(
                f"{file}: not the same kind of file, or not the same columns in the same order, as "
                f"{first[0]}, which split and config need"
            )
    return Part(
        source.data,
        first[1].first,
        _load(source, str(folder), source.config, split=source.split, **first[1].options),
    )


def _check_alike(part: Part, first: Part) -> None:
    found, expected = part.table.column_names, first.table.column_names
    if set(found) != set(expected):
        raise ValueError(
            f"{part.file}: the columns are {', '.join(found)}; those of {first.file} are "
            f"{', '.join(expected)}"
        )


def _load(source: Source, *args: str | None, **kwargs: object) -> Dataset:
    try:
        with _quiet(source):
            found = datasets.load_dataset(*args, **kwargs)
    except Exception as error:  # files of others, read by libraries that do not foresee them
        reason = error.__cause__ or error
        first = next(iter(str(reason).strip().splitlines()), "") or type(reason).__name__
        file = Path(str(kwargs.get("data_files", source.data)))
        which = f"{file.name} " if file != Path(source.data) else ""
        raise source.problem(f"{which}cannot be read: {' '.join(first.split())}") from error
    return concatenate_datasets(list(found.values())) if isinstance(found, DatasetDict) else found


@contextmanager
def _quiet(source: Source) -> Iterator[None]:
    """Show progress of what is downloaded; of a file that is there, tell errors once."""
    if not source.local:
        yield
        return
    bars, told = not datasets.are_progress_bars_disabled(), datasets.logging.get_verbosity()
    datasets.disable_progress_bars()
    datasets.logging.set_verbosity(datasets.logging.CRITICAL)
    try:
        yield
    finally:
        datasets.logging.set_verbosity(told)
        if bars:
            datasets.enable_progress_bars()
