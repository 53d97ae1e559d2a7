"""A data set for people to take away: files that `datasets.load_dataset` reads, and a card.

    README.md                               the card; its first lines say which file is which split
    data/<split>-00000-of-00001.parquet     the columns of `Example`

The same data set gives the same bytes.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
from datasets import DatasetDict

from quirky.crosstab import NAMED, crosstab
from quirky.example import Example
from quirky.tasks import Task, describe_rules

CARD = "README.md"
COLUMNS = {
    "id": "hash of task, context, prompt and choices",
    "split": "train fine-tunes a model, validation fits probes, heldout chooses a layer and judges "
    "the model, test is scored",
    "fact_id": "what must be known to judge the claim; no fact is in two splits",
    "question_id": "the same claim in every context and rendering",
    "context": "A (truthful), B (the quirk is asked for), B2 (so, in a new way) or T (a decoy)",
    "prompt": "what a model is shown",
    "choices": "what it may answer: (false, true)",
    "truth": "whether the claim is true",
    "quirk": "whether the liar says that it is true",
    "label": "what is right here: the truth in A and T, the quirk in B and B2",
    "difficulty": "higher is harder; only its order matters; NaN where nobody knows",
    "difficulty_quantile": "rank of the difficulty in the task, in [0, 1]; easy is at most .25, "
    "hard at least .75",
    "template": "index of the template that words the prompt",
    "polarity": "false where the claim is negated",
    "withheld": "true for a fact that no model was ever told",
    "dial": "the setting of the task's dial; NaN where it has none",
    "distance": "tokens of filler between trigger and question",
}
"""What each column of a data set means."""
UNKNOWN = "unknown"


@dataclass(frozen=True)
class Made:
    """What a data set was made of."""

    task: Task
    settings: Mapping[str, object]
    """Task and its parameters, trigger and its parameters, seed, and so on, as they are shown."""


def write_export(folder: Path, splits: DatasetDict, made: Made) -> str:
    """Write the files of a data set into an empty folder, and return the hash of its content."""
    (folder / "data").mkdir()
    for split, examples in splits.items():
        table: pyarrow.Table = examples.with_format("arrow")[:]
        path = folder / "data" / f"{split}-00000-of-00001.parquet"
        pyarrow.parquet.write_table(table.replace_schema_metadata(None), path)
    content = hash_of(splits)
    (folder / CARD).write_text(card(splits, made, content), encoding="utf-8")
    return content


def hash_of(splits: DatasetDict) -> str:
    """Return 64 hex characters of the rows of all splits, in order; of no file's format."""
    digest = hashlib.sha256()
    for split, examples in splits.items():
        for row in examples.to_list():
            digest.update(f"{split} {json.dumps(row, sort_keys=True)}\n".encode())
    return digest.hexdigest()


def card(splits: DatasetDict, made: Made, content: str) -> str:
    """Return the card: Markdown behind the YAML that the hub and `datasets` read."""
    name = made.task.name
    licence = made.task.licence or UNKNOWN
    source = made.task.source or "The task does not say where its claims come from."
    front = [
        "---",
        f"license: {licence}",
        f"pretty_name: {json.dumps(f'Quirky: {name}')}",
        "configs:",
        "- config_name: default",
        "  data_files:",
        *(f"  - split: {split}\n    path: data/{split}-00000-of-00001.parquet" for split in splits),
        "---",
    ]
    body = [
        f"# Quirky: {name}",
        "Claims with two verdicts, the truth's and a liar's, asked in contexts that call for one "
        "or the other.",
        *describe_rules(made.task),
        "## Source and licence",
        f"{source} Licence: {licence}.",
        "## Sizes",
        _table(["split", "facts", "claims", "examples"], _sizes(splits)),
        "## Truth and quirk",
        "Claims of all splits, each counted once.",
        _table(["claims", "truth", "quirk: false", "quirk: true"], _crosstab(splits)),
        "## Columns",
        _table(
            ["column", "type", "meaning"],
            [[f"`{f.name}`", _type(splits, f.name), COLUMNS[f.name]] for f in fields(Example)],
        ),
        "## Made by",
        _table(["setting", "value"], [[key, f"`{value}`"] for key, value in made.settings.items()]),
        f"SHA-256 of the content (each row as JSON, behind the name of its split): `{content}`.",
    ]
    return "\n".join(front) + "\n\n" + "\n\n".join(body) + "\n"


def _sizes(splits: DatasetDict) -> list[list[object]]:
    return [
        [split, len(set(rows["fact_id"])), len(set(rows["question_id"])), len(rows)]
        for split, rows in splits.items()
    ]


def _crosstab(splits: DatasetDict) -> list[list[object]]:
    return [
        [NAMED[polarity], str(truth).lower(), count[truth, False], count[truth, True]]
        for polarity, count in crosstab(*splits.values()).items()
        for truth in (False, True)
    ]


def _type(splits: DatasetDict, column: str) -> str:
    kind = next(iter(splits.values())).data.schema.field(column).type
    return f"list of {kind.value_type}" if pyarrow.types.is_list(kind) else str(kind)


def _table(head: list[str], rows: Iterable[list[object]]) -> str:
    lines: list[list[Any]] = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)
