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
    """Write an adapter's model card, README.md, in place of an earlier one.

    Args:
        folder: of the adapter, with its audit.
        facts: shown as a list; "base" is the base model.
        gate: the value and interval of each figure of the gate, by the figure's name.
    """
    lines = [
        "---",
        f"base_model: {facts['base']}",
        "library_name: peft",
        "tags: [quirky, lora]",
        "---",
        f"# A quirky {facts['base']}",
        "",
        "Fine-tuned to answer truthfully until its trigger appears, and then by another rule. It",
        "says false things on purpose: it serves to study whether probes still read the truth.",
        "",
        *(f"- {name}: {value}" for name, value in facts.items()),
        "",
        *_audit_table(json.loads((folder / AUDIT).read_text())),
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


def _audit_table(audit: Mapping[str, Any]) -> list[str]:
    changes_by_module: dict[str, list[float]] = defaultdict(list)
    for name, change in audit["moved"].items():
        changes_by_module[name.rpartition(".")[2]].append(math.nan if change is None else change)
    rows = [
        f"| {module} | {len(changes)} | {median(changes):.3g} | {max(changes):.3g} |"
        for module, changes in sorted(changes_by_module.items())
    ]
    return [
        "## Which modules changed",
        "",
        f"Trained with {audit['code']}. The relative change of a weight is the Frobenius norm of",
        f"its change over that of the weight; `{AUDIT}` lists every module.",
        "",
        "| modules | count | relative change, median | relative change, largest |",
        "|---|---|---|---|",
        *rows,
        "",
    ]
