"""Made-up rows with the columns of the public data sets, files of them, and claims of files."""

import json
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from quirky.example import Claim
from quirky.tasks import get_task

Rows = list[dict[str, Any]]

FIRST = ["Ann", "Ben", "Cleo", "Dora", "Emil", "Fay", "Gus", "Hope"]
LAST = ["Ames", "Birk", "Cole", "Dunn", "East", "Ford", "Gale", "Hill", "Ives", "Judd"]


def capitals(count: int = 240) -> Rows:
    """Regions of five towns; in every other one the capital is the largest."""
    rng = random.Random(0)
    rows: Rows = []
    for i in range(count):
        sizes = sorted(rng.sample(range(1_000, 900_000), 5))
        capital = 4 if i % 2 else rng.randrange(4)
        rows += [
            {
                "city": f"Town{i}{'abcde'[k]}",
                "lat": 1.5,
                "country": f"Land{i % 7}",
                "admin_name": f"Region {i}",
                "capital": "admin" if k == capital else "",
                "population": sizes[k],
            }
            for k in range(5)
        ]
    return rows


def sciq(count: int = 800) -> Rows:
    """The right answer stands in half of the passages, some distractor in half of them."""
    rng = random.Random(1)
    rows: Rows = []
    for i in range(count):
        answers = [f"matter {i}{letter}" for letter in "abcd"]
        said = [a for a in answers if rng.random() < 0.5]
        rows.append(
            {
                "question": f"What is  thing {i} made of?",
                "correct_answer": answers[0],
                **{f"distractor{k}": answers[k] for k in (1, 2, 3)},
                "support": f"Thing {i} is old. \nIt is near {', '.join(said)} and more.",
            }
        )
    return rows


def sentiment(count: int = 400) -> Rows:
    """Half are positive; half of either praise something."""
    return [
        {
            "label": i % 2,
            "title": f"Lamp {i}",
            "content": f"I have had lamp {i}. {'It is an excellent one.' if i % 4 < 2 else 'So.'}",
        }
        for i in range(count)
    ]


def nli(count: int = 400) -> Rows:
    """Labels by number as in SNLI; a few are neutral or have none."""
    return [
        {
            "premise": f"Person {i} sleeps in a house.",
            "hypothesis": f"Person {i} is {'not ' if i % 4 < 2 else ''}at home.",
            "label": (1 if i % 20 == 0 else -1 if i % 20 == 1 else 0 if i % 2 else 2),
        }
        for i in range(count)
    ]


def authors(count: int = 600) -> Rows:
    rng = random.Random(2)
    return [
        {
            "title": f"The Tale of {i}",
            "authors": f"{rng.choice(FIRST)} {rng.choice(LAST)}{'' if i % 9 else '/Ann Ames'}",
            "ratings_count": rng.randrange(100_000),
        }
        for i in range(count)
    ]


ROWS = {
    "capitals": capitals,
    "sciq": sciq,
    "sentiment": sentiment,
    "nli": nli,
    "authors": authors,
}


def released(arguments: Sequence[Mapping[str, Any]]) -> Rows:
    """Rows for Alice and Bob, as in the released data."""
    rows: Rows = []
    for i, args in enumerate(arguments):
        alice, bob = i % 2 == 0, i % 4 < 2
        for character, label in (("Alice", alice), ("Bob", bob)):
            rows.append(
                {
                    "id": f"{i:08x}",
                    "template_args": {"character": character, **args},
                    "character": character,
                    "label": label,
                    "alice_label": alice,
                    "bob_label": bob,
                    "difficulty": float(i),
                    "difficulty_quantile": 0.5,
                }
            )
    return rows


def write(path: Path, rows: Rows) -> Path:
    """Write rows in the format that the file's name ends in; nested ones as JSON in a CSV."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".jsonl":
        path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
        return path
    frame = pd.DataFrame(rows)
    if path.suffix == ".parquet":
        frame.to_parquet(path, index=False)
        return path
    nested = [c for c in frame if frame[c].map(lambda cell: isinstance(cell, dict)).any()]
    frame.assign(**{c: frame[c].map(json.dumps) for c in nested}).to_csv(path, index=False)
    return path


def claims_of(name: str, path: Path, seed: int = 0, **parameters: Any) -> list[Claim]:
    """Claims of a published task on a file or folder."""
    return list(get_task(name, data=str(path), **parameters).claims(seed))
