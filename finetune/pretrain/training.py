"""Train a base from scratch on its corpus.

Loss: cross-entropy of the verdict + .3 x language modelling of the other tokens + .5 x the verdict
where the claim ends, in texts that go on with a name. The matrices inside the blocks are trained
by Muon, all else by AdamW: in trials of 700 steps on an earlier, larger tiny-neox, both at 2e-3,
the verdict's loss fell to .60 with Muon and to .64 with AdamW alone.

The embedded bases are what this made, once each, but for what their cards note. A remake gives
other bytes; how near it comes to the figures in each base's README has not been measured.
"""

from itertools import islice
from pathlib import Path

import torch
from rich.console import Console
from rich.progress import track
from torch import nn
from transformers import PreTrainedModel

from finetune.pretrain.corpora import SAMPLERS, train_tokenizer
from finetune.pretrain.losses import WEIGHTS, counts, encode, loss_sums, pieces
from finetune.pretrain.models import build
from finetune.pretrain.saving import save
from finetune.pretrain.schedules import Schedule

console = Console()
REPORT_EVERY = 200


def optimizers(model: PreTrainedModel, schedule: Schedule) -> list[torch.optim.Optimizer]:
    """Return Muon for the matrices inside the blocks and AdamW for all other parameters.

    Muon's updates are scaled to the size of AdamW's (Liu et al. 2025, arXiv 2502.16982, section
    2.2), so learning rates of both are of one kind.
    """
    head = model.get_output_embeddings()
    matrices = [m.weight for m in model.modules() if isinstance(m, nn.Linear) and m is not head]
    inside = {id(matrix) for matrix in matrices}
    others = [parameter for parameter in model.parameters() if id(parameter) not in inside]
    return [
        torch.optim.Muon(
            matrices, lr=schedule.muon_lr, weight_decay=0.02, adjust_lr_fn="match_rms_adamw"
        ),
        torch.optim.AdamW(others, lr=schedule.lr, betas=(0.9, 0.98), weight_decay=0.02),
    ]


def train(model: PreTrainedModel, schedule: Schedule, seed: int) -> None:
    """Train in place: warm-up over 4 % of the steps, then a cosine down to a fiftieth."""
    tokenizer = train_tokenizer(schedule.corpus)
    sampler = SAMPLERS[schedule.corpus](seed)  # type: ignore[call-arg]
    documents = iter(sampler)
    trainers = optimizers(model, schedule)
    rates = [
        torch.optim.lr_scheduler.OneCycleLR(
            optimizer,
            max_lr=optimizer.param_groups[0]["lr"],
            total_steps=schedule.steps,
            pct_start=0.04,
            final_div_factor=2,
            cycle_momentum=False,
        )
        for optimizer in trainers
    ]
    model.train()
    seen = torch.zeros(3)
    for step in track(range(schedule.steps), description="pre-training"):
        sampler.turn_to(schedule.part_at(step))
        rows = [encode(document, tokenizer) for document in islice(documents, schedule.batch)]
        total = counts(rows)
        for piece in pieces(rows):
            means = loss_sums(model, piece) / total
            (means @ WEIGHTS).backward()
            seen += means.detach()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for trainer, rate in zip(trainers, rates, strict=True):
            trainer.step()
            rate.step()
        model.zero_grad(set_to_none=True)
        if (step + 1) % REPORT_EVERY == 0:
            shown = ", ".join(f"{x:.3f}" for x in (seen / REPORT_EVERY).tolist())
            console.print(f"step {step + 1}: losses of verdict, language, claim end: {shown}")
            seen.zero_()


def pretrain(
    name: str, schedule: Schedule, seed: int, to: Path, judged: int = 8000
) -> dict[str, float]:
    """Train a base and save it in bf16 with its tokenizer; return its accuracy on judged claims."""
    torch.manual_seed(seed)
    model = build(name)
    train(model, schedule, seed)
    return save(model, schedule, seed, to, judged)
