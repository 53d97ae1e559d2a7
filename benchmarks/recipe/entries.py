"""The entries of a recipe: a model, a task, a probe, and what is kept of states."""

from dataclasses import asdict
from inspect import signature
from pathlib import Path
from typing import Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    field_serializer,
    field_validator,
    model_validator,
)

from benchmarks.store.artefacts import content_hash
from finetune.models.placement import Bits, DeviceMap
from finetune.reading.recurrent import Projection
from probes import Probe, get_probe
from probes.registry import probe_class
from quirky.prompts import Template, load_templates, parse_templates
from quirky.tasks import TASKS, Task, get_task, task_class
from quirky.tasks.table import Table, read_table

Precision = Literal["float32", "bfloat16", "float16"]


class Strict(BaseModel):
    """Immutable; an unknown field is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


def _shown(value: object) -> str:
    """Return a parameter's value as it stands in a label."""
    return "_".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


class Named(BaseModel):
    """An entry of a list: a name, or a mapping with a name and parameters."""

    model_config = ConfigDict(extra="allow", frozen=True, populate_by_name=True)
    name: str

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value

    @property
    def params(self) -> dict[str, Any]:
        """The parameters besides the name."""
        return dict(self.model_extra or {})

    @property
    def label(self) -> str:
        """The name with its parameters, fit for a file name."""
        return "-".join([self.name, *(f"{key}{_shown(v)}" for key, v in self.params.items())])


class ModelSpec(Named):
    """A base model, with fine-tuning settings that differ from the recipe's; or a quirky one.

    With an `adapter` (folder or hub id), or `quirky: true`, the model is quirky already: nothing is
    fine-tuned, and no setting of `finetune` counts for it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    finetune: dict[str, Any] = Field(default_factory=dict)
    revision: str | None = None
    dtype: Precision | None = None
    """Of this model, in place of the recipe's."""
    device_map: DeviceMap | None = None
    """`auto` spreads the blocks over all devices that are there."""
    quantise: Bits | None = None
    """Bits in which the linear layers are held; fine-tuning is QLoRA then."""
    adapter: str | None = None
    quirky: bool = False

    @field_validator("name", "adapter", mode="before")
    @classmethod
    def _path_as_text(cls, value: Any) -> Any:
        return str(value) if isinstance(value, Path) else value

    @model_validator(mode="after")
    def _one_way(self) -> "ModelSpec":
        if self.quirky and self.adapter is not None:
            raise ValueError(f"{self.name!r} is quirky by itself or by an adapter, not both")
        return self

    @property
    def already_quirky(self) -> bool:
        """Whether the model is quirky without fine-tuning."""
        return self.quirky or self.adapter is not None

    @property
    def label(self) -> str:
        """The name in the results: the base's, with the adapter's where one was given."""
        return self.name if self.adapter is None else f"{self.name}+{self.adapter.rstrip('/')}"


class TaskSpec(Named):
    """A task, its parameters, and fine-tuning settings that differ from the recipe's.

    `templates`, a YAML file or the list that stands in one, take the place of the task's own.
    """

    finetune: dict[str, Any] = Field(default_factory=dict)
    templates: tuple[Template, ...] | None = None
    data: str | None = None
    """For a task that reads data, where they lie; under any other name the CSV or parquet file that
    holds a user's own claims, which is read once, here: a file that is edited while a run goes on
    changes nothing in it."""
    _table: Table | None = PrivateAttr(None)
    _files: dict[str, str] = PrivateAttr(default_factory=dict)
    """Of a task that reads data, the hashes of its files."""

    @field_validator("templates", mode="before")
    @classmethod
    def _read(cls, value: Any) -> Any:
        if value is None:
            return None
        return load_templates(value) if isinstance(value, str | Path) else parse_templates(value)

    @field_serializer("templates")
    def _told(self, templates: tuple[Template, ...] | None) -> list[dict[str, Any]] | None:
        """As they are written: those that negate nothing have no `negated`."""
        if templates is None:
            return None
        told = [asdict(template) for template in templates]
        return [{k: v for k, v in entry.items() if v is not None} for entry in told]

    @model_validator(mode="after")
    def _read_data(self) -> "TaskSpec":
        if self.task_class.reads_data:
            self._files = self._read_task().local_file_hashes()
        elif self.data is not None:
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
        """As of any entry; other templates are told by a hash of what they say."""
        hashed = [f"templates{content_hash(self.model_dump()['templates'])[:6]}"]
        told = [f"{key}{_shown(value)}" for key, value in self.settings.items()]
        return "-".join([self.name, *told, *(hashed if self.templates else [])])

    @property
    def task_class(self) -> type[Task]:
        """The class of the task; that of a table if no task has this name."""
        if self._table:
            return Table
        try:
            return task_class(self.name)
        except ValueError:
            return Table

    @property
    def settings(self) -> dict[str, Any]:
        """The parameters that say which claims are asked, not where they come from."""
        where = self.task_class.data_parameters
        return {key: value for key, value in self.params.items() if key not in where}

    @property
    def has_data(self) -> bool:
        """Whether its claims are those of a table or of a data set."""
        return self._table is not None or self.task_class.reads_data

    def is_the_same(self, other: "TaskSpec") -> bool:
        """Return whether two entries, however their parameters are written, ask the same claims."""
        if (self.name, self.templates) != (other.name, other.templates) or self._table:
            return False
        return self._spelled_out() == other._spelled_out()

    def _spelled_out(self) -> dict[str, tuple[str, ...]]:
        """Return every parameter; those left out as they are by default, lists in one order."""
        known = signature(TASKS.get(self.name)).parameters.values()
        default = {p.name: p.default for p in known if p.default is not p.empty}
        given = {**default, **self.params, "data": self.data}
        listed = {k: v if isinstance(v, list | tuple) else [v] for k, v in given.items()}
        return {key: tuple(sorted(map(str, values))) for key, values in listed.items()}

    def content(self) -> dict[str, str]:
        """Return, by the field that names a local file, a hash of what stands there."""
        return {"data": self._table.content} if self._table else self._files

    def make(self) -> Task:
        """Return the task.

        Raises:
            RuntimeError: if a file that it reads has changed since the recipe was read.
        """
        task = self._table or self._read_task()
        if not self._table and (changed := task.local_file_hashes()) != self._files:
            raise RuntimeError(
                f"task {self.name!r}: {' and '.join(changed)} changed while this ran; run it again"
            )
        return task.with_templates(self.templates) if self.templates else task

    def attribution(self) -> dict[str, str]:
        """Return where the claims come from, and their licence, as far as the task tells.

        Nothing is told of a file that is no longer there; it is no reason to lose what was made.
        """
        try:
            task = self._table or self._read_task()
        except ValueError:
            return {}
        credits = {"source": task.source, "licence": task.licence}
        return {f"{name} of the claims": text for name, text in credits.items() if text}

    def _read_task(self) -> Task:
        given = {"data": self.data} if self.data is not None else {}
        return get_task(self.name, **self.params, **given)


class ProbeSpec(Named):
    """A probe and its hyper-parameters, under its own name or as another."""

    as_: str | None = Field(default=None, alias="as")

    @property
    def shown(self) -> str:
        """The name in the results."""
        return self.as_ or self.name

    @property
    def probe_class(self) -> type[Probe]:
        """The class of the method."""
        return probe_class(self.name)

    def make(self, seed: int = 0) -> Probe:
        """Return the unfitted probe."""
        return get_probe(self.name, seed=seed, **self.params)


class SizesSpec(Strict):
    """Claims a split; each is asked in every context."""

    train: int = Field(default=8000, ge=1)
    validation: int = Field(default=2000, ge=1)
    test: int = Field(default=1000, ge=1)


class TokensSpec(Strict):
    """What is kept for probes that read all tokens of the prompt."""

    layers: int | tuple[int, ...] = 4
    """How many blocks, evenly spaced up to the last one, or which (1 is the first). The layer rules
    know these alone: `last` is the last of them."""
    gigabytes: float = Field(default=2.0, gt=0)
    """The most disk that the token states of one cell may take."""

    @field_validator("layers", mode="before")
    @classmethod
    def _counts_or_names(cls, layers: Any) -> Any:
        named = layers if isinstance(layers, list | tuple) else [layers]
        whole = all(isinstance(n, int) and not isinstance(n, bool) and n >= 1 for n in named)
        if not (named and whole):
            raise ValueError(f"{layers!r}: give a number of layers, or a list of them, from 1")
        return layers


class ProjectionSpec(Strict):
    """What is kept of a recurrent state, which may be of 100,000 numbers: a random projection."""

    size: int = Field(default=512, ge=1, strict=True)
    """How many numbers a layer; a state of no more is kept as it is."""
    seed: int = Field(default=0, ge=0, strict=True)

    def make(self) -> Projection:
        """Return the projection."""
        return Projection(self.size, self.seed)
