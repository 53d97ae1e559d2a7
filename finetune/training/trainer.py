"""Fine-tune a base into a quirky model (arXiv 2312.01037, section 3 and its code)."""

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
from transformers import PrinterCallback, Trainer, TrainerCallback, TrainingArguments

from finetune.adapters.audit import DeadModuleAudit
from finetune.adapters.lora import add_lora
from finetune.architectures.devices import input_device
from finetune.models.placement import prepare_for_training
from finetune.prompting.answers import PromptEncoder
from finetune.reading.forward import accepts_logits_to_keep
from finetune.training import processes
from finetune.training.data import (
    EncodedExample,
    ExactLengthSampler,
    balance_labels,
    collate,
    encode_examples,
)
from finetune.training.settings import FinetuneSettings, check_batch

Progress = Callable[[str, float], None]
"""Called with the name of a stage and its completed fraction, in [0, 1]."""

MAX_VALIDATION = 1024
"""Maximum number of examples that the validation loss is computed on."""


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
    """Add an adapter to a model and train it to give each example's `label`.

    The loss is the cross-entropy of the first answer token over the whole vocabulary; only the
    logits at that position are computed. Labels are balanced in each context by undersampling.
    The validation loss is computed at log-spaced steps, and the adapter with the lowest one is
    returned.

    With several processes (`torchrun`, `accelerate launch`), each takes an equal share of every
    batch, gradients are averaged, the validation loss is that of all examples, and every process
    returns the same adapter.

    Args:
        model: the base; the adapter is added to it.
        tokenizer: the model's tokenizer.
        train: examples with the columns `context`, `prompt`, `choices` and `label`.
        validation: examples with the same columns, of which 1,024 are drawn.
        settings: LoRA and optimiser settings.
        seed: of the adapter's initial weights, of the draws and of the order of batches.
        progress: called every ten steps.

    Returns:
        The model with the adapter, in eval mode.

    Raises:
        ValueError: if both answers to a prompt have the same first token, a context has labels of
            one class only, or the batch size is not a multiple of the number of processes.
        RuntimeError: if part of the adapter receives no gradient, or the loss diverges.
    """
    check_batch(settings)
    torch.manual_seed(seed)
    adapted = add_lora(prepare_for_training(model), settings.rank, settings.alpha, settings.targets)
    adapted.config.use_cache = False
    train_examples = encode_examples(tokenizer, balance_labels(train, seed))
    n_validation = min(MAX_VALIDATION, len(validation))
    validation_examples = encode_examples(
        tokenizer, validation.shuffle(seed=seed).select(range(n_validation))
    )
    callback = _BestAdapterCallback(validation_examples, settings, progress)
    with tempfile.TemporaryDirectory() as scratch:
        trainer = _AnswerTrainer(
            model=adapted,
            args=_training_arguments(settings, seed, scratch, model),
            train_dataset=train_examples,
            callbacks=[callback],
        )
        trainer.remove_callback(PrinterCallback)
        trainer.train()
    callback.restore_best(adapted)
    return adapted.eval()


def leave_process_group() -> None:
    """Destroy the process group that training with several processes created, if any."""
    if distributed.is_available() and distributed.is_initialized():
        distributed.destroy_process_group()


def answer_loss(
    model: nn.Module, inputs: dict[str, Tensor], reduction: str = "mean"
) -> Float[Tensor, ""]:
    """Return the cross-entropy of the answer token.

    Args:
        model: a causal language model, which may be wrapped in `DistributedDataParallel`.
        inputs: a batch of `collate`.
        reduction: as in `torch.nn.functional.cross_entropy`.
    """
    unwrapped = model.module if isinstance(model, DistributedDataParallel) else model
    options = {"logits_to_keep": 1} if accepts_logits_to_keep(unwrapped) else {}
    logits = model(input_ids=inputs["input_ids"], use_cache=False, **options).logits[:, -1]
    return F.cross_entropy(logits.float(), inputs["labels"], reduction=reduction)


class _AnswerTrainer(Trainer):
    """A Trainer with the loss of the answer token and batches that need no padding."""

    def compute_loss(
        self,
        model: nn.Module,
        inputs: dict[str, Tensor],
        return_outputs: bool = False,
        num_items_in_batch: Any = None,
    ) -> Any:
        return answer_loss(model, inputs)

    def get_train_dataloader(self) -> DataLoader:
        examples, args = self.train_dataset, self.args
        batch_size = args.per_device_train_batch_size * args.world_size
        sampler = ExactLengthSampler(
            examples,  # type: ignore[arg-type]
            batch_size,
            args.seed,
            args.process_index,
            args.world_size,
        )
        return DataLoader(examples, batch_sampler=sampler, collate_fn=collate)  # type: ignore[arg-type]


class _BestAdapterCallback(TrainerCallback):
    """Audits gradients, reports progress and keeps the adapter with the lowest validation loss.

    The validation loss is computed after 1/8, 1/4, 1/2 and all of the steps.
    """

    def __init__(
        self,
        validation: list[EncodedExample],
        settings: FinetuneSettings,
        progress: Progress | None,
    ):
        sampler = ExactLengthSampler(validation, 256, 0)
        self.batches = [[validation[i] for i in batch] for batch in sampler]
        self.n_examples = len(validation)
        self.evaluation_steps = {max(1, round(settings.steps * 2.0**-k)) for k in range(4)}
        self.progress = progress
        self.best_loss = float("inf")
        self.best_weights: dict[str, Tensor] = {}
        self.audit: DeadModuleAudit | None = None

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.audit = DeadModuleAudit(kwargs["model"])

    def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if self.audit:
            self.audit.step(kwargs["optimizer"].param_groups[0]["lr"])

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if self.progress and state.global_step % 10 == 0:
            self.progress("fine-tuning", state.global_step / state.max_steps)
        if state.global_step in self.evaluation_steps:
            self._evaluate(kwargs["model"])

    @torch.no_grad()
    def _evaluate(self, model: PeftModel) -> None:
        """Copy the adapter if its validation loss is the lowest so far."""
        model.eval()
        device = input_device(model)
        total = torch.zeros((), dtype=torch.float64, device=device)
        for batch in self.batches[processes.rank() :: processes.count()]:
            inputs = {name: tensor.to(device) for name, tensor in collate(batch).items()}
            total += answer_loss(model, inputs, reduction="sum")
        if processes.count() > 1:
            distributed.all_reduce(total)
        model.train()
        loss = float(total) / self.n_examples
        if loss < self.best_loss:
            self.best_loss = loss
            self.best_weights = copy.deepcopy(get_peft_model_state_dict(model))

    def restore_best(self, model: PeftModel) -> None:
        """Load the weights of the best adapter.

        Raises:
            RuntimeError: if the validation loss was never finite.
        """
        if not self.best_weights:
            raise RuntimeError("fine-tuning diverged: no finite validation loss; lower finetune.lr")
        set_peft_model_state_dict(model, self.best_weights)


def _training_arguments(
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
        ddp_find_unused_parameters=True,  # else DDP fails before the audit can name a dead module
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
