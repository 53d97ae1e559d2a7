"""The schema of a recipe: what to run."""

from collections import Counter
from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from benchmarks.metrics.layer_rules import LAYER_RULES
from benchmarks.recipe.entries import (
    ModelEntry,
    Precision,
    ProbeEntry,
    ProjectionEntry,
    SizesEntry,
    Strict,
    TokensEntry,
)
from benchmarks.recipe.task_entry import TaskEntry
from benchmarks.recipe.trigger_entry import TriggerEntry
from benchmarks.recipe.validation import first_problem
from benchmarks.store import content_hash
from finetune.training.settings import FinetuneSettings
from probes import list_probes
from quirky.contexts import UNSEEN, Transfer, parse_transfer
from quirky.prompts import Style

Variant = Literal["quirky", "base"]
Site = Literal["resid", "ssm_state", "conv_state"]
READERS = ("lm", "text")
"""Reported beside the probes in every result; they need no hidden state."""


def _check_constructor(make: Callable[[], object], entry: str) -> None:
    """Call `make` and turn the TypeError of a wrong parameter into a ValueError."""
    try:
        make()
    except TypeError as error:
        raise ValueError(f"{entry}: {error}") from error


class Recipe(Strict):
    """What to run: models, tasks, probes, transfers and controls, and how they are made."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    models: tuple[ModelEntry, ...] = Field(min_length=1)
    tasks: tuple[TaskEntry, ...] = Field(min_length=1)
    trigger: tuple[TriggerEntry, ...] = Field(default=(TriggerEntry(),), min_length=1)
    """One trigger or a list; each has its own cells."""
    prompts: Style = "mixture"
    renderings: int = Field(default=1, ge=1, strict=True)
    """Number of templates in which each question of the split validation is rendered."""
    seeds: tuple[Annotated[int, Field(ge=0)], ...] = Field(default=(0,), min_length=1)
    finetune: FinetuneSettings = FinetuneSettings()
    sites: tuple[Site, ...] = ("resid",)
    """Where probes of the prompt read. Probes of pairs and tokens read `resid` only."""
    projection: ProjectionEntry = ProjectionEntry()
    """How recurrent states are stored."""
    probes: tuple[ProbeEntry, ...] = Field(min_length=1)
    transfers: tuple[str, ...] = Field(min_length=1)
    layer_rules: tuple[str, ...] = Field(default=("eil", "last"), min_length=1)
    variants: tuple[Variant, ...] = Field(default=("quirky", "base"), min_length=1)
    controls: tuple[Literal["shuffled"], ...] = ("shuffled",)
    draws: int = Field(default=20, ge=1, description="number of random directions")
    sizes: SizesEntry = SizesEntry()
    tokens: TokensEntry = TokensEntry()
    dtype: Precision = "float32"
    chat: bool = False
    """Prompt instruct models through the chat template of their tokenizer."""
    device: str = "cpu"

    @field_validator("tasks")
    @classmethod
    def _check_tasks(cls, tasks: tuple[TaskEntry, ...]) -> tuple[TaskEntry, ...]:
        for index, task in enumerate(tasks):
            _check_constructor(task.make, f"task {task.name!r} with {task.params}")
            for other in tasks[:index]:
                if task.label != other.label and task.is_the_same(other):
                    raise ValueError(f"{task.label!r} is {other.label!r} again; name it once")
        return tasks

    @field_validator("trigger", mode="before")
    @classmethod
    def _as_tuple(cls, trigger: Any) -> Any:
        return trigger if isinstance(trigger, list | tuple) else [trigger]

    @field_validator("trigger")
    @classmethod
    def _check_triggers(cls, triggers: tuple[TriggerEntry, ...]) -> tuple[TriggerEntry, ...]:
        for index, trigger in enumerate(triggers):
            _check_constructor(trigger.make, f"trigger {trigger.kind!r} with {trigger.params}")
            for other in triggers[:index]:
                if trigger.is_the_same(other):
                    raise ValueError(f"{trigger.name!r} is {other.name!r} again; name it once")
        return triggers

    @field_validator("probes")
    @classmethod
    def _check_probes(cls, probes: tuple[ProbeEntry, ...]) -> tuple[ProbeEntry, ...]:
        for probe in probes:
            if "seed" in probe.params:
                raise ValueError(f"probe {probe.name!r}: the seed comes from the recipe's `seeds`")
            if probe.display_name in READERS:
                raise ValueError(
                    f"{probe.display_name!r} is the name of a reader; choose another `as`"
                )
            if probe.display_name != probe.name and probe.display_name in list_probes():
                raise ValueError(
                    f"probe {probe.name!r} as {probe.display_name!r}: that is another probe's name"
                )
            _check_constructor(probe.make, f"probe {probe.name!r} with {probe.params}")
        return probes

    @field_validator("transfers")
    @classmethod
    def _check_transfers(cls, transfers: tuple[str, ...]) -> tuple[str, ...]:
        for transfer in transfers:
            parse_transfer(transfer)
        return transfers

    @field_validator("layer_rules")
    @classmethod
    def _check_layer_rules(cls, rules: tuple[str, ...]) -> tuple[str, ...]:
        for rule in rules:
            LAYER_RULES.get(rule)
        return rules

    @field_validator("sites")
    @classmethod
    def _check_sites(cls, sites: tuple[str, ...]) -> tuple[str, ...]:
        if "resid" not in sites:
            raise ValueError("resid must be among them: the headline is read there")
        return sites

    @model_validator(mode="after")
    def _check_consistency(self) -> "Recipe":
        for field, names in (
            ("models", [model.label for model in self.models]),
            ("tasks", [task.label for task in self.tasks]),
            ("probes", [probe.display_name for probe in self.probes]),
            ("transfers", list(self.transfers)),
            ("layer_rules", list(self.layer_rules)),
            ("sites", list(self.sites)),
            ("seeds", [str(seed) for seed in self.seeds]),
        ):
            for name, count in Counter(names).items():
                if count > 1:
                    raise ValueError(f"{field}: {name!r} is listed {count} times; name it once")
        for transfer in self.parsed_transfers():
            if transfer.target in UNSEEN and not self.triggers_with(transfer.target):
                contexts = "; ".join(f"{t.kind}: {', '.join(t.contexts())}" for t in self.trigger)
                raise ValueError(
                    f"transfers: {str(transfer)!r}: no trigger of the recipe has a context "
                    f"{transfer.target} ({contexts})"
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

    def finetuning(self, model: ModelEntry, task: TaskEntry) -> FinetuneSettings:
        """Return the fine-tuning settings: the task's, else the model's, else the recipe's."""
        return FinetuneSettings.model_validate(
            {**self.finetune.model_dump(), **model.finetune, **task.finetune}
        )

    def finetunes(self) -> bool:
        """Return whether any model is fine-tuned."""
        return "quirky" in self.variants and not all(m.already_quirky for m in self.models)

    def triggers_with(self, context: str) -> list[TriggerEntry]:
        """Return the triggers that have a context."""
        return [trigger for trigger in self.trigger if context in trigger.contexts()]

    def precision(self, model: ModelEntry) -> Precision:
        """Return the precision of a model: its own, else the recipe's."""
        return model.dtype or self.dtype

    def reads_tokens(self) -> bool:
        """Return whether any of the probes reads all tokens of the prompt."""
        return any(probe.probe_class.reads == "tokens" for probe in self.probes)

    def state_sites(self) -> tuple[str, ...]:
        """Return the recurrent states that probes of the prompt read."""
        if not any(probe.probe_class.reads == "prompt" for probe in self.probes):
            return ()
        return tuple(site for site in self.sites if site != "resid")

    def parsed_transfers(self) -> list[Transfer]:
        """Return the transfers as pairs of contexts."""
        return [parse_transfer(transfer) for transfer in self.transfers]

    def digest(self) -> str:
        """Return 8 hex characters that identify everything in the recipe but its name."""
        content = self.model_dump(exclude={"name"}, by_alias=True)
        for fields, task in zip(content["tasks"], self.tasks, strict=True):
            fields.update(task.content())  # the content of its files in place of their paths
        return content_hash(content)[:8]
