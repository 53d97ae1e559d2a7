"""What to run: a validated YAML file."""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict
from importlib.resources import files
from inspect import signature
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationError,
    field_serializer,
    field_validator,
    model_validator,
)

from benchmarks.changes import resolved
from benchmarks.store import content_hash
from benchmarks.trigger_spec import TriggerSpec
from finetune.placement import Bits, DeviceMap
from finetune.recurrent import Projection
from finetune.train import Finetune
from probes import Probe, get_probe, list_probes
from quirky.contexts import UNSEEN, Transfer, parse_transfer
from quirky.prompts import Style, Template, load_templates, parse_templates
from quirky.registry import unknown
from quirky.tasks import Task, get_task, task_class
from quirky.tasks.base import found_by, reads_data, reworded
from quirky.tasks.table import Table, read_table

LayerRule = Literal["eil", "last", "middle", "ensemble"]
Precision = Literal["float32", "bfloat16", "float16"]
Variant = Literal["quirky", "base"]
Site = Literal["resid", "ssm_state", "conv_state"]
READERS = ("lm", "text")
"""What stands beside the probes in every result and needs no hidden state."""


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
    def given(self) -> bool:
        """Whether the model is quirky already, so that nothing is fine-tuned."""
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
        if reads_data(self.name):
            self._files = self._local_files(self._read_task())
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
    def settings(self) -> dict[str, Any]:
        """The parameters that say which claims are asked, not where they come from."""
        where = found_by(self.name)
        return {key: value for key, value in self.params.items() if key not in where}

    @property
    def has_data(self) -> bool:
        """Whether its claims are those of a table or of a data set."""
        return self._table is not None or reads_data(self.name)

    def is_the_same(self, other: "TaskSpec") -> bool:
        """Return whether two entries, however their parameters are written, ask the same claims."""
        if (self.name, self.templates) != (other.name, other.templates) or self._table:
            return False
        return self._spelled_out() == other._spelled_out()

    def _spelled_out(self) -> dict[str, tuple[str, ...]]:
        """Return every parameter; those left out as they are by default, lists in one order."""
        known = signature(task_class(self.name)).parameters.values()
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
        if not self._table and (changed := self._local_files(task)) != self._files:
            raise RuntimeError(
                f"task {self.name!r}: {' and '.join(changed)} changed while this ran; run it again"
            )
        return reworded(task, self.templates) if self.templates else task

    def _read_task(self) -> Task:
        given = {"data": self.data} if self.data is not None else {}
        return get_task(self.name, **self.params, **given)

    @staticmethod
    def _local_files(task: Task) -> dict[str, str]:
        return task.local_files() if hasattr(task, "local_files") else {}


class ProbeSpec(Named):
    """A probe and its hyper-parameters, under its own name or as another."""

    as_: str | None = Field(default=None, alias="as")

    @property
    def shown(self) -> str:
        """The name in the results."""
        return self.as_ or self.name

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


def _try(make: Callable[[], object], what: str) -> None:
    """Call `make` and let a value of the wrong type be a ValueError."""
    try:
        make()
    except TypeError as error:
        raise ValueError(f"{what}: {error}") from error


class Recipe(Strict):
    """What to run: which models, tasks, probes, transfers and controls, and how they are made."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    models: tuple[ModelSpec, ...] = Field(min_length=1)
    tasks: tuple[TaskSpec, ...] = Field(min_length=1)
    trigger: tuple[TriggerSpec, ...] = Field(default=(TriggerSpec(),), min_length=1)
    """One, or a list: each makes cells of its own."""
    prompts: Style = "mixture"
    renderings: int = Field(default=1, ge=1, strict=True)
    """In how many templates each question stands on which probes are fitted."""
    seeds: tuple[Annotated[int, Field(ge=0)], ...] = Field(default=(0,), min_length=1)
    finetune: Finetune = Finetune()
    sites: tuple[Site, ...] = ("resid",)
    """Where probes of the prompt read. Pairs and tokens are read at `resid` alone."""
    projection: ProjectionSpec = ProjectionSpec()
    """What is kept of recurrent states."""
    probes: tuple[ProbeSpec, ...] = Field(min_length=1)
    transfers: tuple[str, ...] = Field(min_length=1)
    layer_rules: tuple[LayerRule, ...] = Field(default=("eil", "last"), min_length=1)
    variants: tuple[Variant, ...] = Field(default=("quirky", "base"), min_length=1)
    controls: tuple[Literal["shuffled"], ...] = ("shuffled",)
    draws: int = Field(default=20, ge=1, description="how many random directions a random probe is")
    sizes: SizesSpec = SizesSpec()
    tokens: TokensSpec = TokensSpec()
    dtype: Precision = "float32"
    chat: bool = False
    """Ask instruct models through the chat template of their tokenizer."""
    device: str = "cpu"

    @field_validator("tasks")
    @classmethod
    def _known_tasks(cls, tasks: tuple[TaskSpec, ...]) -> tuple[TaskSpec, ...]:
        for place, task in enumerate(tasks):
            _try(task.make, f"task {task.name!r} with {task.params}")
            for other in tasks[:place]:
                if task.label != other.label and task.is_the_same(other):
                    raise ValueError(f"{task.label!r} is {other.label!r} again; name it once")
        return tasks

    @field_validator("trigger", mode="before")
    @classmethod
    def _one_or_more(cls, trigger: Any) -> Any:
        return trigger if isinstance(trigger, list | tuple) else [trigger]

    @field_validator("trigger")
    @classmethod
    def _known_triggers(cls, triggers: tuple[TriggerSpec, ...]) -> tuple[TriggerSpec, ...]:
        for place, trigger in enumerate(triggers):
            _try(trigger.make, f"trigger {trigger.kind!r} with {trigger.params}")
            for other in triggers[:place]:
                if trigger.is_the_same(other):
                    raise ValueError(f"{trigger.name!r} is {other.name!r} again; name it once")
        return triggers

    @field_validator("probes")
    @classmethod
    def _known_probes(cls, probes: tuple[ProbeSpec, ...]) -> tuple[ProbeSpec, ...]:
        for probe in probes:
            if "seed" in probe.params:
                raise ValueError(f"probe {probe.name!r}: the seed comes from the recipe's `seeds`")
            if probe.shown in READERS:
                raise ValueError(f"{probe.shown!r} is the name of a reader; show it as another")
            if probe.shown != probe.name and probe.shown in list_probes():
                raise ValueError(
                    f"probe {probe.name!r} as {probe.shown!r}: that is another probe's name"
                )
            _try(probe.make, f"probe {probe.name!r} with {probe.params}")
        return probes

    @field_validator("transfers")
    @classmethod
    def _known_transfers(cls, transfers: tuple[str, ...]) -> tuple[str, ...]:
        for transfer in transfers:
            parse_transfer(transfer)
        return transfers

    @field_validator("sites")
    @classmethod
    def _headline_site(cls, sites: tuple[str, ...]) -> tuple[str, ...]:
        if "resid" not in sites:
            raise ValueError("resid must be among them: the headline is read there")
        return sites

    @model_validator(mode="after")
    def _consistent(self) -> "Recipe":
        for field, names in (
            ("models", [model.label for model in self.models]),
            ("tasks", [task.label for task in self.tasks]),
            ("probes", [probe.shown for probe in self.probes]),
            ("transfers", list(self.transfers)),
            ("sites", list(self.sites)),
            ("seeds", [str(seed) for seed in self.seeds]),
        ):
            for name, count in Counter(names).items():
                if count > 1:
                    raise ValueError(f"{field}: {name!r} stands there {count} times; name it once")
        for transfer in self.parsed_transfers():
            if transfer.target in UNSEEN and not self.having(transfer.target):
                known = "; ".join(f"{t.kind}: {', '.join(t.contexts())}" for t in self.trigger)
                raise ValueError(
                    f"transfers: {str(transfer)!r}: no trigger of the recipe has a context "
                    f"{transfer.target} ({known})"
                )
        for model in self.models:
            for task in self.tasks:
                try:
                    self.finetuning(model, task)
                except ValidationError as error:
                    raise ValueError(
                        f"finetune of {model.label} on {task.label}: "
                        f"{first_problem(error, Finetune)}"
                    ) from error
        return self

    def finetuning(self, model: ModelSpec, task: TaskSpec) -> Finetune:
        """Return the settings for one model on one task: the task's, then the model's, then all."""
        return Finetune.model_validate(
            {**self.finetune.model_dump(), **model.finetune, **task.finetune}
        )

    def having(self, context: str) -> list[TriggerSpec]:
        """Return the triggers that have a context."""
        return [trigger for trigger in self.trigger if context in trigger.contexts()]

    def precision(self, model: ModelSpec) -> Precision:
        """Return the precision of a model: its own, else the recipe's."""
        return model.dtype or self.dtype

    def reads_tokens(self) -> bool:
        """Return whether any of the probes reads all tokens of the prompt."""
        return any(probe.make().reads == "tokens" for probe in self.probes)

    def state_sites(self) -> tuple[str, ...]:
        """Return the recurrent states that probes of the prompt read."""
        reads = any(probe.make().reads == "prompt" for probe in self.probes)
        return tuple(site for site in self.sites if site != "resid") if reads else ()

    def parsed_transfers(self) -> list[Transfer]:
        """Return the transfers as pairs of contexts."""
        return [parse_transfer(transfer) for transfer in self.transfers]

    def digest(self) -> str:
        """Return 8 hex characters that change with anything in the recipe but its name."""
        content = self.model_dump(exclude={"name"}, by_alias=True)
        for told, task in zip(content["tasks"], self.tasks, strict=True):
            told.update(task.content())  # what stands in its files, not where they lie
        return content_hash(content)[:8]


class _Loader(yaml.SafeLoader):
    """Reads 1e-2 as a number, as YAML 1.2 does; in YAML 1.1 it is a text."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+$"),
    list("-+.0123456789"),
)


def list_recipes() -> list[str]:
    """Return the names of the recipes that come with the package."""
    folder = files("benchmarks") / "recipes"
    return sorted(item.name[:-5] for item in folder.iterdir() if item.name.endswith(".yaml"))


def load_recipe(source: str, changes: Mapping[str, Any] | None = None) -> Recipe:
    """Return the recipe of that name or path, with changed fields put in place of its own.

    A changed recipe is named `<name>-<8 hex of its hash>`. A model or task that is named keeps
    what the recipe says of it, and `templates`, a file, goes to its one task.

    Raises:
        ValueError: in one line: which field, which value, and what would be right.
    """
    known = list_recipes()
    if source in known:
        text = (files("benchmarks") / "recipes" / f"{source}.yaml").read_text()
    elif Path(source).is_file():
        text = Path(source).read_text()
    else:
        raise unknown("recipe", source, [*known, "a path to a YAML file"])
    try:
        content = yaml.load(text, _Loader)
    except yaml.YAMLError as error:
        raise ValueError(f"recipe {source}: not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict):
        raise ValueError(f"recipe {source}: expected a mapping with a name, models, tasks, ...")
    recipe = validate_recipe(content, source)
    if not changes:
        return recipe
    changed = validate_recipe({**content, **resolved(recipe, changes)}, source)
    if changed.digest() == recipe.digest():
        return recipe
    return changed.model_copy(update={"name": f"{changed.name}-{changed.digest()}"})


def validate_recipe(content: Mapping[str, Any], source: str = "") -> Recipe:
    """Return the recipe that a mapping describes; a ValueError is one line."""
    try:
        return Recipe.model_validate(content)
    except ValidationError as error:
        raise ValueError(f"recipe {source}: {first_problem(error)}") from error


def first_problem(error: ValidationError, validated: type[BaseModel] = Recipe) -> str:
    """Return what is wrong first: which field, which value, and what would be right."""
    problem = error.errors()[0]
    where = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        field = str(problem["loc"][-1])
        inside: dict[str, type[BaseModel]]
        inside = {"finetune": Finetune, "sizes": SizesSpec, "models": ModelSpec}
        inside["tokens"], inside["projection"] = TokensSpec, ProjectionSpec
        model = inside.get(str(problem["loc"][0]), validated)
        return f"{where}: {unknown('field', field, model.model_fields)}"
    message = problem["msg"].removeprefix("Value error, ")
    if problem["type"] in ("value_error", "missing"):
        return f"{where}: {message}" if where else message
    return f"{where} = {problem['input']!r}: {message}"
