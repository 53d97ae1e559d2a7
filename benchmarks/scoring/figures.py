"""From scores to figures: a tidy table in which every number of the report stands."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

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
    subset,
)
from benchmarks.metrics.intervals import BLANK, Scored
from benchmarks.metrics.layer_rules import LAYER_RULES, Choice
from benchmarks.recipe.schema import READERS, Recipe
from benchmarks.scoring.controls import shuffled
from benchmarks.scoring.fits import Columns, Group, groups
from quirky.contexts import Transfer, in_context

COLUMNS = (
    *("cell", "model", "task", "trigger", "distance", "prompts", "seed", "variant"),
    *("probe", "control", "site", "layer_rule", "layer", "transfer", "against", "metric", "subset"),
    *("value", "low", "high", "n", "dial"),
)
"""Of a run's table."""

RECOVERED = {
    Transfer("A", "B"): (Transfer("B", "B"), Transfer("A", "A")),
    Transfer("AE", "BH"): (Transfer("B", "BH"), Transfer("A", "AH")),
}
"""Transfers with a recovered gap, and those of last-layer `lr` that are its floor and ceiling."""


def read_results(path: Path) -> pd.DataFrame:
    """Return the table of a run.

    Raises:
        ValueError: if it lacks a column, as tables that earlier versions wrote do.
    """
    table = pd.read_parquet(path)
    missing = [column for column in COLUMNS if column not in table]
    if missing:
        raise ValueError(
            f"{path} has no column {', '.join(missing)}: an earlier version wrote it; run the "
            "recipe again with `quirky run`, which makes the cells anew"
        )
    return table


def figures(recipe: Recipe, columns: Columns, scores: pd.DataFrame) -> pd.DataFrame:
    """Return one row per probe, control, layer rule, transfer, subset and metric.

    `columns` are those of the scored examples, in the order of the scores.
    """
    frame = pd.DataFrame(
        {"probe": group.probe, "control": group.control, "site": group.site, **row}
        for group in groups(scores)
        for row in _of_fit(recipe, _as_told(columns, group.control), group)
    )
    frame = pd.concat([frame, _recovered_gaps(recipe, columns, scores)], ignore_index=True)
    return frame.astype({"layer": "Int64", "n": "int64", "dial": "float64"})


def _as_told(columns: Columns, control: str) -> Columns:
    """Return the columns; a fit on meaningless labels has its layer chosen by such labels too."""
    if control != "shuffled":
        return columns
    return {**columns, "label": shuffled(columns["label"].astype(bool), seed=0)}


def _of_fit(recipe: Recipe, columns: Columns, group: Group) -> Iterator[dict[str, Any]]:
    transfers = [t for t in recipe.parsed_transfers() if group.source in ("", t.source)]
    for rule, layer, by_draw in _chosen(recipe, columns, group):
        for transfer in transfers:
            inside = (columns["split"] == "test") & in_context(columns, transfer.target)
            where = {"layer_rule": rule, "layer": layer, "transfer": str(transfer)}
            for dial, part in _at_dials(columns, inside, every=rule != "each"):
                for row in _measured(group.probe, by_draw, columns, part):
                    yield {**where, **row, "dial": dial}


def _at_dials(
    columns: Columns, inside: Bool[np.ndarray, " n"], every: bool
) -> Iterator[tuple[float, Bool[np.ndarray, " n"]]]:
    """Yield all settings of the task's dial together, as NaN, and then each, if it has one."""
    yield float("nan"), inside
    dials = columns.get("dial")
    if every and dials is not None:
        for dial in np.unique(dials[~np.isnan(dials)]):
            yield float(dial), inside & (dials == dial)


def _measured(
    probe: str,
    by_draw: list[Float[np.ndarray, " n"]],
    columns: Columns,
    inside: Bool[np.ndarray, " n"],
) -> Iterator[dict[str, Any]]:
    """Yield AUROCs by subset; of the model's own answers the accuracy too."""
    for against in ("truth", "quirk"):
        for name, part in _subsets(columns, inside):
            found = {"auroc": _estimate(by_draw, columns, part, against)}
            if probe == "lm":
                labels = columns[against][part].astype(bool)
                facts = columns["fact_id"][part]
                found["accuracy"] = accuracy_estimate(by_draw[0][part], labels, facts)
            for metric, estimate in found.items():
                told = {"against": against, "metric": metric, "subset": name}
                yield {**told, **asdict(estimate)}


def _chosen(
    recipe: Recipe, columns: Columns, group: Group
) -> Iterator[tuple[str, int | None, list[Float[np.ndarray, " n"]]]]:
    """Yield each layer rule, the layer it chose (null where draws differ), and the scores."""
    draws = group.draws
    if group.probe in READERS:
        yield "none", None, [draw[0] for draw in draws]
        return
    for i, layer in enumerate(group.layers):
        yield "each", layer, [draw[i] for draw in draws]
    held = held_out(columns, group.source)
    for rule in recipe.layer_rules:
        choices = [_choose(rule, draw[:, held], columns["label"][held]) for draw in draws]
        scores = [
            choice.apply(draw, draw[:, held]) for choice, draw in zip(choices, draws, strict=True)
        ]
        alike = len(set(choices)) == 1 and len(choices[0].layers) == 1
        yield rule, group.layers[choices[0].layers[0]] if alike else None, scores


def _choose(
    rule: str, scores: Float[np.ndarray, "layers m"], labels: Bool[np.ndarray, " m"]
) -> Choice:
    return LAYER_RULES[rule](auroc(scores, labels.astype(bool)))


def held_out(columns: Columns, source: str) -> Bool[np.ndarray, " n"]:
    """Return the examples by which layers are chosen: held out, in the source context, known."""
    held = (columns["split"] == "heldout") & in_context(columns, source)
    return held & ~columns["withheld"].astype(bool)


def _subsets(
    columns: Columns, inside: Bool[np.ndarray, " n"]
) -> Iterator[tuple[str, Bool[np.ndarray, " n"]]]:
    truth, quirk, withheld = (columns[c].astype(bool) for c in ("truth", "quirk", "withheld"))
    for name in SUBSETS:
        part = inside & subset(truth, quirk, withheld, name)
        if part.any():
            yield name, part


def _estimate(
    by_draw: list[Float[np.ndarray, " n"]],
    columns: Columns,
    part: Bool[np.ndarray, " n"],
    against: str,
) -> Estimate:
    """Return one fit's AUROC with its interval; of several draws the mean and their spread."""
    labels = columns[against][part].astype(bool)
    if len(by_draw) == 1:
        return auroc_estimate(by_draw[0][part], labels, columns["fact_id"][part])
    values = auroc(np.stack([scores[part] for scores in by_draw]), labels)
    low, high = np.quantile(values, [0.025, 0.975])
    return Estimate(float(values.mean()), float(low), float(high), int(part.sum()))


def _recovered_gaps(recipe: Recipe, columns: Columns, scores: pd.DataFrame) -> pd.DataFrame:
    """Return (probe - floor) / (ceiling - floor) against truth on all, by each layer rule."""
    last_lr = {
        group.source: group.draws[0][-1]
        for group in groups(scores)
        if group.probe == "lr" and group.site == "resid" and not group.control
    }
    known = (columns["split"] == "test") & ~columns["withheld"].astype(bool)

    def on(target: str, of: Float[np.ndarray, " n"]) -> Scored:
        part = known & in_context(columns, target)
        return Scored(of[part], columns["truth"][part].astype(bool), columns["fact_id"][part])

    found = []
    for group in groups(scores):
        told = _as_told(columns, group.control)
        for transfer in recipe.parsed_transfers():
            ends = RECOVERED.get(transfer)
            if ends is None or group.source not in ("", transfer.source):
                continue
            measured = [
                end.source in last_lr and on(end.target, last_lr[end.source]) for end in ends
            ]
            for rule, layer, by_draw in _chosen(recipe, told, group):
                if rule == "each":
                    continue
                estimate = _gap_estimate([on(transfer.target, draw) for draw in by_draw], *measured)
                found.append(
                    {
                        **{"probe": group.probe, "control": group.control, "site": group.site},
                        **{"layer_rule": rule, "layer": layer, "transfer": str(transfer)},
                        **{"against": "truth", "metric": "recovered_gap", "subset": "all"},
                        **asdict(estimate),
                    }
                )
    return pd.DataFrame(found)


def _gap_estimate(
    by_draw: list[Scored], floor: Scored | Literal[False], ceiling: Scored | Literal[False]
) -> Estimate:
    """Return one fit's recovered gap with its interval; of several draws the mean and spread."""
    n = len(by_draw[0].labels)
    if not floor or not ceiling:
        return Estimate(float("nan"), *BLANK, n)
    if len(by_draw) == 1:
        return recovered_gap_estimate(by_draw[0], floor, ceiling)
    ends = [float(auroc(end.scores, end.labels)) for end in (floor, ceiling)]
    values = [recovered_gap(float(auroc(d.scores, d.labels)), *ends) for d in by_draw]
    low, high = np.quantile(values, [0.025, 0.975])
    return Estimate(float(np.mean(values)), float(low), float(high), n)
