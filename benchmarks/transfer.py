"""Fit on a source context, score every held-out and test example: the scores are the record."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from jaxtyping import Bool, Float
from safetensors.torch import load_file, save_file

from benchmarks.controls import shuffled, text_scores
from benchmarks.extract import States
from benchmarks.provenance import probe_origin
from benchmarks.recipe import ProbeSpec, Recipe
from benchmarks.store import artefact
from probes import LinearProbe, Probe
from quirky.contexts import in_context

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


def sources(recipe: Recipe) -> list[str]:
    """Return the contexts that the recipe's transfers fit on, each once."""
    return list(dict.fromkeys(transfer.source for transfer in recipe.parsed_transfers()))


def check_contexts(columns: Columns, recipe: Recipe, name: str) -> None:
    """Make sure that every transfer has both classes to fit on, to choose by and to be scored on.

    Raises:
        ValueError: naming the transfer, the split and the class that is missing.
    """
    for transfer in recipe.parsed_transfers():
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
                        f"raise `sizes.{'test' if split == 'test' else 'validation'}`"
                    )


def fits_of(recipe: Recipe, seed: int) -> list[Fit]:
    """Return every fit that one cell needs.

    Labels are shuffled only for probes in which labels decide; elsewhere they set no more than a
    sign, and a fit on shuffled ones would be the same axis.
    """
    fits = []
    for probe in recipe.probes:
        supervised = probe.make().supervision == "labels"
        for source in sources(recipe):
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
    states: States,
    progress: Callable[[str, float], None],
) -> pd.DataFrame:
    """Return one row per (probe, draw, control, source, site, layer), with the scores as a list.

    `columns` and `states` hold the splits validation, heldout and test in one order; the scores
    are those of heldout and test, in that same order. `told` holds train and validation: the
    reader of the text alone is given all there is, so that it is no weaker than it could be.
    """
    scored = np.isin(columns["split"], SCORED)
    rows = [_row("lm", "", None, "none", states.log_odds().numpy()[scored])]
    for source in sources(recipe):
        rows.append(
            _row("text", source, None, "none", _read_text(told, source, columns["prompt"][scored]))
        )
    fits = fits_of(recipe, seed)
    kept: dict[str, torch.Tensor] = {}
    for i, fit in enumerate(sorted(fits, key=lambda fit: _reads(fit))):
        progress(f"probe {fit.probe.shown}", i / len(fits))
        if _reads(fit) not in kept:
            kept = {_reads(fit): states.read(_reads(fit))}
        scores = _fitted_scores(fit, columns, states, kept[_reads(fit)], scored)
        rows += [
            _row(fit.probe.shown, fit.source, layer + 1, "resid", by_layer, fit.draw, fit.control)
            for layer, by_layer in enumerate(scores)
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
    states: States,
    held: torch.Tensor,
    scored: Bool[np.ndarray, " n"],
) -> Float[np.ndarray, "layers m"]:
    """Return the scores by layer, from the store where the same fit was made before."""
    key = {"states": states.folder.name, **asdict(fit), "code": probe_origin(fit.make())}
    key["probe"] = {"name": fit.probe.name, **fit.probe.params}

    def make(folder: Path) -> None:
        inside = fitted_on(columns, fit.source)
        labels = columns["label"][inside].astype(bool)
        if fit.control == "shuffled":
            labels = shuffled(labels, fit.seed * 1000 + fit.draw)
        probe = fit.make()
        probe.fit(
            held[:, torch.from_numpy(inside)],
            torch.from_numpy(labels),
            **_needs(probe, columns, inside, ("template", "polarity", "question")),
        )
        scores = probe.score(
            held[:, torch.from_numpy(scored)], **_needs(probe, columns, scored, ("template",))
        )
        save_file({"scores": scores.float().cpu().contiguous()}, folder / "scores.safetensors")
        if isinstance(probe, LinearProbe):
            probe.save(folder)

    folder = artefact("fits", key, make)
    return load_file(folder / "scores.safetensors")["scores"].numpy()


def _needs(
    probe: Probe, columns: Columns, inside: Bool[np.ndarray, " n"], offered: Sequence[str]
) -> dict[str, torch.Tensor]:
    named = {
        "template": columns["template"],
        "polarity": columns["polarity"],
        # A question that is asked in both contexts has two answers: it is two questions.
        "question": np.char.add(columns["question_id"].astype(str), columns["context"].astype(str)),
    }
    needed = {}
    for need in probe.needs:
        if need in offered:
            needed[need] = torch.from_numpy(pd.factorize(named[need])[0][inside])
    return needed


def groups(scores: pd.DataFrame) -> Iterator[tuple[tuple[str, str, str, str], list[np.ndarray]]]:
    """Yield (probe, control, site, source) and its draws, each (layers, n)."""
    for key, rows in scores.groupby(["probe", "control", "site", "source"], sort=False):
        draws = [
            np.stack(draw.sort_values("layer")["score"].to_list())
            for _, draw in rows.groupby("draw")
        ]
        probe, control, site, source = (str(part) for part in key)
        yield (probe, control, site, source), draws
