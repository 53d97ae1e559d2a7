"""Fit probes on a source context and score every held-out and test example.

Scores are the record: every figure is computed from them.
"""

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from jaxtyping import Bool, Float, Int
from safetensors.torch import load_file, save_file
from torch import Tensor

from benchmarks.activations import ActivationView, CellActivations
from benchmarks.recipe.schema import Recipe
from benchmarks.scoring.controls import shuffle_labels, text_scores_by_source
from benchmarks.scoring.fits import Fit, fit_sources, list_fits
from benchmarks.store import ensure_artefact
from benchmarks.store.datasets import FIT_SPLIT, SCORED_SPLITS, Columns
from benchmarks.store.provenance import probe_origin
from probes import LinearProbe, Probe
from probes.inputs import NEEDS, SCORE_NEEDS
from probes.numerics.scaling import feature_scale, standardise
from quirky.contexts import in_context


def score_cell(
    recipe: Recipe,
    seed: int,
    columns: Columns,
    text_columns: Columns,
    activations: CellActivations,
    progress: Callable[[str, float], None],
) -> pd.DataFrame:
    """Return one row per (probe, draw, control, source, site, layer), with the scores as a list.

    Args:
        recipe: its probes, transfers and controls are fitted.
        seed: of the cell.
        columns: of validation, heldout and test, in the order of the activations. Scores are those
            of heldout and test, in the same order.
        text_columns: of train and validation. The text-only baseline is fitted on both, so
            that it is not weak for want of examples.
        activations: of the cell's model.
        progress: called with the stage and its share that is done.
    """
    scored = np.isin(columns["split"], SCORED_SPLITS)
    rows = [_row("lm", "", None, "none", activations.residual.log_odds().numpy()[scored])]
    contexts = set(columns["context"])
    for source in fit_sources(recipe, contexts):
        scores = text_scores_by_source(text_columns, source, columns["prompt"][scored])
        rows.append(_row("text", source, None, "none", scores))
    fits = list_fits(recipe, seed, contexts)
    fits_by_view = [
        (view, [fit for fit in fits if fit.probe.probe_class.reads == view.reads])
        for view in activations.views()
    ]
    origins = {p.display_name: probe_origin(p.make()) for p in recipe.probes}
    total = sum(len(view_fits) for _, view_fits in fits_by_view)
    count = 0
    for view, view_fits in fits_by_view:
        read_states = functools.cache(view.read)  # loaded once, and only if a fit is missing
        for fit in view_fits:
            progress(f"probe {fit.probe.display_name}", count / total)
            origin = origins[fit.probe.display_name]
            scores_by_layer = _ensure_scores(fit, origin, columns, view, read_states, scored)
            rows += [
                _row(
                    fit.probe.display_name,
                    fit.source,
                    layer,
                    view.site,
                    scores,
                    fit.draw,
                    fit.control,
                )
                for layer, scores in zip(view.layers, scores_by_layer, strict=True)
            ]
            count += 1
    return pd.DataFrame(rows).astype({"layer": "Int64"})


def _row(
    probe: str,
    source: str,
    layer: int | None,
    site: str,
    score: Float[np.ndarray, " n"],
    draw: int = 0,
    control: str = "",
) -> dict[str, Any]:
    return {
        "probe": probe,
        "draw": draw,
        "control": control,
        "source": source,
        "site": site,
        "layer": layer,
        "score": score.astype(np.float32),
    }


def in_fit(columns: Columns, source: str) -> Bool[np.ndarray, " n"]:
    """Return the examples that probes of a source context are fitted on."""
    return (columns["split"] == FIT_SPLIT) & in_context(columns, source)


def _ensure_scores(
    fit: Fit,
    origin: Mapping[str, str],
    columns: Columns,
    view: ActivationView,
    read_states: Callable[[], Float[Tensor, "layers n ..."]],
    scored: Bool[np.ndarray, " n"],
) -> Float[np.ndarray, "layers m"]:
    """Return the scores by layer; the probe is fitted only if the store lacks this fit.

    `origin` identifies the code of the probe.
    """
    key = {**view.key, **asdict(fit), "code": origin}
    key["probe"] = {"name": fit.probe.name, **fit.probe.params}

    def make(folder: Path) -> None:
        inside = in_fit(columns, fit.source)
        labels = columns["label"][inside].astype(bool)
        if fit.control == "shuffled":
            labels = shuffle_labels(labels, fit.seed * 1000 + fit.draw, questions(columns)[inside])
        probe = fit.make_probe()
        states = read_states()
        fit_states, scored_states = (states[:, torch.from_numpy(m)] for m in (inside, scored))
        if view.standardise:
            mean, scale = feature_scale(fit_states)
            fit_states, scored_states = (
                _standardise(x, mean, scale) for x in (fit_states, scored_states)
            )
            save_file({"mean": mean, "scale": scale}, folder / "scaling.safetensors")
        fit_needs = _needs(probe, columns, view.mask, inside, NEEDS)
        probe.fit(fit_states, torch.from_numpy(labels), **fit_needs)
        score_needs = _needs(probe, columns, view.mask, scored, SCORE_NEEDS)
        scores = probe.score(scored_states, **score_needs)
        save_file({"scores": scores.float().cpu().contiguous()}, folder / "scores.safetensors")
        if isinstance(probe, LinearProbe):
            probe.save(folder)

    folder = ensure_artefact("fits", key, make)
    return load_file(folder / "scores.safetensors")["scores"].numpy()


def _standardise(
    x: Float[Tensor, "layers n d"],
    mean: Float[Tensor, "layers d"],
    scale: Float[Tensor, "layers d"],
) -> Float[Tensor, "layers n d"]:
    by_layer = zip(x, mean, scale, strict=True)
    return torch.stack([standardise(*layer, dtype=torch.float32) for layer in by_layer])


def _needs(
    probe: Probe,
    columns: Columns,
    mask: Tensor | None,
    inside: Bool[np.ndarray, " n"],
    available: Sequence[str],
) -> dict[str, Tensor]:
    """Return the further columns that a probe declares, for the examples inside."""
    codes = {
        "template": columns["template"].astype(np.int64),
        "polarity": columns["polarity"].astype(np.int64),
        "question": questions(columns),
    }
    needs = {}
    for need in probe.needs:
        if need == "mask" and mask is not None:
            needs[need] = mask[torch.from_numpy(inside)]
        elif need in available and need in codes:
            needs[need] = torch.from_numpy(codes[need][inside])
    return needs


def questions(columns: Columns) -> Int[np.ndarray, " n"]:
    """Return a code of each example's question, shared by all renderings of the question.

    The same claim in contexts A and B has two labels, so it counts as two questions.
    """
    question = np.char.add(columns["question_id"].astype(str), columns["context"].astype(str))
    return pd.factorize(question)[0]


@dataclass(frozen=True)
class ScoreGroup:
    """The scores of one probe under one control at one site, fitted on one source.

    Attributes:
        layers: the blocks that were read; one entry of 0 for a reader that needs no hidden state.
        draws: scores by layer, one array a draw.
    """

    probe: str
    control: str
    site: str
    source: str
    layers: tuple[int, ...]
    draws: list[Float[np.ndarray, "layers n"]]


def group_scores(scores: pd.DataFrame) -> Iterator[ScoreGroup]:
    """Yield the scores of every probe, control, site and source."""
    for key, rows in scores.groupby(["probe", "control", "site", "source"], sort=False):
        by_draw = [draw.sort_values("layer") for _, draw in rows.groupby("draw")]
        layers = tuple(int(layer) for layer in by_draw[0]["layer"].fillna(0))
        draws = [np.stack(draw["score"].to_list()) for draw in by_draw]
        probe, control, site, source = (str(part) for part in key)
        yield ScoreGroup(probe, control, site, source, layers, draws)
