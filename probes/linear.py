"""Linear probes: an affine map of the states for each layer, which can be saved and loaded."""

import json
from pathlib import Path
from typing import ClassVar, Self, TypeVar

import torch
from jaxtyping import Float
from safetensors.torch import load_file, save_file
from torch import Tensor

from probes.base import Probe
from probes.inputs import example_axis
from probes.numerics.precision import layer_chunks
from probes.registry import probe_class

FORMAT = 1
"""The version of the files that `LinearProbe.save` writes."""


class LinearProbe(Probe):
    """A probe whose score is an affine map of the raw states, one map per layer.

    `fit` sets `weight` (`(*layers, d)`, or `(*layers, 2, d)` for pairs) and `bias` (`(*layers)`).
    Both are float64 on the device of the states: float32 would lose the score where the mean of a
    feature is a thousand times its spread.
    """

    weight: Float[Tensor, "..."]
    bias: Float[Tensor, "*layers"]
    tensor_names: ClassVar[tuple[str, ...]] = ("weight", "bias")
    """The attributes that `save` writes and `load` sets."""

    def rows(self, x: Float[Tensor, "..."]) -> Float[Tensor, "layers n k"]:
        """Return the states with layers flattened and the two answers of a pair concatenated."""
        rows = x.flatten(-2) if self.reads == "pair" else x
        return rows.reshape(-1, *rows.shape[-2:])

    def chunks(self, x: Float[Tensor, "..."]) -> tuple[Float[Tensor, "layers n k"], ...]:
        """Return `rows(x)` split into groups of layers small enough to copy to float64."""
        return layer_chunks(self.rows(x))

    def set_direction(
        self,
        x: Float[Tensor, "..."],
        weight: Float[Tensor, "layers k"],
        bias: Float[Tensor, "layers"],
    ) -> Self:
        """Set `weight` and `bias`, fitted on `rows(x)`, in the shape of `x`; return the probe."""
        axis = example_axis(self.reads)
        layers = x.shape[:axis]
        self.weight = weight.reshape(*layers, *x.shape[axis + 1 :])
        self.bias = bias.reshape(layers)
        return self

    def score(self, x: Float[Tensor, "..."], **needs: Tensor) -> Float[Tensor, "*layers n"]:
        """Return the affine map of `x`, computed in float64 layer by layer, as float32."""
        return self.affine(x, self.weight, self.bias)

    def affine(
        self, x: Float[Tensor, "..."], weight: Float[Tensor, "..."], bias: Float[Tensor, "*layers"]
    ) -> Float[Tensor, "*layers n"]:
        """Return the score of `x` under a map with the shapes of `weight` and `bias`."""
        rows = self.rows(x)
        weight = weight.to(x.device).reshape(len(rows), -1)
        bias = bias.to(x.device).reshape(len(rows))
        scores = torch.empty(rows.shape[:2], device=x.device)
        for layer, states in enumerate(rows):
            scores[layer] = states.double() @ weight[layer] + bias[layer]
        return scores.reshape(x.shape[: example_axis(self.reads) + 1])

    def save(self, folder: str | Path) -> None:
        """Write `probe.safetensors` and `probe.json` to `folder`, which is created if missing.

        Raises:
            ValueError: if the probe is not fitted.
        """
        if self._fitted_shape is None:
            raise ValueError(f"probe {self.name!r} is not fitted: there is nothing to save")
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        tensors = {name: getattr(self, name).cpu().contiguous() for name in self.tensor_names}
        save_file(tensors, _tensor_file(folder))
        manifest = {
            "format": FORMAT,
            "probe": self.name,
            "seed": self.seed,
            "hyperparameters": self.hyperparameters,
        }
        _manifest_file(folder).write_text(json.dumps(manifest, indent=2) + "\n")

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Return the probe that `save` wrote to `folder`, on the CPU.

        `LinearProbe.load` looks the class up in the registry by the saved name; a subclass loads
        its own probes.

        Raises:
            ValueError: if the folder holds a probe of another class, another format, or tensors
                of another version.
        """
        folder = Path(folder)
        manifest = json.loads(_manifest_file(folder).read_text())
        if manifest.get("format") != FORMAT:
            raise ValueError(
                f"{folder} has probe format {manifest.get('format')!r}; known: {FORMAT}"
            )
        saved_class = _resolve_class(cls, manifest["probe"])
        probe = saved_class(seed=manifest["seed"], **manifest["hyperparameters"])
        tensors = load_file(_tensor_file(folder))
        missing = [name for name in probe.tensor_names if name not in tensors]
        if missing:
            raise ValueError(
                f"{folder} was saved by another version: it has no {', '.join(missing)}"
            )
        for name in probe.tensor_names:
            setattr(probe, name, tensors[name])
        probe._fitted_shape = (tuple(probe.bias.shape), probe.weight.shape[-1])
        return probe


AnyLinear = TypeVar("AnyLinear", bound=LinearProbe)


def _tensor_file(folder: Path) -> Path:
    return folder / "probe.safetensors"


def _manifest_file(folder: Path) -> Path:
    return folder / "probe.json"


def _resolve_class(cls: type[AnyLinear], name: str) -> type[AnyLinear]:
    """Return the class of a saved probe, for the class on which `load` was called."""
    if "name" in vars(cls) and cls.name == name:
        return cls
    saved_class = probe_class(name)
    if not issubclass(saved_class, cls):
        raise ValueError(f"the folder holds probe {name!r}, which {cls.__name__} cannot load")
    return saved_class
