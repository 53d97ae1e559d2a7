"""Train a base from scratch on its corpus.

The loss is the cross-entropy of the verdict, plus .3 times that of all other tokens, plus .5 times
that of the verdict where the claim ends, in documents that go on with a name. Muon trains the
matrices inside the blocks and AdamW all other parameters: in trials of 700 steps on an earlier,
larger tiny-neox, both at 2e-3, the verdict's loss fell to .60 with Muon and to .64 with AdamW
alone.

Each embedded base was trained once with this code, except for what its card notes. Training again
gives other weights; how close their accuracies come to those in the cards has not been measured.
"""

from itertools import islice
from pathlib import Path

import torch
from rich.console import Console
from rich.progress import track
from torch import nn
from transformers import PreTrainedModel

from finetune.pretrain.corpora import SAMPLERS, train_tokenizer
from finetune.pretrain.losses import (
    LOSS_WEIGHTS,
    encode_document,
    length_groups,
    loss_counts,
    loss_sums,
)
from finetune.pretrain.models import untrained_model
from finetune.pretrain.saving import save_base
from finetune.pretrain.schedules import Schedule

console = Console()
REPORT_EVERY = 200
"""Steps between two lines of progress."""


def optimizers(model: PreTrainedModel, schedule: Schedule) -> list[torch.optim.Optimizer]:
    """Return Muon for the matrices inside the blocks and AdamW for all other parameters.

    Muon's updates are scaled to the size of AdamW's (Liu et al. 2025, arXiv 2502.16982, section
    2.2), so that learning rates are comparable.
    """
    head = model.get_output_embeddings()
    matrices = [m.weight for m in model.modules() if isinstance(m, nn.Linear) and m is not head]
    matrix_ids = {id(matrix) for matrix in matrices}
    others = [parameter for parameter in model.parameters() if id(parameter) not in matrix_ids]
    return [
        torch.optim.Muon(
            matrices, lr=schedule.muon_lr, weight_decay=0.02, adjust_lr_fn="match_rms_adamw"
        ),
        torch.optim.AdamW(others, lr=schedule.lr, betas=(0.9, 0.98), weight_decay=0.02),
    ]


def train(model: PreTrainedModel, schedule: Schedule, seed: int) -> None:
    """Train in place: linear warm-up over 4 % of the steps, then a cosine decay to a fiftieth."""
    tokenizer = train_tokenizer(schedule.corpus)
    sampler = SAMPLERS[schedule.corpus](seed)
    documents = iter(sampler)
    model_optimizers = optimizers(model, schedule)
    lr_schedulers = [
        torch.optim.lr_scheduler.OneCycleLR(
            optimizer,
            max_lr=optimizer.param_groups[0]["lr"],
            total_steps=schedule.steps,
            pct_start=0.04,
            final_div_factor=2,
            cycle_momentum=False,
        )
        for optimizer in model_optimizers
    ]
    model.train()
    summed_losses = torch.zeros(3)
    for step in track(range(schedule.steps), description="pre-training"):
        sampler.select_part(schedule.part_at(step))
        batch = [encode_document(d, tokenizer) for d in islice(documents, schedule.batch)]
        counts = loss_counts(batch)
        for group in length_groups(batch):
            losses = loss_sums(model, group) / counts
            (losses @ LOSS_WEIGHTS).backward()
            summed_losses += losses.detach()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer, lr_scheduler in zip(model_optimizers, lr_schedulers, strict=True):
            optimizer.step()
            lr_scheduler.step()
        model.zero_grad(set_to_none=True)
        if (step + 1) % REPORT_EVERY == 0:
            means = ", ".join(f"{x:.3f}" for x in (summed_losses / REPORT_EVERY).tolist())
            console.print(f"step {step + 1}: losses of verdict, language, claim end: {means}")
            summed_losses.zero_()


def pretrain(
    name: str, schedule: Schedule, seed: int, to: Path, n_judged: int = 8000
) -> dict[str, float]:
    """Train a base and save it as `save_base` does; return its verdict accuracy by subject.

    Raises:
        ValueError: if no base has this name.
    """
    torch.manual_seed(seed)
    model = untrained_model(name)
    train(model, schedule, seed)
    return save_base(model, schedule, seed, to, n_judged)
