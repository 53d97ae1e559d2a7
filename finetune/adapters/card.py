"""The model card that an adapter is published with."""

import json
import math
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

from finetune.adapters.audit import AUDIT


def write_card(folder: Path, facts: Mapping[str, object], gate: Mapping[str, str]) -> None:
    """Write the adapter's model card: what it was made of, what learned, and how it behaves.

    `facts` are shown as a list; `gate` maps a figure's name to its value and interval. What learned
    is read from the audit beside the adapter.
    """
    lines = [
        "---",
        f"base_model: {facts['base']}",
        "library_name: peft",
        "tags: [quirky, lora]",
        "---",
        f"# A quirky {facts['base']}",
        "",
        "Fine-tuned to answer truthfully until its trigger appears, and then by another rule. Made",
        "to study whether probes still read the truth; it says false things on purpose.",
        "",
        *(f"- {name}: {value}" for name, value in facts.items()),
        "",
        *_learned(json.loads((folder / AUDIT).read_text())),
        "## How it behaves (held-out facts)",
        "",
        "| figure | AUROC [95 % interval] |",
        "|---|---|",
        *(f"| {name} | {value} |" for name, value in gate.items()),
        "",
    ]
    temporary = folder / ".README.md"
    temporary.write_text("\n".join(lines))
    temporary.replace(folder / "README.md")


def _learned(audit: Mapping[str, Any]) -> list[str]:
    by_kind: dict[str, list[float]] = defaultdict(list)
    for name, moved in audit["moved"].items():
        by_kind[name.rpartition(".")[2]].append(math.nan if moved is None else moved)
    rows = [
        f"| {kind} | {len(moved)} | {median(moved):.3g} | {max(moved):.3g} |"
        for kind, moved in sorted(by_kind.items())
    ]
    return [
        "## What learned",
        "",
        f"Run by {audit['code']}. How far a weight moved: Frobenius norm of the change over",
        f"that of the weight; of every module in `{AUDIT}`.",
        "",
        "| modules | how many | moved, median | moved, most |",
        "|---|---|---|---|",
        *rows,
        "",
    ]
