"""Exports a data set as files that `datasets.load_dataset` reads, with a card.

    README.md                               the card; its front matter lists the files of each split
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

from quirky.data.crosstab import POLARITY_NAMES, crosstab
from quirky.example import Example
from quirky.tasks import Task, describe_rules

CARD = "README.md"
COLUMN_MEANINGS = {
    "id": "hash of task, context, prompt and choices",
    "split": "train: fine-tunes the model; validation: fits the probes; heldout: chooses the layer "
    "and evaluates the gate; test: is scored",
    "fact_id": "the knowledge needed to judge the claim; no fact is in two splits",
    "question_id": "the same for one claim in every context and template",
    "context": "A (truthful), B (quirky), B2 (quirky, by a trigger not trained on) or T (decoy)",
    "prompt": "the input of the model",
    "choices": "the two answers: (false, true)",
    "truth": "whether the claim is true",
    "quirk": "whether the claim is true by the quirk's rule: what the liar says",
    "label": "the right answer in this context: the truth in A and T, the quirk in B and B2",
    "difficulty": "higher is harder; only the order matters; NaN if unknown",
    "difficulty_quantile": "rank of the difficulty within the task, in [0, 1]; easy is at most "
    ".25, hard at least .75; NaN if unknown",
    "template": "index of the template of the prompt",
    "polarity": "false for a negated claim",
    "withheld": "true for a fact that no model was trained on",
    "dial": "the setting of the task's dial; NaN for a task without one",
    "distance": "tokens of filler between trigger and question",
}
"""The meaning of each column, as the card explains it."""
UNKNOWN_LICENCE = "unknown"
UNKNOWN_SOURCE = "The task does not state the source of its claims."


@dataclass(frozen=True)
class Provenance:
    """What a data set was built from."""

    task: Task
    settings: Mapping[str, object]
    """Parameters of task and trigger, seed and so on, as the card lists them."""


def write_export(folder: Path, splits: DatasetDict, provenance: Provenance) -> str:
    """Write a data set and its card into an empty folder, and return `content_hash`."""
    (folder / "data").mkdir()
    for split, examples in splits.items():
        table: pyarrow.Table = examples.with_format("arrow")[:]
        path = folder / _data_file(split)
        pyarrow.parquet.write_table(table.replace_schema_metadata(None), path)
    sha256 = content_hash(splits)
    (folder / CARD).write_text(render_card(splits, provenance, sha256), encoding="utf-8")
    return sha256


def content_hash(splits: DatasetDict) -> str:
    """Return the SHA-256 of the rows of all splits in order, independent of the file format."""
    digest = hashlib.sha256()
    for split, examples in splits.items():
        for row in examples.to_list():
            digest.update(f"{split} {json.dumps(row, sort_keys=True)}\n".encode())
    return digest.hexdigest()


def render_card(splits: DatasetDict, provenance: Provenance, sha256: str) -> str:
    """Return the card as Markdown with YAML front matter, as the hub and `datasets` read it."""
    task = provenance.task
    licence = task.licence or UNKNOWN_LICENCE
    source = task.source or UNKNOWN_SOURCE
    settings: list[list[object]] = [
        [name, f"`{value}`"] for name, value in provenance.settings.items()
    ]
    body = [
        f"# Quirky: {task.name}",
        "Claims with two verdicts, the truth and what a liar says, in contexts that call for one "
        "or the other.",
        *describe_rules(task),
        "## Source and licence",
        f"{source} Licence: {licence}.",
        "## Sizes",
        _markdown_table(["split", "facts", "claims", "examples"], _sizes(splits)),
        "## Truth and quirk",
        "Claims of all splits, each counted once.",
        _markdown_table(["claims", "truth", "quirk: false", "quirk: true"], _crosstab(splits)),
        "## Columns",
        _markdown_table(["column", "type", "meaning"], _columns(splits)),
        "## Settings",
        _markdown_table(["setting", "value"], settings),
        f"SHA-256 of the content (the name of the split and the row as JSON, for each row): "
        f"`{sha256}`.",
    ]
    return f"{_front_matter(task.name, licence, splits)}\n\n" + "\n\n".join(body) + "\n"


def _front_matter(task: str, licence: str, splits: Iterable[str]) -> str:
    lines = [
        "---",
        f"license: {licence}",
        f"pretty_name: {json.dumps(f'Quirky: {task}')}",
        "configs:",
        "- config_name: default",
        "  data_files:",
        *(f"  - split: {split}\n    path: {_data_file(split)}" for split in splits),
        "---",
    ]
    return "\n".join(lines)


def _data_file(split: str) -> str:
    return f"data/{split}-00000-of-00001.parquet"


def _sizes(splits: DatasetDict) -> list[list[object]]:
    return [
        [split, len(set(rows["fact_id"])), len(set(rows["question_id"])), len(rows)]
        for split, rows in splits.items()
    ]


def _crosstab(splits: DatasetDict) -> list[list[object]]:
    return [
        [POLARITY_NAMES[polarity], str(truth).lower(), counts[truth, False], counts[truth, True]]
        for polarity, counts in crosstab(*splits.values()).items()
        for truth in (False, True)
    ]


def _columns(splits: DatasetDict) -> list[list[object]]:
    schema = next(iter(splits.values())).data.schema
    return [
        [f"`{field.name}`", _type_name(schema.field(field.name).type), COLUMN_MEANINGS[field.name]]
        for field in fields(Example)
    ]


def _type_name(kind: pyarrow.DataType) -> str:
    return f"list of {kind.value_type}" if pyarrow.types.is_list(kind) else str(kind)


def _markdown_table(header: list[str], rows: Iterable[list[object]]) -> str:
    lines: list[list[Any]] = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)
