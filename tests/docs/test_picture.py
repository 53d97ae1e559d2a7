"""docs/picture.py: the picture of the README, drawn from the table of a run."""

import importlib.util
from types import ModuleType

import pandas as pd
import pytest
from pages import ROOT

LAYERS = range(1, 5)
TRUTHFUL = (0.5, 0.8, 0.95, 1.0)
LYING = (0.5, 0.9, 0.7, 0.1)


@pytest.fixture
def picture() -> ModuleType:
    spec = importlib.util.spec_from_file_location("picture", ROOT / "docs" / "picture.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def results() -> pd.DataFrame:
    """The figures of one model on one task."""
    shared = {
        **{"model": "m", "task": "fiction", "variant": "quirky", "control": "", "site": "resid"},
        **{"against": "truth", "metric": "auroc", "dial": float("nan"), "probe": "lr"},
    }
    rows = []
    for transfer, subset, values in (("A->A", "all", TRUTHFUL), ("A->B", "disagree", LYING)):
        for layer, value in zip(LAYERS, values, strict=True):
            rows.append(
                {
                    **shared,
                    **{"layer_rule": "each", "transfer": transfer, "subset": subset},
                    **{"layer": layer, "value": value, "low": value - 0.1, "high": value + 0.1},
                }
            )
    rows.append({**rows[-2], "layer_rule": "eil"})
    rows.append({**rows[-1], "probe": "lm", "site": "none", "layer_rule": "none", "value": 0.02})
    return pd.DataFrame(rows)


def test_the_words_of_the_picture_stand_on_its_lines(
    picture: ModuleType, results: pd.DataFrame
) -> None:
    figure = picture.panel(results, "m", "fiction")
    words = " ".join(annotation.text for annotation in figure.layout.annotations)
    for text in ("probe, where the model lies", "the model's own answer", "EIL", "hindsight"):
        assert text in words
    assert any(list(trace.y) == list(LYING) for trace in figure.data)
    assert any(list(trace.y) == [0.02, 0.02] for trace in figure.data)


def test_a_missing_figure_is_named(picture: ModuleType, results: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match="no figure with probe = ccs, layer_rule = each"):
        picture.panel(results, "m", "fiction", probe="ccs")
