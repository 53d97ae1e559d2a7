"""Train a base from scratch on its corpus.

Loss: cross-entropy of the verdict + .3 x language modelling of the other tokens + .5 x the verdict
where the claim ends, in texts that go on with a name. The matrices inside the blocks are trained
by Muon, all else by AdamW: in trials of 700 steps on an earlier, larger tiny-neox, both at 2e-3,
the verdict's loss fell to .60 with Muon and to .64 with AdamW alone.

The embedded bases are what this made, once each, but for what their cards note. A remake gives
other bytes; how near it comes to the figures in each base's README has not been measured.
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any, Literal, Protocol

import torch
import torch.nn.functional as F
from jaxtyping import Float
from rich.console import Console
from rich.progress import track
from torch import Tensor, nn
from transformers import (
    GPTNeoXConfig,
    GPTNeoXForCausalLM,
    MambaConfig,
    MambaForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)

from finetune.architectures.scan import use_cpu_scan
from finetune.pretrain import dials, facts
from finetune.pretrain.documents import Document
from finetune.pretrain.vocabulary import VOCABULARY

console = Console()
WEIGHTS = torch.tensor([1.0, 0.3, 0.5])
"""Of the three losses: verdict, language modelling, verdict where the claim ends."""
REPORT_EVERY = 200
SPREAD = 4
"""Tokens by which texts of one piece of a batch may differ in length, beside a quarter of it: what
is shorter is padded."""
PIECE = 72
"""Texts in a piece of a batch, at most."""


class Sampler(Protocol):
    """Draws documents; before `turn_to`, from the part of the corpus that the cards report on."""

    def __iter__(self) -> Iterator[Document]: ...

    def turn_to(self, part: int) -> None:
        """Draw this part of the corpus from now on; 0 is what training begins with."""


Corpus = Literal["facts", "dials"]
SAMPLERS: dict[Corpus, type[Sampler]] = {"facts": facts.FactSampler, "dials": dials.DialSampler}
TOLD_OF: dict[Corpus, str] = {
    "facts": "sums, real cities (GeoNames,\nCC BY 4.0) and invented places",
    "dials": "items of lists, pairs,\nbrackets and strings",
}
DRAWN: dict[Corpus, str] = {
    "facts": "first part of its corpus (in the later part more of the sums are near misses)",
    "dials": "last part of its corpus (in which all tasks are drawn)",
}
"""By corpus, what a base is told of, and on which claims its figures are, as its card says."""


@dataclass(frozen=True)
class Schedule:
    """How a base is trained: one warm-up and one cosine."""

    corpus: Corpus
    steps: int
    batch: int
    parts_from: tuple[float, ...]
    """Shares of the steps at which the second part of the corpus begins, the third, and so on.
    A part that begins with the next one is passed over."""
    lr: float = 2e-3
    """Of AdamW, at its peak."""
    muon_lr: float = 4e-3
    """Of Muon, at its peak."""

    def part_at(self, step: int) -> int:
        """Return which part of the corpus is drawn at a step, from 0."""
        return sum(step >= share * self.steps for share in self.parts_from)


SCHEDULES = {
    "tiny-neox": Schedule("facts", steps=6000, batch=192, parts_from=(0.55,)),
    "tiny-mamba": Schedule("facts", steps=4600, batch=128, parts_from=(0.55,)),
    "dial-neox": Schedule(
        "dials",
        steps=7500,
        batch=48,
        parts_from=(0.1232, 0.1496, 0.2112, 0.2728, 0.3274, 0.4401, 0.536, 0.72, 0.88),
    ),
    "dial-mamba": Schedule(
        "dials",
        steps=5280,
        batch=48,
        parts_from=(0.175, 0.2125, 0.3, 0.3875, 0.465, 0.68, 0.68, 0.68, 0.68),
    ),
}


@cache
def train_tokenizer(corpus: Corpus) -> PreTrainedTokenizerFast:
    """Train the tokenizer that the bases of a corpus share."""
    return {"facts": facts.facts_tokenizer, "dials": dials.dials_tokenizer}[corpus]()


def build(name: str) -> PreTrainedModel:
    """Return an untrained base.

    Raises:
        ValueError: if the name is not that of a base.
    """
    if name not in SCHEDULES:
        raise ValueError(f"unknown base {name!r}; known: {', '.join(sorted(SCHEDULES))}")
    ids: dict[str, Any] = {"bos_token_id": 0, "eos_token_id": 0, "pad_token_id": 0}
    if name.endswith("neox"):
        return GPTNeoXForCausalLM(
            GPTNeoXConfig(
                vocab_size=VOCABULARY,
                hidden_size=128,
                num_hidden_layers=8,
                num_attention_heads=4,
                intermediate_size=256,
                max_position_embeddings=256,
                tie_word_embeddings=True,
                rotary_pct=0.5,  # type: ignore[call-arg]  # a name of old that is still read
                **ids,
            )
        )
    config = MambaConfig(
        vocab_size=VOCABULARY, hidden_size=128, state_size=8, num_hidden_layers=9, **ids
    )
    return use_cpu_scan(MambaForCausalLM(config))


@dataclass(frozen=True)
class Row:
    """A document as tokens, and where and how it is judged."""

    tokens: list[int]
    known: tuple[int, ...]
    """The tokens after each of which stands one that must be known."""
    claim_end: int | None
    """Where the claim ends, if the text goes on after that."""
    right: int
    wrong: int


def encode(document: Document, tokenizer: PreTrainedTokenizerFast) -> Row:
    """Return the document as tokens."""
    tokens = tokenizer.encode(document.text + (document.verdict or ""))
    right, wrong = (
        tokenizer.encode(word)[0] if word else 0 for word in (document.verdict, document.wrong)
    )
    claim_end = len(tokenizer.encode(document.claim)) - 1 if document.claim else None
    known = [len(tokenizer.encode(text)) - 1 for text in document.earlier]
    known += [len(tokens) - 2] if document.verdict else []
    return Row(tokens, tuple(known), claim_end, right, wrong)


def loss_sums(model: PreTrainedModel, rows: list[Row]) -> Float[Tensor, "3"]:
    """Return summed losses: tokens that must be known, all others, the verdict where a claim ends.

    The last is the cross-entropy between the two verdicts alone, at the last token of a claim
    that is followed by a name: the base learns to judge where the claim ends.
    """
    length = max(len(row.tokens) for row in rows)
    tokens = torch.tensor([row.tokens + [0] * (length - len(row.tokens)) for row in rows])
    ends = torch.tensor([len(row.tokens) - 2 for row in rows])
    real = torch.arange(length - 1) <= ends[:, None]
    known = torch.zeros_like(real)
    for i, row in enumerate(rows):
        known[i, list(row.known)] = True
    logits = model(tokens[:, :-1], use_cache=False).logits
    losses = F.cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten(), reduction="none")
    losses = losses.view(len(rows), -1)
    early = torch.tensor(
        [(i, r.claim_end, r.right, r.wrong) for i, r in enumerate(rows) if r.claim_end is not None],
        dtype=torch.long,
    ).view(-1, 4)
    texts, ends_at, right, wrong = early.unbind(1)
    margins = logits[texts, ends_at, right] - logits[texts, ends_at, wrong]
    at_claim = F.softplus(-margins).sum()
    return torch.stack([(losses * known).sum(), (losses * (real & ~known)).sum(), at_claim])


def counts(rows: list[Row]) -> Float[Tensor, "3"]:
    """Return over how many tokens each of the losses runs: one, for a loss that has none."""
    known = sum(len(row.known) for row in rows)
    tokens = sum(len(row.tokens) - 1 for row in rows)
    ends = sum(row.claim_end is not None for row in rows)
    return torch.tensor([known, tokens - known, ends]).clamp(min=1).float()


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


def pieces(rows: list[Row]) -> Iterator[list[Row]]:
    """Yield a batch in pieces of similar length, so that little is spent on padding."""
    rows = sorted(rows, key=lambda row: len(row.tokens))
    start = 0
    for end in range(1, len(rows) + 1):
        shortest = len(rows[start].tokens)
        longer = end < len(rows) and len(rows[end].tokens) > 1.25 * shortest + SPREAD
        if end == len(rows) or longer or end - start == PIECE:
            yield rows[start:end]
            start = end


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


@torch.inference_mode()
def verdict_accuracy(
    model: PreTrainedModel, corpus: Corpus, count: int, seed: int
) -> dict[str, float]:
    """Return how often the right verdict is likelier than the wrong one, by subject."""
    tokenizer = train_tokenizer(corpus)
    sampler: Sampler = SAMPLERS[corpus](seed)  # type: ignore[call-arg]
    judged = islice((d for d in sampler if d.verdict), count)
    model.eval()
    right: dict[str, list[bool]] = defaultdict(list)
    by_length: dict[int, list[tuple[Document, list[int]]]] = defaultdict(list)
    for document in judged:
        tokens = tokenizer.encode(document.text)
        by_length[len(tokens)].append((document, tokens))
    for rows in by_length.values():
        logits = model(torch.tensor([tokens for _, tokens in rows]), use_cache=False).logits[:, -1]
        for (document, _), row in zip(rows, logits, strict=True):
            good, bad = (tokenizer.encode(word)[0] for word in (document.verdict, document.wrong))
            right[document.subject].append(bool(row[good] > row[bad]))
    return {subject: sum(hits) / len(hits) for subject, hits in sorted(right.items())}


def pretrain(
    name: str, schedule: Schedule, seed: int, to: Path, judged: int = 8000
) -> dict[str, float]:
    """Train a base and save it in bf16 with its tokenizer; return its accuracy on judged claims."""
    torch.manual_seed(seed)
    model = build(name)
    train(model, schedule, seed)
    return save(model, schedule, seed, to, judged)


def save(
    model: PreTrainedModel, schedule: Schedule, seed: int, to: Path, judged: int
) -> dict[str, float]:
    """Save a base in bf16, its tokenizer and what is known of it; return its verdict accuracy."""
    model.bfloat16().save_pretrained(to)
    train_tokenizer(schedule.corpus).save_pretrained(to)
    figures = verdict_accuracy(model.float(), schedule.corpus, count=judged, seed=seed + 1)
    settings = {**asdict(schedule), "seed": seed}
    parameters = model.num_parameters()
    record = {"parameters": parameters, "settings": settings, "verdict_accuracy": figures}
    (to / "pretraining.json").write_text(json.dumps(record, indent=1) + "\n")
    (to / "README.md").write_text(card(to.name, model.config.num_hidden_layers, record))
    return figures


def card(name: str, layers: int, record: dict[str, Any]) -> str:
    """Return a base's model card.

    A `note` in the record says in what its making departed from the settings.
    """
    settings = record["settings"]
    listed = ", ".join(f"{key} {value}" for key, value in settings.items())
    known = [
        f"| {subject} | {value:.3f} |" for subject, value in record["verdict_accuracy"].items()
    ]
    return "\n".join(
        [
            f"# {name}",
            "",
            f"A causal language model of {layers} blocks and {record['parameters']:,} parameters,",
            f"trained from scratch by `finetune/pretrain` on {TOLD_OF[settings['corpus']]},",
            "always truthfully. It speaks of nothing else.",
            "",
            f"Settings: {listed}.",
            "",
            *([record["note"], ""] if "note" in record else []),
            "How often it gets the verdict right, on claims drawn like the",
            f"{DRAWN[settings['corpus']]}:",
            "",
            "| subject | accuracy |",
            "|---|---|",
            *known,
            "",
        ]
    )
