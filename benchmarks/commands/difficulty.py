"""`quirky tasks difficulty`: how hard claims are for a ladder of models.

The difficulty of a claim is the mean log loss of the true answer. Every claim is rendered in
context A, with the truthful trigger, in the first of its task's templates (or its own), so that
prompts differ in nothing but the claim. A base that answers True to most prompts would find all
false claims hard: its log-odds are therefore centred by their median over the claims of one
template and polarity. arXiv 2312.01037, section 3, takes the mean loss over a ladder too, with few-
shot prompts. Leave the model that is to be made quirky out of the ladder: its own answers would
decide what is easy for it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float

from benchmarks.cells.artefacts import Progress, no_progress
from benchmarks.cells.progress import quiet_libraries
from benchmarks.preflight.checks import check_device
from benchmarks.recipe.datasets import claims_code
from benchmarks.recipe.entries import ModelEntry
from benchmarks.recipe.load import one_task_recipe
from benchmarks.recipe.pinning import check_weights, pin_recipe
from benchmarks.recipe.resolved import resolve_models
from benchmarks.recipe.schema import Recipe
from benchmarks.store import atomic_file, content_hash, ensure_artefact
from finetune.models.load import load_weights
from finetune.models.resolve import ResolvedModel
from finetune.prompting.answers import check_answers
from finetune.reading.residual import read_activations
from quirky.data.rendering import render_prompt
from quirky.prompts import templates_of_style

FILE = "claims.parquet"


def ladder_recipe(
    models: Sequence[str],
    task: Mapping[str, Any],
    seeds: Sequence[int] = (0,),
    *,
    dtype: str = "float32",
    device: str = "cpu",
) -> Recipe:
    """Return the recipe whose models are the rungs of the ladder.

    Args:
        models: embedded bases, folders or hub ids.
        task: an entry of a recipe's `tasks`.
        seeds: of the claims.
        dtype: precision of the models.
        device: where they run.

    Raises:
        ValueError: one line: the field, the value and what would be right.
    """
    if "difficulty" in task:
        raise ValueError(f"difficulty = {task['difficulty']!r} is what is computed; leave it out")
    return one_task_recipe(
        "difficulty",
        models,
        task,
        seeds=list(seeds),
        prompts="single",
        dtype=dtype,
        device=device,
    )


@dataclass(frozen=True)
class Ladder:
    """A ladder of models, and the claims whose difficulty they decide.

    Attributes:
        recipe: of `ladder_recipe`, with pinned revisions.
        models: by the label of their entry.
        claims: one row per claim, with its prompt in context A.
    """

    recipe: Recipe
    models: Mapping[str, ResolvedModel]
    claims: pd.DataFrame


def resolve_ladder(recipe: Recipe) -> Ladder:
    """Resolve the models of a ladder and render the claims; no weight is loaded.

    Raises:
        ValueError: one line: what is wrong and what would be right.
    """
    quiet_libraries()
    check_device(recipe.device)
    recipe = pin_recipe(recipe)
    models = resolve_models(recipe, recipe.models)
    check_weights(recipe, models)
    claims = _render_claims(recipe)
    for model in models.values():
        check_answers(model.prompt_encoder, list(claims["prompt"]), list(claims["choices"]))
    return Ladder(recipe, models, claims)


def compute_difficulty(
    ladder: Ladder, progress: Progress = no_progress, batch_size: int = 64
) -> pd.DataFrame:
    """Return one row per claim: `question_id`, `fact_id`, `truth`, each loss, `difficulty`.

    The log-odds of each model are stored, so that adding a rung costs only that rung.

    Args:
        ladder: the models and the claims.
        progress: called with the stage and the share of it that is done.
        batch_size: most prompts in one forward pass.
    """
    claims = ladder.claims
    table = claims[["question_id", "fact_id", "truth"]].copy()
    columns = []
    for entry in ladder.recipe.models:
        log_odds = _ensure_log_odds(ladder, entry, progress, batch_size)
        columns.append(f"loss of {entry.name}")
        table[columns[-1]] = log_loss(
            log_odds, claims["truth"].to_numpy(), claims["wording"].to_numpy()
        )
    table["difficulty"] = table[columns].mean(axis=1)
    return table


def log_loss(
    log_odds: Float[np.ndarray, " n"], truth: np.ndarray, wording: np.ndarray
) -> Float[np.ndarray, " n"]:
    """Return the log loss of the true answer, from log-odds centred within each wording.

    Args:
        log_odds: of the answer True.
        truth: whether each claim is true.
        wording: code of the template and polarity of each claim.
    """
    centred = np.array(log_odds, dtype=float)
    for index in np.unique(wording):
        centred[wording == index] -= np.median(centred[wording == index])
    return np.logaddexp(0, np.where(truth, -centred, centred))


def write_difficulty(table: pd.DataFrame, path: Path) -> None:
    """Write the table so that it is never half-written."""
    with atomic_file(path) as temporary:
        table.to_parquet(temporary, index=False)


def _render_claims(recipe: Recipe) -> pd.DataFrame:
    """Return the prompts of the task's claims in context A, each claim once over all seeds."""
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


def _ensure_log_odds(
    ladder: Ladder, entry: ModelEntry, progress: Progress, batch_size: int
) -> Float[np.ndarray, " n"]:
    """Return a model's log-odds of the true answer, in the order of the claims."""
    recipe, model = ladder.recipe, ladder.models[entry.label]
    task = recipe.tasks[0]
    key = {
        "what": "log-odds of claims",
        "base": model.fingerprint,
        "task": task.name,
        "params": task.settings,
        "code": claims_code(task, recipe.trigger[0]),
        "claims": content_hash(ladder.claims[["question_id", "prompt"]].to_numpy().tolist()),
        "seeds": recipe.seeds,
        "dtype": recipe.precision(entry),
    }

    def make(folder: Path) -> None:
        progress(f"loading {entry.name}", 0.0)
        log_odds = _read_log_odds(ladder, model, entry, progress, batch_size)
        table = ladder.claims[["question_id"]].assign(log_odds=log_odds)
        table.to_parquet(folder / FILE, index=False)

    return pd.read_parquet(ensure_artefact("states", key, make) / FILE)["log_odds"].to_numpy()


def _read_log_odds(
    ladder: Ladder, model: ResolvedModel, entry: ModelEntry, progress: Progress, batch_size: int
) -> Float[np.ndarray, " n"]:
    recipe = ladder.recipe
    dtype = getattr(torch, recipe.precision(entry))
    loaded = load_weights(model, dtype=dtype, device=recipe.device)
    prompts, choices = list(ladder.claims["prompt"]), list(ladder.claims["choices"])
    log_odds, count = np.empty(len(prompts)), 0
    for batch in read_activations(
        loaded.model, loaded.tokenizer, prompts, choices, batch_size=batch_size, states=()
    ):
        log_odds[batch.index.numpy()] = batch.log_odds.numpy()
        count += len(batch.index)
        progress(f"asking {entry.name}", count / len(prompts))
    return log_odds
