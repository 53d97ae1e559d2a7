"""The entry of a task: its name, parameters, data and templates."""

from dataclasses import asdict
from inspect import signature
from pathlib import Path
from typing import Any

from pydantic import Field, PrivateAttr, field_serializer, field_validator, model_validator

from benchmarks.recipe.entries import NamedEntry, format_parameter
from benchmarks.store import content_hash
from quirky.plugins import one_line
from quirky.prompts import Template, load_templates, parse_templates
from quirky.tasks import TASKS, Task, get_task, task_class
from quirky.tasks.table import Table, read_table


class TaskEntry(NamedEntry):
    """A task with its parameters, or a user's own claims."""

    finetune: dict[str, Any] = Field(default_factory=dict)
    """Fine-tuning settings in place of the model's and the recipe's."""
    templates: tuple[Template, ...] | None = None
    """In place of the task's own: a YAML file, or the list in one."""
    data: str | None = None
    """The data of a task that reads data. Under any other name, a CSV or parquet file with a user's
    own claims; it is read once, with the recipe, so that a later edit does not change a run."""
    _table: Table | None = PrivateAttr(None)
    _file_hashes: dict[str, str] = PrivateAttr(default_factory=dict)
    """Hashes of the files that the task reads, by parameter."""

    @field_validator("templates", mode="before")
    @classmethod
    def _parse_templates(cls, value: Any) -> Any:
        if value is None:
            return None
        return load_templates(value) if isinstance(value, str | Path) else parse_templates(value)

    @field_serializer("templates")
    def _serialize_templates(
        self, templates: tuple[Template, ...] | None
    ) -> list[dict[str, Any]] | None:
        """Return templates as they are written: without `negated` if they have none."""
        if templates is None:
            return None
        entries = [asdict(template) for template in templates]
        return [{k: v for k, v in entry.items() if v is not None} for entry in entries]

    @model_validator(mode="after")
    def _read_data(self) -> "TaskEntry":
        if self.data is None or self.task_class.reads_data:
            self._file_hashes = self._hash_files()
        else:
            if self.params:
                raise ValueError(
                    f"task {self.name!r}: a table takes no parameters, but "
                    f"{', '.join(map(repr, self.params))} was given"
                )
            if self.templates:
                raise ValueError(
                    f"task {self.name!r}: templates = ...; the rows of a table bring their own "
                    "prompts; write other prompts into the table"
                )
            self._table = read_table(self.name, self.data)
        return self

    @property
    def label(self) -> str:
        """The name with its settings, and a hash of the templates if they are not the task's."""
        settings = [format_parameter(key, value) for key, value in self.settings.items()]
        parts = [self.name, *settings]
        if self.templates:
            parts.append(f"templates{content_hash(self.model_dump()['templates'])[:6]}")
        return "-".join(parts)

    @property
    def task_class(self) -> type[Task]:
        """The class of the task; `Table` if no task has this name."""
        if self._table:
            return Table
        try:
            return task_class(self.name)
        except ValueError:
            return Table

    @property
    def settings(self) -> dict[str, Any]:
        """The parameters that define the claims, without those that say where data are."""
        data_parameters = self.task_class.data_parameters
        return {key: value for key, value in self.params.items() if key not in data_parameters}

    @property
    def has_data(self) -> bool:
        """Whether its claims come from a table or a data set."""
        return self._table is not None or self.task_class.reads_data

    def is_the_same(self, other: "TaskEntry") -> bool:
        """Return whether two entries have the same claims, however their parameters are written."""
        if (self.name, self.templates) != (other.name, other.templates) or self._table:
            return False
        return self._all_parameters() == other._all_parameters()

    def _all_parameters(self) -> dict[str, tuple[str, ...]]:
        """Return every parameter, with defaults for those left out and lists sorted."""
        parameters = signature(TASKS.get(self.name)).parameters.values()
        defaults = {p.name: p.default for p in parameters if p.default is not p.empty}
        values = {**defaults, **self.params, "data": self.data}
        lists = {k: v if isinstance(v, list | tuple) else [v] for k, v in values.items()}
        return {key: tuple(sorted(map(str, items))) for key, items in lists.items()}

    def check_pinnable(self) -> None:
        """Check that the task's hub data can be pinned to a commit.

        Raises:
            ValueError: if the task has no data parameter `revision`.
        """
        if "revision" not in self.task_class.data_parameters:
            raise ValueError(
                f"task {self.name!r}: its `hub_commit` returns a commit, but `revision` is not "
                "among its `data_parameters`, so it cannot be pinned"
            )

    def content(self) -> dict[str, str]:
        """Return a hash of the content of each local file, by the field that names it."""
        return {"data": self._table.content} if self._table else self._file_hashes

    def make(self) -> Task:
        """Return the task.

        Raises:
            RuntimeError: if a file that it reads has changed since the recipe was read.
        """
        task = self._table or self._make_task()
        if not self._table and (hashes := task.local_file_hashes()) != self._file_hashes:
            raise RuntimeError(
                f"task {self.name!r}: {' and '.join(hashes)} changed while this ran; run it again"
            )
        return task.with_templates(self.templates) if self.templates else task

    def attribution(self) -> dict[str, str]:
        """Return source and licence of the claims, if the task states them.

        Empty if the data of the task no longer exist: a missing file must not lose an adapter.
        """
        try:
            task = self._table or self._make_task()
        except ValueError:
            return {}
        credits = {"source": task.source, "licence": task.licence}
        return {f"{name} of the claims": text for name, text in credits.items() if text}

    def _hash_files(self) -> dict[str, str]:
        """Return a hash of each file that the task reads.

        Empty if the task cannot be made: the recipe reports why when it makes the task.
        """
        try:
            return self._make_task().local_file_hashes()
        except ValueError:
            if self.task_class.reads_data:
                raise
            return {}
        except OSError as error:
            raise ValueError(f"task {self.name!r}: {one_line(error)}") from error

    def _make_task(self) -> Task:
        data = {"data": self.data} if self.data is not None else {}
        return get_task(self.name, **self.params, **data)
