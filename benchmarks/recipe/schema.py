"""What to run: a validated YAML file."""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    BaseModel,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from benchmarks.recipe.entries import (
    ModelSpec,
    Precision,
    ProbeSpec,
    ProjectionSpec,
    SizesSpec,
    Strict,
    TaskSpec,
    TokensSpec,
)
from benchmarks.recipe.overrides import resolved
from benchmarks.recipe.trigger_entry import TriggerSpec
from benchmarks.store.artefacts import content_hash
from finetune.training.trainer import FinetuneSettings
from probes import list_probes
from quirky.contexts import UNSEEN, Transfer, parse_transfer
from quirky.plugins import unknown
from quirky.prompts import Style

LayerRule = Literal["eil", "last", "middle", "ensemble"]
Variant = Literal["quirky", "base"]
Site = Literal["resid", "ssm_state", "conv_state"]
READERS = ("lm", "text")
"""What stands beside the probes in every result and needs no hidden state."""


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
    finetune: FinetuneSettings = FinetuneSettings()
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
        for trigger in self.trigger:
            targets = {transfer.target for transfer in self.parsed_transfers()}
            if not targets - {c for c in UNSEEN if c not in trigger.contexts()}:
                raise ValueError(
                    f"trigger {trigger.name}: it has contexts {', '.join(trigger.contexts())}, but "
                    f"all transfers go to {' or '.join(sorted(targets))}; add one to A or B, or "
                    "leave the trigger out"
                )
        for model in self.models:
            for task in self.tasks:
                try:
                    self.finetuning(model, task)
                except ValidationError as error:
                    raise ValueError(
                        f"finetune of {model.label} on {task.label}: "
                        f"{first_problem(error, FinetuneSettings)}"
                    ) from error
        return self

    def finetuning(self, model: ModelSpec, task: TaskSpec) -> FinetuneSettings:
        """Return the settings for one model on one task: the task's, then the model's, then all."""
        return FinetuneSettings.model_validate(
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
    folder = files("benchmarks.recipe") / "recipes"
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
        text = (files("benchmarks.recipe") / "recipes" / f"{source}.yaml").read_text()
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
        return _validated(content)
    except ValueError as error:
        raise ValueError(f"recipe {source}: {error}") from error


def one_task_recipe(
    name: str,
    models: Sequence[str | Mapping[str, Any]],
    task: Mapping[str, Any],
    **content: Any,
) -> Recipe:
    """Return the recipe of a command that asks models about one task and fits no probe.

    Its parts are written as in a recipe.

    Raises:
        ValueError: in one line: which field, which value, and what would be right.
    """
    unused = {"probes": ["lr"], "transfers": ["A->B"]}  # no recipe is without them
    return _validated({"name": name, "models": list(models), "tasks": [task], **content, **unused})


def _validated(content: Mapping[str, Any]) -> Recipe:
    try:
        return Recipe.model_validate(content)
    except ValidationError as error:
        raise ValueError(first_problem(error)) from error


def first_problem(error: ValidationError, validated: type[BaseModel] = Recipe) -> str:
    """Return what is wrong first: which field, which value, and what would be right."""
    problem = error.errors()[0]
    where = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        field = str(problem["loc"][-1])
        inside: dict[str, type[BaseModel]]
        inside = {"finetune": FinetuneSettings, "sizes": SizesSpec, "models": ModelSpec}
        inside["tokens"], inside["projection"] = TokensSpec, ProjectionSpec
        model = inside.get(str(problem["loc"][0]), validated)
        return f"{where}: {unknown('field', field, model.model_fields)}"
    message = problem["msg"].removeprefix("Value error, ")
    if problem["type"] in ("value_error", "missing"):
        return f"{where}: {message}" if where else message
    return f"{where} = {problem['input']!r}: {message}"
