"""What a fit reads: hidden states at one site, of all layers or, of tokens, of one."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from jaxtyping import Bool, Float
from torch import Tensor

from benchmarks.activations.recurrent import RecurrentStates
from benchmarks.activations.residual import States
from benchmarks.activations.tokens import TokenStates


@dataclass(frozen=True)
class Place:
    """A site, what of it is read, and the layer where it is read layer by layer."""

    site: str
    reads: Any
    layer: int | None = None


@dataclass(frozen=True)
class Store:
    """All that was read from a cell's model; tokens and recurrent states where a probe asks."""

    states: States
    tokens: TokenStates | None = None
    recurrent: RecurrentStates | None = None

    def places(self) -> list[Place]:
        """Return where probes may be fitted, in the order in which that is done."""
        places = [Place("resid", "pair"), Place("resid", "prompt")]
        if self.tokens:
            places += [Place("resid", "tokens", layer) for layer in self.tokens.layers]
        if self.recurrent:
            places += [Place(site, "prompt") for site in self.recurrent.layers]
        return places


@dataclass(frozen=True)
class Held:
    """The states at one place, in memory once used."""

    place: Place
    store: Store

    @cached_property
    def states(self) -> Float[Tensor, "layers n ..."]:
        """The states of validation, heldout and test."""
        if self._tokens:
            return self._tokens.read(self.place.layer or 0)[None]
        if self._recurrent:
            return self._recurrent.read(self.place.site)
        return self.store.states.read(self.place.reads)

    @property
    def layers(self) -> list[int]:
        """The blocks (l = 1..L) that were read."""
        if self._tokens:
            return [self.place.layer or 0]
        if self._recurrent:
            return self._recurrent.layers[self.place.site]
        return list(range(1, len(self.states) + 1))

    @property
    def mask(self) -> Bool[Tensor, "n t"] | None:
        """Which tokens are a prompt's, where tokens are what is read."""
        return self._tokens.mask if self._tokens else None

    @property
    def standardised(self) -> bool:
        """Whether a fit centres and scales every number first: recurrent states are collinear."""
        return self._recurrent is not None

    @property
    def origin(self) -> dict[str, Any]:
        """What names the states in the key of a fit."""
        if self._tokens:
            return {"states": self._tokens.folder.name, "layer": self.place.layer}
        if self._recurrent:
            return {"states": self._recurrent.folder.name, "site": self.place.site}
        return {"states": self.store.states.folder.name}

    @property
    def _tokens(self) -> TokenStates | None:
        return self.store.tokens if self.place.reads == "tokens" else None

    @property
    def _recurrent(self) -> RecurrentStates | None:
        return self.store.recurrent if self.place.site != "resid" else None
