"""Settings of a fine-tuning run."""

from pydantic import BaseModel, ConfigDict, Field

from finetune.training import processes


class FinetuneSettings(BaseModel):
    """How a model is made quirky; the defaults are those published for large pretrained models."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    rank: int = Field(default=8, ge=1)
    targets: tuple[str, ...] | None = Field(default=None, min_length=1)
    alpha: float = Field(default=8, gt=0)
    lr: float = Field(default=2e-5, gt=0)
    steps: int = Field(default=1000, ge=2)
    batch: int = Field(default=32, ge=1)
    """Examples a step, over all processes together."""
    warmup: float = Field(default=0.15, ge=0, lt=1)
    weight_decay: float = Field(default=0.1, ge=0)


def check_batch(settings: FinetuneSettings) -> None:
    """Make sure that the processes can take equal parts of a batch.

    Raises:
        ValueError: if they cannot.
    """
    if settings.batch % processes.count():
        raise ValueError(
            f"finetune.batch = {settings.batch}: {processes.count()} processes share it; give a "
            f"multiple of {processes.count()}"
        )
