"""What a probe is fitted on: a view of a cell's stored activations."""

from typing import Any, Literal, Protocol

from jaxtyping import Bool, Float
from torch import Tensor

Reads = Literal["prompt", "pair", "tokens"]
"""What of the activations a probe reads; see `probes.Probe.reads`."""


class ActivationView(Protocol):
    """Stored activations at one site, read in one way.

    The examples are those of the splits validation, heldout and test, in that order.
    """

    @property
    def site(self) -> str:
        """Where the model is read: `resid`, `ssm_state` or `conv_state`."""
        ...

    @property
    def reads(self) -> Reads:
        """Which probes can be fitted on it."""
        ...

    @property
    def layers(self) -> list[int]:
        """The blocks (l = 1..L) that were read, in the order of the states."""
        ...

    @property
    def mask(self) -> Bool[Tensor, "n t"] | None:
        """Which tokens belong to the prompt; None unless all tokens are read."""
        ...

    @property
    def key(self) -> dict[str, Any]:
        """What identifies these states in the key of a fit."""
        ...

    @property
    def standardise(self) -> bool:
        """Whether each feature is centred and scaled before a fit."""
        ...

    def read(self) -> Float[Tensor, "layers n ..."]:
        """Load the states from disk."""
        ...
