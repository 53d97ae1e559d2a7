"""Entries of a recipe: a model, a probe, sizes, and how states are stored."""

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from finetune.models.placement import Bits, DeviceMap
from finetune.reading.recurrent import Projection
from probes import Probe, get_probe
from probes.registry import probe_class

Precision = Literal["float32", "bfloat16", "float16"]


class Strict(BaseModel):
    """Immutable; an unknown field is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


def format_parameter(name: str, value: object) -> str:
    """Return a parameter as it appears in a label: `digits2`, `fair` (if true), `dials3_6`."""
    if value is True:
        return name
    return name + ("_".join(map(str, value)) if isinstance(value, list | tuple) else str(value))


class NamedEntry(BaseModel):
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
        """The name with its parameters, usable as a file name."""
        parameters = [format_parameter(key, value) for key, value in self.params.items()]
        return "-".join([self.name, *parameters])


class ModelEntry(NamedEntry):
    """A base to fine-tune, or a model that is already quirky.

    With an `adapter` (folder or hub id) or `quirky: true` the model is already quirky: nothing is
    fine-tuned, and `finetune` is ignored.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    finetune: dict[str, Any] = Field(default_factory=dict)
    """Fine-tuning settings in place of the recipe's."""
    revision: str | None = None
    """Branch, tag or commit of a hub model."""
    dtype: Precision | None = None
    """Precision in place of the recipe's."""
    device_map: DeviceMap | None = None
    """`auto` spreads the blocks over all devices."""
    quantise: Bits | None = None
    """Bits of the linear layers; fine-tuning is then QLoRA."""
    adapter: str | None = None
    """A LoRA adapter that makes the base quirky."""
    quirky: bool = False
    """Whether the whole model is quirky."""

    @field_validator("name", "adapter", mode="before")
    @classmethod
    def _path_as_text(cls, value: Any) -> Any:
        return str(value) if isinstance(value, Path) else value

    @model_validator(mode="after")
    def _check_quirk(self) -> "ModelEntry":
        if self.quirky and self.adapter is not None:
            raise ValueError(f"{self.name!r} is quirky by itself or by an adapter, not both")
        return self

    @property
    def already_quirky(self) -> bool:
        """Whether the model is quirky without fine-tuning."""
        return self.quirky or self.adapter is not None

    @property
    def label(self) -> str:
        """The name in results: the base's, and the adapter's if one is given."""
        return self.name if self.adapter is None else f"{self.name}+{self.adapter.rstrip('/')}"


class ProbeEntry(NamedEntry):
    """A probe and its hyper-parameters, under its own name or as another."""

    as_: str | None = Field(default=None, alias="as")

    @property
    def display_name(self) -> str:
        """The name in results."""
        return self.as_ or self.name

    @property
    def probe_class(self) -> type[Probe]:
        """The class of the method."""
        return probe_class(self.name)

    def make(self, seed: int = 0) -> Probe:
        """Return the unfitted probe."""
        return get_probe(self.name, seed=seed, **self.params)


class SizesEntry(Strict):
    """Claims per split; each is rendered in every context."""

    train: int = Field(default=8000, ge=1)
    validation: int = Field(default=2000, ge=1)
    test: int = Field(default=1000, ge=1)


class TokensEntry(Strict):
    """Which token states are stored for probes that read all tokens of the prompt."""

    layers: int | tuple[int, ...] = 4
    """A number of evenly spaced blocks that includes the last one, or a list of blocks from 1.
    Layer rules choose among these: `last` is the last of them."""
    gigabytes: float = Field(default=2.0, gt=0)
    """The most disk that the token states of one cell may take."""

    @field_validator("layers", mode="before")
    @classmethod
    def _check_layers(cls, layers: Any) -> Any:
        numbers = layers if isinstance(layers, list | tuple) else [layers]
        valid = all(isinstance(n, int) and not isinstance(n, bool) and n >= 1 for n in numbers)
        if not (numbers and valid):
            raise ValueError(f"{layers!r}: give a number of layers, or a list of them, from 1")
        return layers


class ProjectionEntry(Strict):
    """The random projection of recurrent states, which may have 100,000 numbers per layer."""

    size: int = Field(default=512, ge=1, strict=True)
    """Numbers per layer; a smaller state is stored as it is."""
    seed: int = Field(default=0, ge=0, strict=True)

    def make(self) -> Projection:
        """Return the projection."""
        return Projection(self.size, self.seed)
