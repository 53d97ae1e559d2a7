"""Fit on a source context, score every held-out and test example: the scores are the record."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from jaxtyping import Bool, Float, Int
from safetensors.torch import load_file, save_file

from benchmarks.activations.views import Held, Store
from benchmarks.recipe.entries import ProbeSpec
from benchmarks.recipe.schema import Recipe
from benchmarks.scoring.controls import shuffled, text_scores
from benchmarks.store.artefacts import artefact
from benchmarks.store.provenance import probe_origin
from probes import LinearProbe, Probe
from probes.inputs import NEEDS, SCORE_NEEDS
from probes.numerics.scaling import feature_scale, standardised
from quirky.contexts import BY_DIFFICULTY, TARGETS, UNSEEN, Transfer, in_context

SCORED = ("heldout", "test")
FITTED = "validation"
LEAST = 8
"""A probe is fitted on at least this many examples of each class."""

SHUFFLES = 5
"""How many orders of the labels the control `shuffled` is fitted on: one alone may, by chance, fall
along a strong direction of the states, and read or reverse the truth quite well."""

Columns = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Fit:
    """One fit of one probe: what it was fitted with and on."""

    probe: ProbeSpec
    source: str
    control: str
    draw: int
    seed: int

    def make(self) -> Probe:
        """Return the unfitted probe."""
        return self.probe.make(seed=self.seed * 1000 + self.draw)


def measured(recipe: Recipe, contexts: Collection[str] = TARGETS) -> list[Transfer]:
    """Return the recipe's transfers, but for those to a context that is not among these.

    `contexts` are those of a cell's examples: whether there is B2 or T is up to the trigger.
    """
    return [
        transfer
        for transfer in recipe.parsed_transfers()
        if transfer.target not in UNSEEN or transfer.target in contexts
    ]


def sources(recipe: Recipe, contexts: Collection[str] = TARGETS) -> list[str]:
    """Return the contexts that the transfers measured there fit on, each once."""
    return list(dict.fromkeys(transfer.source for transfer in measured(recipe, contexts)))


def check_contexts(columns: Columns, recipe: Recipe, name: str) -> None:
    """Make sure that every transfer has both classes to fit on, to choose by and to be scored on.

    A transfer to a context that the trigger does not have is not measured, so it needs nothing.

    Raises:
        ValueError: naming the transfer, the split and the class that is missing; or a context that
            goes by a difficulty which the claims do not have.
    """
    unranked = bool(np.isnan(columns["difficulty_quantile"].astype(float)).all())
    for transfer in measured(recipe, set(columns["context"])):
        ranked = {transfer.source, transfer.target} & BY_DIFFICULTY
        if unranked and ranked:
            raise ValueError(
                f"task {name}, transfer {transfer}: its claims have no difficulty, so nobody can "
                f"tell which belong to {', '.join(sorted(ranked))}; add a column `difficulty` to "
                "the table, or leave the transfer out of the recipe"
            )
        for split, context, column, least in (
            (FITTED, transfer.source, "label", LEAST),
            ("heldout", transfer.source, "label", 2),
            ("test", transfer.target, "truth", 2),
        ):
            inside = (columns["split"] == split) & in_context(columns, context)
            inside &= ~columns["withheld"]
            for value in (False, True):
                count = int((columns[column][inside] == value).sum())
                if count < least:
                    raise ValueError(
                        f"task {name}, transfer {transfer}: split {split} has {count} examples of "
                        f"context {context} with {column} {value}, at least {least} are needed; "
                        f"raise `sizes.{'test' if split == 'test' else 'validation'}`, or bring "
                        "more claims"
                    )


def fits_of(recipe: Recipe, seed: int, contexts: Collection[str] = TARGETS) -> list[Fit]:
    """Return every fit that one cell needs whose examples are in these contexts.

    Labels are shuffled only for probes in which labels decide; elsewhere they set no more than a
    sign, and a fit on shuffled ones would be the same axis.
    """
    fits = []
    for probe in recipe.probes:
        supervised = probe.make().supervision == "labels"
        for source in sources(recipe, contexts):
            draws = recipe.draws if probe.name == "random" else 1
            fits += [Fit(probe, source, "", draw, seed) for draw in range(draws)]
            if supervised:
                fits += [
                    Fit(probe, source, control, draw, seed)
                    for control in recipe.controls
                    for draw in range(SHUFFLES)
                ]
    return fits


def score_cell(
    recipe: Recipe,
    seed: int,
    columns: Columns,
    told: Columns,
    store: Store,
    progress: Callable[[str, float], None],
) -> pd.DataFrame:
    """Return one row per (probe, draw, control, source, site, layer), with the scores as a list.

    `columns` and `store` hold the splits validation, heldout and test in one order; the scores
    are those of heldout and test, in that same order. `told` holds train and validation: the
    reader of the text alone is given all there is, so that it is no weaker than it could be.
    """
    scored = np.isin(columns["split"], SCORED)
    rows = [_row("lm", "", None, "none", store.states.log_odds().numpy()[scored])]
    contexts = set(columns["context"])
    for source in sources(recipe, contexts):
        rows.append(
            _row("text", source, None, "none", _read_text(told, source, columns["prompt"][scored]))
        )
    fits = fits_of(recipe, seed, contexts)
    turns = [(place, fit) for place in store.places() for fit in fits if _reads(fit) == place.reads]
    held: Held | None = None
    for i, (place, fit) in enumerate(turns):
        progress(f"probe {fit.probe.shown}", i / len(turns))
        if held is None or held.place != place:
            held = Held(place, store)
        scores = _fitted_scores(fit, columns, held, scored)
        rows += [
            _row(fit.probe.shown, fit.source, number, place.site, by_layer, fit.draw, fit.control)
            for number, by_layer in zip(held.layers, scores, strict=True)
        ]
    frame = pd.DataFrame(rows)
    return frame.astype({"layer": "Int64"})


def _reads(fit: Fit) -> Any:
    return fit.make().reads


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


def _read_text(told: Columns, source: str, prompts: np.ndarray) -> Float[np.ndarray, " n"]:
    inside = in_context(told, source)
    labels = told["label"][inside].astype(bool)
    return text_scores(told["prompt"][inside].tolist(), labels, prompts.tolist())


def fitted_on(columns: Columns, source: str) -> Bool[np.ndarray, " n"]:
    """Return which examples a probe is fitted on."""
    return (columns["split"] == FITTED) & in_context(columns, source)


def _fitted_scores(
    fit: Fit,
    columns: Columns,
    held: Held,
    scored: Bool[np.ndarray, " n"],
) -> Float[np.ndarray, "layers m"]:
    """Return the scores by layer, from the store where the same fit was made before."""
    key = {**held.origin, **asdict(fit), "code": probe_origin(fit.make())}
    key["probe"] = {"name": fit.probe.name, **fit.probe.params}

    def make(folder: Path) -> None:
        inside = fitted_on(columns, fit.source)
        labels = columns["label"][inside].astype(bool)
        if fit.control == "shuffled":
            labels = shuffled(labels, fit.seed * 1000 + fit.draw, questions(columns)[inside])
        probe = fit.make()
        fitted, asked_of = (held.states[:, torch.from_numpy(part)] for part in (inside, scored))
        if held.standardised:
            mean, scale = feature_scale(fitted)
            fitted, asked_of = (_standardised(x, mean, scale) for x in (fitted, asked_of))
            save_file({"mean": mean, "scale": scale}, folder / "scaling.safetensors")
        told = _needs(probe, columns, held.mask, inside, NEEDS)
        probe.fit(fitted, torch.from_numpy(labels), **told)
        scores = probe.score(asked_of, **_needs(probe, columns, held.mask, scored, SCORE_NEEDS))
        save_file({"scores": scores.float().cpu().contiguous()}, folder / "scores.safetensors")
        if isinstance(probe, LinearProbe):
            probe.save(folder)

    folder = artefact("fits", key, make)
    return load_file(folder / "scores.safetensors")["scores"].numpy()


def _standardised(
    x: Float[torch.Tensor, "layers n d"],
    mean: Float[torch.Tensor, "layers d"],
    scale: Float[torch.Tensor, "layers d"],
) -> Float[torch.Tensor, "layers n d"]:
    by_layer = zip(x, mean, scale, strict=True)
    return torch.stack([standardised(*layer, dtype=torch.float32) for layer in by_layer])


def _needs(
    probe: Probe,
    columns: Columns,
    mask: torch.Tensor | None,
    inside: Bool[np.ndarray, " n"],
    offered: Sequence[str],
) -> dict[str, torch.Tensor]:
    codes = {
        "template": columns["template"].astype(np.int64),
        "polarity": columns["polarity"].astype(np.int64),
        "question": questions(columns),
    }
    needed = {}
    for need in probe.needs:
        if need == "mask" and mask is not None:
            needed[need] = mask[torch.from_numpy(inside)]
        elif need in offered and need in codes:
            needed[need] = torch.from_numpy(codes[need][inside])
    return needed


def questions(columns: Columns) -> Int[np.ndarray, " n"]:
    """Return a code of the question of every example, in however many templates it stands.

    A question that is asked in both contexts has two answers: it is two questions.
    """
    asked = np.char.add(columns["question_id"].astype(str), columns["context"].astype(str))
    return pd.factorize(asked)[0]


@dataclass(frozen=True)
class Group:
    """The scores of one probe under one control, fitted on one source."""

    probe: str
    control: str
    site: str
    source: str
    layers: tuple[int, ...]
    """The blocks that were read; of a reader that needs none, one entry of 0."""
    draws: list[Float[np.ndarray, "layers n"]]


def groups(scores: pd.DataFrame) -> Iterator[Group]:
    """Yield the scores of every probe, control, site and source."""
    for key, rows in scores.groupby(["probe", "control", "site", "source"], sort=False):
        by_draw = [draw.sort_values("layer") for _, draw in rows.groupby("draw")]
        layers = tuple(int(layer) for layer in by_draw[0]["layer"].fillna(0))
        draws = [np.stack(draw["score"].to_list()) for draw in by_draw]
        probe, control, site, source = (str(part) for part in key)
        yield Group(probe, control, site, source, layers, draws)
