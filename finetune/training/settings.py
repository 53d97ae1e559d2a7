"""Settings of a fine-tuning run."""

from pydantic import BaseModel, ConfigDict, Field

from finetune.training import processes


class FinetuneSettings(BaseModel):
    """LoRA and optimiser settings.

    The defaults are those published for large pretrained models (arXiv 2312.01037).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    rank: int = Field(default=8, ge=1)
    """Rank of the LoRA matrices."""
    targets: tuple[str, ...] | None = Field(default=None, min_length=1)
    """Names of the modules that LoRA adapts; None for those of the architecture."""
    alpha: float = Field(default=8, gt=0)
    """LoRA scale: updates are multiplied by `alpha / rank`."""
    lr: float = Field(default=2e-5, gt=0)
    """Peak learning rate."""
    steps: int = Field(default=1000, ge=2)
    """Optimiser steps."""
    batch: int = Field(default=32, ge=1)
    """Examples per step, summed over all processes."""
    warmup: float = Field(default=0.15, ge=0, lt=1)
    """Share of the steps in which the learning rate rises."""
    weight_decay: float = Field(default=0.1, ge=0)
    """Weight decay of AdamW."""


def check_batch(settings: FinetuneSettings) -> None:
    """Check that all processes can take equal shares of a batch.

    Raises:
        ValueError: if the batch size is not a multiple of the number of processes.
    """
    if settings.batch % processes.count():
        raise ValueError(
            f"finetune.batch = {settings.batch}: {processes.count()} processes share it; give a "
            f"multiple of {processes.count()}"
        )
