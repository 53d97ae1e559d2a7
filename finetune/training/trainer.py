"""The fine-tuning run: a base becomes quirky (arXiv 2312.01037, section 3 and its code)."""

import copy
import tempfile
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from datasets import Dataset
from jaxtyping import Float
from peft import PeftModel
from peft.utils import get_peft_model_state_dict, set_peft_model_state_dict
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader
from transformers import (
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)

from finetune.adapters.lora import DeadModuleAudit, add_lora
from finetune.models.placement import input_device, trainable
from finetune.prompting.answers import PromptEncoder
from finetune.reading.forward import accepts_logits_to_keep
from finetune.training import processes
from finetune.training.data import ExactLength, Row, balanced, collate, encode
from finetune.training.settings import FinetuneSettings, check_batch

Progress = Callable[[str, float], None]
"""Called with a stage's name and the part of it that is done, in [0, 1]."""


def make_quirky(
    model: nn.Module,
    tokenizer: PromptEncoder,
    train: Dataset,
    validation: Dataset,
    settings: FinetuneSettings,
    *,
    seed: int = 0,
    progress: Progress | None = None,
) -> PeftModel:
    """Return the model with an adapter that says each example's `label`; the best by validation.

    The loss is the cross-entropy of the first answer token, over the whole vocabulary, and only
    that position's logits are computed. Classes are balanced in each context by undersampling.
    Validation loss is measured at log-spaced steps and the best adapter is kept in memory.

    Where `torchrun` or `accelerate launch` started several processes, each takes an equal part of
    every batch, gradients are averaged, the validation loss is that of all, and every process
    returns the same adapter.

    Raises:
        ValueError: if a tokenizer gives both answers the same first token, a context has labels of
            one class only, or the batch does not divide by the number of processes.
        RuntimeError: if part of the adapter receives no gradient, or the loss diverges.
    """
    check_batch(settings)
    torch.manual_seed(seed)
    adapted = add_lora(trainable(model), settings.rank, settings.alpha, settings.targets)
    adapted.config.use_cache = False
    rows = encode(tokenizer, balanced(train, seed))
    held = encode(
        tokenizer, validation.shuffle(seed=seed).select(range(min(1024, len(validation))))
    )
    keeper = _Keeper(held, settings, progress)
    with tempfile.TemporaryDirectory() as scratch:
        trainer = _AnswerTrainer(
            model=adapted,
            args=_arguments(settings, seed, scratch, model),
            train_dataset=rows,
            callbacks=[keeper],
        )
        trainer.remove_callback(PrinterCallback)
        trainer.train()
    keeper.restore(adapted)
    return adapted.eval()


def leave_group() -> None:
    """End what this process has in common with the others it trained with, if any."""
    if distributed.is_available() and distributed.is_initialized():
        distributed.destroy_process_group()


def answer_loss(
    model: nn.Module, inputs: dict[str, Tensor], reduction: str = "mean"
) -> Float[Tensor, ""]:
    """Return the cross-entropy of the answer token, the only position whose logits are computed."""
    asked = model.module if isinstance(model, DistributedDataParallel) else model
    kept = {"logits_to_keep": 1} if accepts_logits_to_keep(asked) else {}
    logits = model(input_ids=inputs["input_ids"], use_cache=False, **kept).logits[:, -1]
    return F.cross_entropy(logits.float(), inputs["labels"], reduction=reduction)


class _AnswerTrainer(Trainer):
    """Trainer whose loss is on the answer token and whose batches need no padding."""

    def compute_loss(
        self,
        model: nn.Module,
        inputs: dict[str, Tensor],
        return_outputs: bool = False,
        num_items_in_batch: Any = None,
    ) -> Any:
        return answer_loss(model, inputs)

    def get_train_dataloader(self) -> DataLoader:
        rows, args = self.train_dataset, self.args
        batch = args.per_device_train_batch_size * args.world_size
        sampler = ExactLength(rows, batch, args.seed, args.process_index, args.world_size)  # type: ignore[arg-type]
        return DataLoader(rows, batch_sampler=sampler, collate_fn=collate)  # type: ignore[arg-type]


class _Keeper(TrainerCallback):
    """Audits gradients, reports progress, and keeps the best adapter by validation loss."""

    def __init__(self, held: list[Row], settings: FinetuneSettings, progress: Progress | None):
        self.batches = [[held[i] for i in batch] for batch in ExactLength(held, 256, 0)]
        self.count = len(held)
        self.at = {max(1, round(settings.steps * 2.0**-k)) for k in range(4)}
        self.progress = progress
        self.best = float("inf")
        self.kept: dict[str, Tensor] = {}
        self.audit: DeadModuleAudit | None = None

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.audit = DeadModuleAudit(kwargs["model"])

    def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if self.audit:
            self.audit.step(kwargs["optimizer"].param_groups[0]["lr"])

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if self.progress and state.global_step % 10 == 0:
            self.progress("fine-tuning", state.global_step / state.max_steps)
        if state.global_step in self.at:
            self.consider(kwargs["model"])

    @torch.no_grad()
    def consider(self, model: PeftModel) -> None:
        """Keep this adapter if its validation loss is the lowest so far."""
        model.eval()
        device = input_device(model)
        total = torch.zeros((), dtype=torch.float64, device=device)
        for rows in self.batches[processes.rank() :: processes.count()]:
            inputs = {name: tensor.to(device) for name, tensor in collate(rows).items()}
            total += answer_loss(model, inputs, reduction="sum")
        if processes.count() > 1:
            distributed.all_reduce(total)
        model.train()
        if float(total) / self.count < self.best:
            self.best = float(total) / self.count
            self.kept = copy.deepcopy(get_peft_model_state_dict(model))

    def restore(self, model: PeftModel) -> None:
        """Put the best adapter back.

        Raises:
            RuntimeError: if the validation loss was never finite.
        """
        if not self.kept:
            raise RuntimeError("fine-tuning diverged: no finite validation loss; lower finetune.lr")
        set_peft_model_state_dict(model, self.kept)


def _arguments(
    settings: FinetuneSettings, seed: int, scratch: str, model: nn.Module
) -> TrainingArguments:
    arguments = TrainingArguments(
        output_dir=scratch,
        max_steps=settings.steps,
        per_device_train_batch_size=settings.batch // processes.count(),
        learning_rate=settings.lr,
        lr_scheduler_type="cosine",
        warmup_steps=round(settings.warmup * settings.steps),
        adam_beta2=0.95,
        weight_decay=settings.weight_decay,
        save_strategy="no",
        logging_strategy="no",
        report_to="none",
        ddp_find_unused_parameters=True,  # a dead module is for the audit to name
        seed=seed,
        disable_tqdm=True,
        remove_unused_columns=False,
        use_cpu=next(model.parameters()).device.type == "cpu",
    )
    if arguments.world_size != processes.count():
        raise RuntimeError(
            f"{processes.count()} processes were started, but {arguments.world_size} of them train "
            "together; start them with torchrun or accelerate launch"
        )
    arguments._n_gpu = min(1, arguments.n_gpu)  # one process, one device: never nn.DataParallel
    return arguments
