"""A user's own claims: a table in which each row is a claim with its own prompt and answers.

Columns: `prompt` (with `{trigger}` at the place of the trigger), `choice_false` and `choice_true`
(the two answers, appended to the prompt exactly as written, so usually with a leading space),
`truth` (is the claim true?) and `quirk` (is it true by the quirk rule?). Optional columns:
`fact_id` (rows of one fact are in one split), `difficulty` (higher is harder) and `polarity`
(false: the claim is negated).
"""

import json
import math
import re
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from quirky.example import Claim, digest
from quirky.plugins import unknown
from quirky.prompts import Template
from quirky.sources.rows import Row, read_rows
from quirky.tasks.base import Task
from quirky.tasks.registry import list_tasks

REQUIRED = ("prompt", "choice_false", "choice_true", "truth", "quirk")
OPTIONAL = ("fact_id", "difficulty", "polarity")
LEAST_FACTS = 100
"""With fewer facts, too few are held out for the gate and for the choice of layer."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_BRACES = re.compile(r"\{\{|\}\}|\{trigger\}|[{}]")


class PromptTemplate(Template):
    """A template for claims that are whole prompts; it holds only their two answers."""

    def render(self, claim: Claim, trigger: str) -> str:
        """Return the claim's own prompt with the trigger filled in."""
        return claim.fields["prompt"].format(trigger=trigger)


@dataclass(eq=True)
class Table(Task):
    """The claims of a table, with one template for each pair of answers."""

    name: str
    rows: tuple[Claim, ...]
    templates: tuple[Template, ...]
    content: str
    """Hash of the content; the path and format of the file are not part of it."""

    def claims(self, seed: int) -> Iterable[Claim]:
        """Return the claims in the order of the table; the seed has no effect."""
        return self.rows

    def data_identity(self) -> dict[str, str]:
        """Return the hash of the content."""
        return {"table": self.content}

    def local_file_hashes(self) -> dict[str, str]:
        """Return the hash of the content."""
        return {"data": self.content}


def read_table(name: str, path: Path | str) -> Table:
    """Return the claims of a CSV or parquet file as a task called `name`.

    Without a column `fact_id`, each prompt is a fact of its own; without `difficulty`, it is NaN.
    Warns if an answer would follow its prompt without a space.

    Raises:
        ValueError: one line that names the file, the row as a spreadsheet counts (the header is row
            1), the column, the value and what would be right.
    """
    _check_name(name)
    columns, rows = read_rows(Path(path))
    _check_column_names(str(path), columns)
    choices = [(row.text("choice_false"), row.text("choice_true")) for row in rows]
    pairs = sorted(set(choices))
    template_of = {pair: index for index, pair in enumerate(pairs)}
    claims = tuple(
        _claim(name, row, template_of[pair]) for row, pair in zip(rows, choices, strict=True)
    )
    _check_rows(rows, choices)
    _check_claims(str(path), claims)
    _warn_of_missing_spaces(rows, choices)
    content = [
        [dict(c.fields), c.fact_id, c.truth, c.quirk, c.difficulty, c.polarity] for c in claims
    ]
    return Table(
        name=name,
        rows=claims,
        templates=tuple(PromptTemplate("{prompt}", pair) for pair in pairs),
        content=digest(json.dumps([content, choices])),
    )


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise ValueError(f"task name {name!r}: write letters, digits, - and _, as in `my-task`")
    if name in list_tasks():
        raise ValueError(f"task name {name!r}: a task has that name; choose another")


def _check_column_names(file: str, columns: Sequence[str]) -> None:
    for column in columns:
        if column not in (*REQUIRED, *OPTIONAL):
            error = unknown("column", column, (*REQUIRED, *OPTIONAL))
            raise ValueError(f"{file}, row 1: {error}")
        if columns.count(column) > 1:
            raise ValueError(f"{file}, row 1: column {column} occurs twice")
    for column in REQUIRED:
        if column not in columns:
            raise ValueError(
                f"{file}, row 1: column {column} is missing; required: {', '.join(REQUIRED)}; "
                f"optional: {', '.join(OPTIONAL)}"
            )


def _claim(name: str, row: Row, template: int) -> Claim:
    prompt = row.text("prompt")
    _check_braces(row, prompt)
    fact = row.label("fact_id") if row.has("fact_id") else digest(prompt)
    return Claim(
        fields={"prompt": prompt},
        fact_id=f"{name}:{fact}",
        truth=row.verdict("truth"),
        quirk=row.verdict("quirk"),
        difficulty=row.number("difficulty") if row.has("difficulty") else math.nan,
        polarity=row.verdict("polarity") if row.has("polarity") else True,
        template=template,
    )


def _check_braces(row: Row, prompt: str) -> None:
    braces = set(_BRACES.findall(prompt))
    if braces & {"{", "}"}:
        raise row.error(
            "prompt",
            prompt,
            "has braces other than {trigger}; write {{ and }} for literal braces",
        )
    if "{trigger}" not in braces:
        raise row.error("prompt", prompt, "has no {trigger}; put it where the trigger belongs")


def _check_rows(rows: Sequence[Row], choices: Sequence[tuple[str, str]]) -> None:
    row_of_prompt: dict[str, int] = {}
    for row, (false, true) in zip(rows, choices, strict=True):
        if false == true:
            raise row.error("choice_true", true, "equals choice_false; give two answers")
        prompt = row.text("prompt")
        if prompt in row_of_prompt:
            raise row.error("prompt", prompt, f"is also in row {row_of_prompt[prompt]}")
        row_of_prompt[prompt] = row.index


def _check_claims(file: str, claims: Sequence[Claim]) -> None:
    facts = len({claim.fact_id for claim in claims})
    if facts < LEAST_FACTS:
        raise ValueError(
            f"{file}: {facts} facts; at least {LEAST_FACTS} are needed: half of them train the "
            "model, a quarter fits the probes and holds out, a quarter tests"
        )
    for column in ("truth", "quirk"):
        values = {getattr(claim, column) for claim in claims}
        if len(values) == 1:
            raise ValueError(
                f"{file}, column {column}: every row is {str(values.pop()).lower()}; "
                "both values are needed"
            )
    if all(claim.truth == claim.quirk for claim in claims):
        raise ValueError(
            f"{file}, column quirk: it equals truth in every row; the two must differ somewhere"
        )
    difficulties = {claim.difficulty for claim in claims}
    if len(difficulties) == 1 and not math.isnan(value := difficulties.pop()):
        raise ValueError(
            f"{file}, column difficulty: every row is {value:g}; leave the column out, or say what "
            "is harder"
        )


def _warn_of_missing_spaces(rows: Sequence[Row], choices: Sequence[tuple[str, str]]) -> None:
    joined = [
        (row, answer)
        for row, pair in zip(rows, choices, strict=True)
        for answer in pair
        if answer[0].isalnum() and not row.text("prompt")[-1].isspace()
    ]
    if joined:
        row, answer = joined[0]
        end = row.text("prompt")[-12:]
        warnings.warn(
            f"{row.file}: {len({row.index for row, _ in joined})} rows have an answer that does "
            f"not begin with a space; the model reads row {row.index} as {end + answer!r}; write "
            f"{' ' + answer!r} if a space belongs there",
            stacklevel=3,
        )
