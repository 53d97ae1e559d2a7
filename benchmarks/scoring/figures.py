"""From scores to figures: a tidy table with every number of the report."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float

from benchmarks.metrics.auroc import auroc
from benchmarks.metrics.estimates import (
    SUBSETS,
    Estimate,
    accuracy_estimate,
    auroc_estimate,
    recovered_gap,
    recovered_gap_estimate,
    subset_mask,
)
from benchmarks.metrics.intervals import BLANK_INTERVAL, ScoredExamples
from benchmarks.metrics.layer_rules import LAYER_RULES, LayerChoice
from benchmarks.recipe.schema import READERS, Recipe
from benchmarks.scoring.controls import shuffle_labels
from benchmarks.scoring.scores import ScoreGroup, group_scores
from benchmarks.store.datasets import Columns
from quirky.contexts import Transfer, in_context

GAP_BOUNDS = {
    Transfer("A", "B"): (Transfer("B", "B"), Transfer("A", "A")),
    Transfer("AE", "BH"): (Transfer("B", "BH"), Transfer("A", "AH")),
}
"""Transfers with a recovered gap, and the transfers of last-layer `lr` that are its floor and
ceiling."""


def compute_figures(recipe: Recipe, columns: Columns, scores: pd.DataFrame) -> pd.DataFrame:
    """Return one row per probe, control, layer rule, transfer, subset and metric.

    Args:
        recipe: its transfers and layer rules are measured.
        columns: of heldout and test, in the order of the scores.
        scores: as `score_cell` returns them.
    """
    table = pd.DataFrame(
        {"probe": group.probe, "control": group.control, "site": group.site, **row}
        for group in group_scores(scores)
        for row in _group_figures(recipe, _control_columns(columns, group.control), group)
    )
    table = pd.concat([table, _recovered_gaps(recipe, columns, scores)], ignore_index=True)
    return table.astype({"layer": "Int64", "n": "int64", "dial": "float64"})


def _control_columns(columns: Columns, control: str) -> Columns:
    """Return the columns that layers are chosen by: with shuffled labels for that control."""
    if control != "shuffled":
        return columns
    return {**columns, "label": shuffle_labels(columns["label"].astype(bool), seed=0)}


def _group_figures(recipe: Recipe, columns: Columns, group: ScoreGroup) -> Iterator[dict[str, Any]]:
    transfers = [t for t in recipe.parsed_transfers() if group.source in ("", t.source)]
    for rule, layer, draws in _scores_by_rule(recipe, columns, group):
        for transfer in transfers:
            inside = (columns["split"] == "test") & in_context(columns, transfer.target)
            place = {"layer_rule": rule, "layer": layer, "transfer": str(transfer)}
            for dial, mask in _masks_by_dial(columns, inside, each_setting=rule != "each"):
                for row in _subset_figures(group.probe, draws, columns, mask):
                    yield {**place, **row, "dial": dial}


def _masks_by_dial(
    columns: Columns, inside: Bool[np.ndarray, " n"], each_setting: bool
) -> Iterator[tuple[float, Bool[np.ndarray, " n"]]]:
    """Yield all settings of the task's dial together (NaN), then each setting, if any."""
    yield float("nan"), inside
    dials = columns.get("dial")
    if each_setting and dials is not None:
        for dial in np.unique(dials[~np.isnan(dials)]):
            yield float(dial), inside & (dials == dial)


def _subset_figures(
    probe: str,
    draws: list[Float[np.ndarray, " n"]],
    columns: Columns,
    inside: Bool[np.ndarray, " n"],
) -> Iterator[dict[str, Any]]:
    """Yield the AUROC on each subset; for the model's own answers the accuracy too."""
    for against in ("truth", "quirk"):
        for subset, mask in _subsets(columns, inside):
            estimates = {"auroc": _estimate_auroc(draws, columns, mask, against)}
            if probe == "lm":
                labels = columns[against][mask].astype(bool)
                facts = columns["fact_id"][mask]
                estimates["accuracy"] = accuracy_estimate(draws[0][mask], labels, facts)
            for metric, estimate in estimates.items():
                row = {"against": against, "metric": metric, "subset": subset}
                yield {**row, **asdict(estimate)}


def _scores_by_rule(
    recipe: Recipe, columns: Columns, group: ScoreGroup
) -> Iterator[tuple[str, int | None, list[Float[np.ndarray, " n"]]]]:
    """Yield each layer rule, the layer that it chose (None if draws differ), and the scores."""
    draws = group.draws
    if group.probe in READERS:
        yield "none", None, [draw[0] for draw in draws]
        return
    for i, layer in enumerate(group.layers):
        yield "each", layer, [draw[i] for draw in draws]
    heldout = in_layer_choice(columns, group.source)
    for rule in recipe.layer_rules:
        choices = [_choose(rule, draw[:, heldout], columns["label"][heldout]) for draw in draws]
        scores = [
            choice.apply(draw, draw[:, heldout])
            for choice, draw in zip(choices, draws, strict=True)
        ]
        same_layer = len(set(choices)) == 1 and len(choices[0].layers) == 1
        yield rule, group.layers[choices[0].layers[0]] if same_layer else None, scores


def _choose(
    rule: str, scores: Float[np.ndarray, "layers m"], labels: Bool[np.ndarray, " m"]
) -> LayerChoice:
    return LAYER_RULES.get(rule)(auroc(scores, labels.astype(bool)))


def in_layer_choice(columns: Columns, source: str) -> Bool[np.ndarray, " n"]:
    """Return the examples that layers are chosen by: held out, source context, not withheld."""
    heldout = (columns["split"] == "heldout") & in_context(columns, source)
    return heldout & ~columns["withheld"].astype(bool)


def _subsets(
    columns: Columns, inside: Bool[np.ndarray, " n"]
) -> Iterator[tuple[str, Bool[np.ndarray, " n"]]]:
    truth, quirk, withheld = (columns[c].astype(bool) for c in ("truth", "quirk", "withheld"))
    for subset in SUBSETS:
        mask = inside & subset_mask(truth, quirk, withheld, subset)
        if mask.any():
            yield subset, mask


def _estimate_auroc(
    draws: list[Float[np.ndarray, " n"]],
    columns: Columns,
    mask: Bool[np.ndarray, " n"],
    against: str,
) -> Estimate:
    """Return one fit's AUROC with its interval; for several draws their mean and quantiles."""
    labels = columns[against][mask].astype(bool)
    if len(draws) == 1:
        return auroc_estimate(draws[0][mask], labels, columns["fact_id"][mask])
    values = auroc(np.stack([scores[mask] for scores in draws]), labels)
    low, high = np.quantile(values, [0.025, 0.975])
    return Estimate(float(values.mean()), float(low), float(high), int(mask.sum()))


def _recovered_gaps(recipe: Recipe, columns: Columns, scores: pd.DataFrame) -> pd.DataFrame:
    """Return (probe - floor) / (ceiling - floor) against truth on `all`, for each layer rule."""
    lr_by_source = {
        group.source: group.draws[0][-1]
        for group in group_scores(scores)
        if group.probe == "lr" and group.site == "resid" and not group.control
    }
    test = (columns["split"] == "test") & ~columns["withheld"].astype(bool)

    def in_target(target: str, scores: Float[np.ndarray, " n"]) -> ScoredExamples:
        mask = test & in_context(columns, target)
        labels = columns["truth"][mask].astype(bool)
        return ScoredExamples(scores[mask], labels, columns["fact_id"][mask])

    rows = []
    for group in group_scores(scores):
        control_columns = _control_columns(columns, group.control)
        for transfer in recipe.parsed_transfers():
            bounds = GAP_BOUNDS.get(transfer)
            if bounds is None or group.source not in ("", transfer.source):
                continue
            floor, ceiling = (
                in_target(bound.target, lr_by_source[bound.source])
                if bound.source in lr_by_source
                else None
                for bound in bounds
            )
            for rule, layer, draws in _scores_by_rule(recipe, control_columns, group):
                if rule == "each":
                    continue
                probe = [in_target(transfer.target, draw) for draw in draws]
                estimate = _estimate_gap(probe, floor, ceiling)
                rows.append(
                    {
                        **{"probe": group.probe, "control": group.control, "site": group.site},
                        **{"layer_rule": rule, "layer": layer, "transfer": str(transfer)},
                        **{"against": "truth", "metric": "recovered_gap", "subset": "all"},
                        **asdict(estimate),
                    }
                )
    return pd.DataFrame(rows)


def _estimate_gap(
    draws: list[ScoredExamples], floor: ScoredExamples | None, ceiling: ScoredExamples | None
) -> Estimate:
    """Return one fit's recovered gap with its interval; for several draws mean and quantiles."""
    n = len(draws[0].labels)
    if floor is None or ceiling is None:
        return Estimate(float("nan"), *BLANK_INTERVAL, n)
    if len(draws) == 1:
        return recovered_gap_estimate(draws[0], floor, ceiling)
    bounds = [float(auroc(bound.scores, bound.labels)) for bound in (floor, ceiling)]
    values = [recovered_gap(float(auroc(d.scores, d.labels)), *bounds) for d in draws]
    low, high = np.quantile(values, [0.025, 0.975])
    return Estimate(float(np.mean(values)), float(low), float(high), n)
