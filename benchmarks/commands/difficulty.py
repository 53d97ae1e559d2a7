"""How hard claims are for a ladder of models: the mean loss of the true answer.

Every claim is asked in context A, of the name that the protocol trusts, in the first of its task's
templates (or its own), so that claims differ in nothing else. A base that says True to most things
would find all false claims hard: its log-odds are therefore centred, by their median over the
claims of one template and polarity, before the loss is taken. arXiv 2312.01037, section 3, takes
the mean loss over a ladder too, of few-shot prompts. The model that is to be made quirky is best
left out of the ladder: what it finds easy would be chosen by its own answers.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float

from benchmarks.cells.artefacts import Progress, load_cell_model
from benchmarks.cells.cell import Cell, claims_code
from benchmarks.cells.workers import hush_libraries
from benchmarks.recipe.pinning import check_weights, pinned
from benchmarks.recipe.schema import Recipe, one_task_recipe
from benchmarks.run import check_device
from benchmarks.store.artefacts import artefact
from finetune.models.load import check_model, load_prompt_encoder, model_fingerprint
from finetune.prompting.answers import check_answers
from finetune.reading.residual import read_activations
from quirky.prompts import templates_of_style
from quirky.rendering import render_prompt

FILE = "claims.parquet"


def ladder(
    models: Sequence[str],
    task: Mapping[str, Any],
    seeds: Sequence[int] = (0,),
    *,
    dtype: str = "float32",
    device: str = "cpu",
) -> Recipe:
    """Return the recipe whose models are the ladder, everything about it checked.

    `task` is written as in a recipe. Nothing is computed and no weight is loaded.

    Raises:
        ValueError: in one line: which field, which value, and what would be right.
    """
    if "difficulty" in task:
        raise ValueError(f"difficulty = {task['difficulty']!r} is what is looked for; leave it out")
    recipe = one_task_recipe(
        "difficulty",
        models,
        task,
        seeds=list(seeds),
        prompts="single",
        dtype=dtype,
        device=device,
    )
    hush_libraries()
    recipe = pinned(recipe)
    check_device(recipe.device)
    check_weights(recipe)
    asked = _asked(recipe)
    for model in recipe.models:
        check_model(model.name, model.revision)
        tokenizer = load_prompt_encoder(model.name, model.revision)
        check_answers(tokenizer, list(asked["prompt"]), list(asked["choices"]))
    return recipe


def difficulty(
    recipe: Recipe, progress: Progress = lambda stage, done: None, batch_size: int = 64
) -> pd.DataFrame:
    """Return a row a claim: `question_id`, `fact_id`, `truth`, each model's loss, `difficulty`.

    What a model says is kept in the store, so that a ladder with one more rung costs that rung.
    """
    asked = _asked(recipe)
    table = asked[["question_id", "fact_id", "truth"]].copy()
    rungs = []
    for model in recipe.models:
        said = _said(
            recipe,
            Cell(recipe, model, recipe.tasks[0], recipe.trigger[0], 0, "base"),
            progress,
            batch_size,
        )
        rungs.append(f"loss of {model.name}")
        table[rungs[-1]] = loss(said, asked["truth"].to_numpy(), asked["wording"].to_numpy())
    table["difficulty"] = table[rungs].mean(axis=1)
    return table


def loss(
    log_odds: Float[np.ndarray, " n"], truth: np.ndarray, wording: np.ndarray
) -> Float[np.ndarray, " n"]:
    """Return the log loss of the true verdict, from log-odds centred for each wording."""
    centred = np.array(log_odds, dtype=float)
    for index in np.unique(wording):
        centred[wording == index] -= np.median(centred[wording == index])
    return np.logaddexp(0, np.where(truth, -centred, centred))


def write(table: pd.DataFrame, path: Path) -> None:
    """Write the table under a temporary name, then rename it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    table.to_parquet(temporary, index=False)
    temporary.replace(path)


def _asked(recipe: Recipe) -> pd.DataFrame:
    """Return the prompts of the task's claims for all seeds, each once, in context A."""
    task, trigger = recipe.tasks[0].make(), recipe.trigger[0].make()
    templates = templates_of_style(task.templates, task.standard, recipe.prompts)
    rows: dict[str, dict[str, Any]] = {}
    for seed in recipe.seeds:
        for claim in task.claims(seed):
            index = claim.template or 0
            rows[claim.question_id] = {
                "question_id": claim.question_id,
                "fact_id": claim.fact_id,
                "truth": claim.truth,
                "wording": 2 * index + claim.polarity,
                "prompt": render_prompt(templates[index], trigger, claim, "A", seed),
                "choices": templates[index].choices,
            }
    return pd.DataFrame(list(rows.values()))


def _said(
    recipe: Recipe, cell: Cell, progress: Progress, batch_size: int
) -> Float[np.ndarray, " n"]:
    """Return a model's log-odds of the true answer, in the order of the claims."""
    model, task = cell.model, cell.task
    key = {
        "what": "log-odds of claims",
        "base": model_fingerprint(model.name, model.revision),
        "task": task.name,
        "params": task.settings,
        "code": claims_code(task, cell.trigger),
        "seeds": recipe.seeds,
        **cell.loaded(),
    }

    def make(folder: Path) -> None:
        asked = _asked(recipe)
        progress(f"loading {model.name}", 0.0)
        loaded = load_cell_model(cell, None)
        said, done = np.empty(len(asked)), 0
        prompts, choices = list(asked["prompt"]), list(asked["choices"])
        for part in read_activations(
            loaded.model, loaded.tokenizer, prompts, choices, batch_size=batch_size, states=()
        ):
            said[part.index.numpy()] = part.log_odds.numpy()
            done += len(part.index)
            progress(f"asking {model.name}", done / len(asked))
        asked[["question_id"]].assign(log_odds=said).to_parquet(folder / FILE, index=False)

    return pd.read_parquet(artefact("states", key, make) / FILE)["log_odds"].to_numpy()
